"""How long what has ended is kept: pruning by hand, and by upkeep according to settings.

Jobs of their own go one by one. The jobs of a batch are the history of its results, so a batch goes as a whole, with its
items, jobs, lines and events, once it has ended and all that is in it is old enough. Videos, artifacts (rows and files) and
the index of what was said have a life of their own: they stay, and are used again.

All of it goes in steps, each a short transaction of its own, so that it can be broken off and gone on with at any time. What
was counted stays counted (`tallies`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from rushes.queue.control import alone
from rushes.queue.statements import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from rushes.queue.connection import Connection
    from rushes.settings import Settings

STEP = 5000
"""Rows that one step looks at."""
ITEMS = 1000
"""Items that one step removes, each with its jobs."""
BATCHES = 100
"""Batches looked up at once."""
PAUSE = timedelta(hours=1)
"""Between two rounds of upkeep, whoever makes them."""
ENDED = ("completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Ages:
    """How old each of these may become before it goes; None: it is kept."""

    completed: timedelta | None = None
    failed: timedelta | None = None
    cancelled: timedelta | None = None

    def rows(self) -> tuple[list[str], list[timedelta]]:
        """Statuses that have an age, and the ages."""
        rules = [(status, age) for status in ENDED if (age := getattr(self, status)) is not None]
        return [status for status, _ in rules], [age for _, age in rules]

    def __bool__(self) -> bool:
        return bool(self.rows()[0])

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.retention_completed, settings.retention_failed, settings.retention_cancelled)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, or would go."""

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    """Jobs without a batch."""
    batches: int = 0
    items: int = 0
    """Items of batches, with all their jobs."""

    def __add__(self, other: Pruned) -> Pruned:
        return Pruned(
            self.completed + other.completed, self.failed + other.failed, self.cancelled + other.cancelled,
            self.batches + other.batches, self.items + other.items,
        )  # fmt: skip

    @property
    def jobs(self) -> int:
        return self.completed + self.failed + self.cancelled


async def count_old(connection: Connection, ages: Ages, kind: str | None = None) -> Pruned:
    """What `prune` would remove now."""
    jobs = {row["status"]: row["jobs"] for row in await connection.fetch(sql("count_old_jobs"), *ages.rows(), kind)}
    batches = [] if kind else await connection.fetch(sql("old_batches"), *ages.rows(), None)
    items = await connection.fetchval(
        "select count(*) from rushes.items where batch_id = any($1::bigint[])", [row["id"] for row in batches]
    )
    return Pruned(**jobs, batches=len(batches), items=items)


async def prune(connection: Connection, ages: Ages, kind: str | None = None) -> AsyncIterator[Pruned]:
    """Remove what has ended and is old enough, telling after each step what it removed.

    With a kind only jobs without a batch go: a batch has jobs of several kinds.
    """
    position, over = 0, False
    while not over:
        row = await _prune_jobs(connection, ages, kind, position)
        position, over = row["position"], row["over"]
        yield _pruned(row)
    while not kind and (batches := await connection.fetch(sql("old_batches"), *ages.rows(), BATCHES)):
        for row in batches:
            yield await _prune_batch(connection, row["id"])


async def upkeep(connection: Connection, ages: Ages, *, steps: int = 4) -> bool:
    """Take some steps of this hour's round, unless another worker is at it or the round is over.

    Returns whether there was something to do, so that it should be called again soon.
    """
    for _ in range(steps if ages else 0):
        async with connection.transaction():
            position = await connection.fetchval(sql("take_chore"), "retention")
            if position is None:
                return False
            await _step_of_round(connection, ages, position)
    return bool(ages)


async def _step_of_round(connection: Connection, ages: Ages, position: int) -> None:
    """Batches first; then the jobs from where the last step came to. At their end the next round is in an hour."""
    batches, items = await connection.fetch(sql("old_batches"), *ages.rows(), BATCHES), 0
    for batch in batches:
        items += (await _prune_batch(connection, batch["id"])).items
        if items >= ITEMS:
            return
    if len(batches) == BATCHES:
        return
    row = await _prune_jobs(connection, ages, None, position)
    position, pause = (0, PAUSE) if row["over"] else (row["position"], timedelta(0))
    await connection.execute(sql("leave_chore"), "retention", position, pause)


async def _prune_jobs(connection: Connection, ages: Ages, kind: str | None, position: int) -> Record:
    row = await connection.fetchrow(sql("prune_jobs"), position, STEP, *ages.rows(), kind)
    assert row is not None
    return row


def _pruned(row: Record) -> Pruned:
    return Pruned(row["completed"], row["failed"], row["cancelled"])


async def _prune_batch(connection: Connection, batch_id: int) -> Pruned:
    """Take one step of removing a batch: items, then events and lines, and when they are gone its row.

    Until then it is a batch as before with fewer items; if somebody retries it meanwhile, what is left of it runs.
    """
    async with connection.transaction():
        await alone(connection, [batch_id])
        status = await connection.fetchval("select status from rushes.batches where id = $1", batch_id)
        if status not in ENDED:
            return Pruned()
        items = await connection.fetchval(sql("prune_items"), batch_id, ITEMS)
        if items == ITEMS:
            return Pruned(items=items)
        for name in ("prune_events", "prune_lines"):
            if await connection.fetchval(sql(name), batch_id, STEP) == STEP:
                return Pruned(items=items)
        await connection.execute("delete from rushes.batches where id = $1", batch_id)
    return Pruned(batches=1, items=items)
