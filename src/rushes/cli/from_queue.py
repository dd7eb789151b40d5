"""`rushes worker --source queue`: jobs of the PostgreSQL queue, each one stage of an item."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from rushes.cli.arguments import database
from rushes.cli.asked import Asked, Opening
from rushes.errors import UsageError


@contextlib.asynccontextmanager
async def opened(asked: Asked) -> AsyncIterator[Opening]:
    """Open the database. Raises: UsageError."""
    from rushes.queue import Queue
    from rushes.queue.retention import Ages
    from rushes.sources.postgres import QueueSource
    from rushes.worker import Bounds, slots_of

    if asked.pipeline or asked.options:
        raise UsageError(
            "--pipeline and --set are for sources that do not say what to do with an item: a queue's jobs do"
        )
    async with database(**asked.settings) as (settings, found):
        source = QueueSource(found.pool, Queue(found.pool, lease=settings.lease, ages=Ages.of(settings)))
        bounds = Bounds(settings.max_runtime, settings.empty_timeout, settings.max_jobs)
        yield Opening(settings, source, slots_of(_kinds(asked.kinds), asked.concurrency), bounds)


def _kinds(text: str) -> list[str]:
    from rushes.stages import registry

    wanted = [kind.strip() for kind in text.split(",") if kind.strip()] or list(registry.names())
    for kind in wanted:
        registry.get(kind)
    return wanted
