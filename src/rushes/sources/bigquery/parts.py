"""The parts of one task at work, put together when its source is entered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from rushes.model import Plan
from rushes.settings import Settings
from rushes.sources.bigquery.elections import Elections
from rushes.sources.bigquery.feed import Feed
from rushes.sources.bigquery.hand import Hand, Key
from rushes.sources.bigquery.items import Rows
from rushes.sources.bigquery.lease import Lease
from rushes.sources.bigquery.merging import Merging
from rushes.sources.bigquery.pace import Pace
from rushes.sources.bigquery.preparing import Preparation, Prepared, as_settings
from rushes.sources.bigquery.service import Service
from rushes.sources.bigquery.staging import Staging
from rushes.sources.bigquery.starts import Starts
from rushes.sources.bigquery.statements import Statements
from rushes.sources.bigquery.tables import Tables
from rushes.sources.bigquery.turns import Turns
from rushes.sources.whole_items import only_posted
from rushes.tasks import Task


@dataclass(frozen=True, slots=True)
class Parts:
    """What works side by side."""

    service: Service
    elections: Elections
    statements: Statements
    prepared: Prepared
    staging: Staging
    merging: Merging
    feed: Feed
    lease: Lease | None
    """None: items are not claimed."""
    starts: Starts | None
    """None: no item can kill its worker."""
    staged_table: str

    @property
    def unmerged(self) -> bool:
        """Whether results of this task are staged that no merge has seen."""
        staged, merged = self.staging.durable_at, self.merging.began_at
        return staged is not None and (merged is None or merged <= staged)


async def assemble(
    service: Service,
    tables: Tables,
    task: Task,
    plan: Plan,
    settings: Settings,
    hand: Hand,
    *,
    execution: str,
    found: Callable[[], None],
    staged: Callable[[list[Key]], None],
) -> Parts:
    """Prepare the tables and make the parts.

    `found` hears that there may be something to do, `staged` what has become durable.

    Raises:
        SettingsError: the tables are not as they must be, or something may not be done with them.
    """
    elections = Elections(service, execution, alone=task.count == 1)
    preparation = Preparation(service, tables, execution=execution, documents=not only_posted(plan))
    prepared = await preparation.run(elections)
    statements = Statements(
        tables, execution=execution, index=task.index, count=task.count,
        source_types=prepared.source_types, target_types=prepared.target_types, filled=prepared.filled,
    )  # fmt: skip
    with as_settings(tables):
        await asyncio.gather(*map(service.check, statements.all()))
    table = tables.full(tables.staged(execution))
    pace = Pace(settings.bigquery_flush, task.count, time.monotonic)
    name = elections.common_id(f"stage-{task.index}")
    staging = Staging(service, table, name=name, pace=pace, staged=staged)
    merging = Merging(service, statements, Turns(service, tables), execution)
    feed = Feed(
        service=service, elections=elections, statements=statements, merging=merging, staging=staging, hand=hand,
        rows=Rows(plan, url=tables.url, attempts=settings.item_attempts), task=task, page=settings.batch_size,
        attempts=settings.item_attempts, found=found,
    )  # fmt: skip
    lease = Lease(service, elections, statements, settings.bigquery_lease) if tables.claims else None
    if lease:
        with as_settings(tables):
            await lease.prolong()  # before anything is claimed under it
    starts = None if only_posted(plan) else Starts(elections, statements, staging, hand, cleared=found)
    return Parts(service, elections, statements, prepared, staging, merging, feed, lease, starts, table)
