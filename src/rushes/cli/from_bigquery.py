"""`rushes worker --source bigquery`: rows of a table, each one an item with all its stages."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from rushes.cli.asked import Asked, Opening, slots_for_items
from rushes.cli.extras import require

PIPELINE = "process"
GRACE = timedelta(seconds=5)
"""Shorter than usual: of the ten seconds that platforms give, BigQuery wants some for the results."""


@contextlib.asynccontextmanager
async def opened(asked: Asked) -> AsyncIterator[Opening]:
    """Open the tables. No database is needed. Raises: UsageError."""
    from rushes.settings import Settings
    from rushes.sources.bigquery import BigQuerySource
    from rushes.stages import registry
    from rushes.tasks import find_task
    from rushes.worker.bounds import Bounds

    require("bigquery", "the source `bigquery`")
    settings = Settings.load(**asked.settings)
    settings.require("bigquery_project", "bigquery_dataset", "bigquery_source", "bigquery_target")
    plan = registry.resolve(asked.pipeline or PIPELINE, asked.options, settings=settings)
    source = BigQuerySource(settings, plan, find_task(settings))
    if "grace" not in settings.model_fields_set:
        settings = settings.model_copy(update={"grace": GRACE})
    # A table is drained, and then the job has ended; a service polls.
    empty = timedelta(0) if settings.empty_timeout is None else settings.empty_timeout
    bounds = Bounds(settings.max_runtime, empty, settings.max_jobs)
    yield Opening(settings, source, slots_for_items(asked, settings, plan), bounds)
