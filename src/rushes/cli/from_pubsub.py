"""`rushes worker --source pubsub`: messages of a subscription, each one item with all its stages."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from rushes.cli.asked import Asked, Opening, slots_for_items
from rushes.cli.extras import require
from rushes.errors import SettingsError

if TYPE_CHECKING:
    from rushes.requests import Ledger
    from rushes.settings import Settings
    from rushes.sources.pubsub import Names

NO_HOME = (
    "results would go nowhere: neither RUSHES_DATABASE_URL (or DATABASE_URL) nor RUSHES_PUBSUB_RESULTS nor RUSHES_STORAGE"
    " is set"
)


@contextlib.asynccontextmanager
async def opened(asked: Asked) -> AsyncIterator[Opening]:
    """Check everything that can be checked without a call. Raises: UsageError."""
    from rushes.settings import Settings
    from rushes.sources.pubsub import Names, PubSubSource
    from rushes.sources.whole_items import SLOT
    from rushes.stages.strangers import Pipelines
    from rushes.worker import Bounds

    require("pubsub", "the source `pubsub`")
    # gRPC's own library writes what it meets to stderr, such as each server that hangs up politely.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    settings = Settings.load(**asked.settings)
    names = Names.of(settings)
    _check_home(settings, into_queue=asked.into_queue)
    pipelines = Pipelines(settings, asked.options)
    plan = pipelines.resolve(asked.pipeline, {}) if asked.pipeline else None
    slots = slots_for_items(asked, settings, plan)
    if asked.into_queue and not asked.concurrency:
        slots = {SLOT: settings.batch_size}
    async with _ledger(settings, names, into_queue=asked.into_queue) as ledger:
        source = PubSubSource(
            settings, pipelines.resolve, ledger=ledger, pipeline=asked.pipeline, enqueue=asked.into_queue
        )
        yield Opening(settings, source, slots, Bounds(settings.max_runtime, settings.empty_timeout, settings.max_jobs))


def _check_home(settings: Settings, *, into_queue: bool) -> None:
    if into_queue:
        settings.require("database_url")
    elif settings.database_url is None and settings.pubsub_results is None and settings.storage is None:
        raise SettingsError(NO_HOME, remedy="Set one of them.")


@contextlib.asynccontextmanager
async def _ledger(settings: Settings, names: Names, *, into_queue: bool) -> AsyncIterator[Ledger | None]:
    """Who keeps the requests: the user's own database; never the embedded one, which would go with this machine."""
    if settings.database_url is None:
        yield None
        return
    from rushes.database import open_database

    async with open_database(settings) as database:
        if into_queue:
            from rushes.into_queue import QueueLedger

            yield QueueLedger(database.pool, names.subscription)
        else:
            from rushes.requests.stored import StoredLedger
            from rushes.sources.pubsub.deadlines import possible

            # Half as long as Pub/Sub's lease: a dead worker's request is free when its message comes again.
            yield StoredLedger(database.pool, names.subscription, lease=possible(settings.lease) / 2)
