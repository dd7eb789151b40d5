"""Making a batch, or going on with the one that the same command made before."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rushes.batches.intake import Duplicate, Invalid, Line, Report, Valid
from rushes.database import storable
from rushes.errors import ErrorClass
from rushes.model import BatchId, NewItem, Plan, Trust
from rushes.queue import control
from rushes.queue.items import add_items
from rushes.queue.plans import dump
from rushes.queue.statements import sql

if TYPE_CHECKING:
    import asyncpg

    from rushes.queue.connection import Connection

T = TypeVar("T")
STEP = 5000
"""Lines that go to the database in one statement."""
WORTH_ANOTHER_TRY = tuple(kind.value for kind in ErrorClass if kind is not ErrorClass.PERMANENT)


@dataclass(frozen=True, slots=True)
class Order:
    """What a batch is to be."""

    name: str
    plan: Plan
    run_key: str | None = None
    trust: Trust = Trust.LOCAL
    priority: int = 0
    reuse: bool = True
    """Whether results of earlier runs may be used again."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A batch that is ready to be worked at."""

    id: BatchId
    joined: bool
    """It was there already: the same command had made it."""
    added: int
    """Items that are new."""
    retried: int
    """Items that had failed and run again."""
    report: Report
    """Of the lines, as they stand in the input now."""


async def open_batch(pool: asyncpg.Pool[asyncpg.Record], order: Order, lines: Iterable[Line]) -> Opened:
    """Make a batch of these lines, or go on with the unfinished one of the same run: all of it or nothing.

    Going on means: paused work goes on, what failed for a passing reason runs again, new lines join. A batch that has
    ended with nothing worth another try is left alone, and a new one made; what it needs of the old one it uses again.

    Raises:
        UsageError: the input as a whole cannot be used; then nothing was created.
    """
    report = Report()
    async with pool.acquire() as connection, connection.transaction():
        found, retried = await _find(connection, order)
        batch = found or await _create(connection, order)
        if found:
            await connection.execute("delete from rushes.lines where batch_id = $1", batch)
        added = await _add(connection, batch, report.counting(lines))
        await connection.fetch(sql("count"), batch, added, 0, 0, 0, 0, 0)
        await connection.execute(
            "update rushes.batches set invalid = $2, duplicates = $3 where id = $1",
            batch, report.invalid, report.duplicates,
        )  # fmt: skip
    return Opened(batch, bool(found), added, retried, report)


async def join_batch(connection: Connection, order: Order, items: Sequence[NewItem]) -> BatchId:
    """Add items to the batch of the order's run that lives, or make one, in the caller's transaction. Returns its number.

    Unlike the same command given again, this changes nothing about what is there: what is paused stays so, what failed too.
    """
    assert order.run_key, "a batch without a run key cannot be found again"
    await _alone_with_run(connection, order.run_key)
    batch = await connection.fetchval(sql("find_live_run"), order.run_key) or await _create(connection, order)
    added = await add_items(connection, batch, items)
    await connection.fetch(sql("count"), batch, added, 0, 0, 0, 0, 0)
    return BatchId(batch)


async def _alone_with_run(connection: Connection, run_key: str) -> None:
    """Two who look for a run's batch at once must not both find nothing."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", run_key)


async def _find(connection: Connection, order: Order) -> tuple[BatchId | None, int]:
    """The unfinished batch of this run, made ready to go on, and how many of its items run again."""
    if order.run_key is None:
        return None, 0
    await _alone_with_run(connection, order.run_key)
    batch = await connection.fetchval(sql("find_run"), order.run_key, order.reuse)
    if batch is None:
        return None, 0
    await control.alone(connection, [batch])
    row = await connection.fetchrow("select status from rushes.batches where id = $1 for no key update", batch)
    await control.resume_batch(connection, batch)
    retried = await control.retry_items(connection, batch, WORTH_ANOTHER_TRY)
    unfinished = row is not None and row["status"] in ("pending", "processing", "paused")
    return (batch, retried) if unfinished or retried else (None, 0)


async def _create(connection: Connection, order: Order) -> BatchId:
    return BatchId(
        await connection.fetchval(
            sql("create_batch"), order.name, order.run_key, order.plan.pipeline, dump(order.plan), order.trust.value,
            order.reuse, order.priority,
        )
    )  # fmt: skip


async def _add(connection: Connection, batch: BatchId, lines: Iterable[Line]) -> int:
    added = rejected = 0
    for chunk in _chunks(lines, STEP):
        added += await add_items(connection, batch, [line.item for line in chunk if isinstance(line, Valid)])
        rejected += await _add_rejected(connection, batch, rejected, [x for x in chunk if not isinstance(x, Valid)])
    return added


async def _add_rejected(
    connection: Connection, batch: BatchId, after: int, lines: Sequence[Duplicate | Invalid]
) -> int:
    rows = [
        (batch, after + number, storable(line.origin), storable(line.text), *_verdict(line))
        for number, line in enumerate(lines, 1)
    ]
    if rows:
        await connection.copy_records_to_table("lines", schema_name="rushes", records=rows)
    return len(rows)


def _verdict(line: Duplicate | Invalid) -> tuple[str, str]:
    if isinstance(line, Duplicate):
        return "duplicate", f"the same video as {line.repeats}"
    return "invalid", storable(line.reason)


def _chunks(lines: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(lines)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
