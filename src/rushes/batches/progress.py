"""How far a batch is: one reading, shown the same by `run`, `batch show`, `batch watch` and whoever else asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rushes.errors import UsageError
from rushes.masking import masked
from rushes.model import ENDED_BATCH, BatchId, BatchStatus
from rushes.pipelines import first_step
from rushes.queue.statements import sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg import Record


@dataclass(frozen=True, slots=True)
class AtWork:
    """An item that some worker is at."""

    position: int
    title: str
    stage: str
    fraction: float | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A batch at one moment."""

    id: BatchId
    name: str
    pipeline: str
    status: BatchStatus
    total: int
    completed: int
    failed: int
    cancelled: int
    skipped: int
    invalid: int
    duplicates: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    pause_reason: str | None
    pause_remedy: str | None
    at_work: tuple[AtWork, ...]
    retrying: int
    """Jobs that wait for their next try."""
    waiting: tuple[str, ...]
    """What keeps jobs waiting, in words: hosts that asked for rest, and limits that allow no more now."""
    done: float
    """Items' worth of work done, those at work by their share."""

    @property
    def ended(self) -> int:
        return self.completed + self.failed + self.cancelled + self.skipped

    @property
    def percentage(self) -> float:
        """Per cent of the items that have ended; 100 for a batch without any."""
        return 100 * self.ended / self.total if self.total else 100.0

    @property
    def over(self) -> bool:
        return self.status in ENDED_BATCH


async def read_progress(pool: asyncpg.Pool[asyncpg.Record], batch: BatchId) -> Progress:
    """Read how far a batch is.

    Raises:
        UsageError: there is no such batch.
    """
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        row = await connection.fetchrow("select * from rushes.batches where id = $1", batch)
        if row is None:
            raise UsageError(f"there is no batch {batch}", remedy="`rushes batch list` shows those there are")
        at_work = await connection.fetch(sql("at_work"), batch)
        waiting = await connection.fetch(sql("waiting"), batch)
    return _progress(row, at_work, waiting)


def _progress(row: Record, at_work: list[Record], waiting: list[Record]) -> Progress:
    columns = (
        "id", "name", "pipeline", "total", "completed", "failed", "cancelled", "skipped", "invalid", "duplicates",
        "created_at", "started_at", "finished_at", "pause_reason", "pause_remedy",
    )  # fmt: skip
    ended = row["completed"] + row["failed"] + row["cancelled"] + row["skipped"]
    stages = [step["stage"] for step in row["plan"]["steps"]]
    return Progress(
        **{column: row[column] for column in columns},
        status=BatchStatus(row["status"]),
        at_work=tuple(
            AtWork(one["position"], masked(one["title"]), one["kind"], one["progress"], one["note"]) for one in at_work
        ),
        retrying=sum(one["jobs"] for one in waiting),
        waiting=tuple(dict.fromkeys(one["reason"] for one in waiting if one["reason"])),
        done=ended + sum(_share(one, stages) for one in at_work),
    )


def _share(one: Record, stages: Sequence[str]) -> float:
    """How much of an item's way lies behind it. A single video begins after the stage that lists many."""
    first = first_step(stages, collection=one["collection"])
    return float((one["step"] - first + (one["progress"] or 0.0)) / (len(stages) - first))


async def list_batches(
    pool: asyncpg.Pool[asyncpg.Record], *, limit: int, before: BatchId | None = None
) -> list[Record]:
    """Batches, newest first; `before` continues a list."""
    return await pool.fetch(sql("list_batches"), before, limit)
