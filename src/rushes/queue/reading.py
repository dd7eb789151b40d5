"""Looking at the queue: jobs by filter, one job, and statistics by one formula, in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rushes.model import BatchId, Job, JobId
from rushes.queue.control import paused_kinds
from rushes.queue.jobs import read_job
from rushes.queue.statements import sql

if TYPE_CHECKING:
    import asyncpg

    from rushes.queue.connection import Connection


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs. None: all."""

    status: str | None = None
    kind: str | None = None
    error_class: str | None = None
    batch: BatchId | None = None
    workflow_run: str | None = None
    dedup_key: str | None = None
    older_than: timedelta | None = None
    """Enqueued longer ago than this."""
    since: datetime | None = None
    until: datetime | None = None
    """Enqueued at this time or later, and before that one."""

    def row(self) -> tuple[Any, ...]:
        """Its values in the order of `list_jobs.sql`."""
        return (
            self.status, self.kind, self.error_class, self.batch, self.workflow_run, self.dedup_key, self.older_than,
            self.since, self.until,
        )  # fmt: skip


async def list_jobs(
    pool: asyncpg.Pool[asyncpg.Record], wanted: Filter, *, limit: int = 50, before: JobId | None = None
) -> list[Job]:
    """Jobs, newest first; `before` continues a list."""
    return [read_job(row) for row in await pool.fetch(sql("list_jobs"), *wanted.row(), before, limit)]


async def show_job(pool: asyncpg.Pool[asyncpg.Record], job: JobId) -> dict[str, Any] | None:
    """Everything about one job: its row, and what its item points at."""
    row = await pool.fetchrow(sql("show_job"), job)
    return dict(row) if row else None


async def statistics(
    pool: asyncpg.Pool[asyncpg.Record],
    kind: str | None = None,
    window: timedelta | None = None,
    *,
    by_kind: bool = False,
) -> dict[str, Any]:
    """The queue in numbers: what lives now, and what has ended, ever or within a window. Times are seconds.

    Args:
        pool: of connections to the database.
        kind: one kind of jobs; None: all.
        window: only what ended within this time, to the minute (beyond two days to the hour, beyond sixty to the day).
        by_kind: each kind's numbers too, under `by_kind`.

    Returns:
        `total_jobs`, `queued` (also as `queue_length`), `processing`, `retrying`, `completed`, `failed`, `cancelled`;
        `success_rate`: completed of completed and failed, in per cent; `average_wait_time`, `wait_p50`, `wait_p95`: from
        enqueueing to the last start, of what has ended; `average_processing_time`, `run_p50`, `run_p95`: of what was
        completed; `throughput`: ended a second, in the window or the last hour; `oldest_waiting`: how long the oldest
        queued job waits, those of paused batches aside; `paused`: kinds (`*`: all); `paused_batches`. None: nothing to go
        by. Percentiles are within 5 %; what was pruned is counted.
    """
    async with pool.acquire() as connection:
        whole, *kinds = await _numbers(connection, kind, window, by_kind=by_kind)
        paused = await paused_kinds(connection)
        batches = await connection.fetch("select id from rushes.batches where status = 'paused' order by id")
    whole.pop("kind")
    numbers = {**whole, "paused": paused, "paused_batches": [row["id"] for row in batches]}
    return {**numbers, "by_kind": {each.pop("kind"): each for each in kinds}} if by_kind else numbers


async def _numbers(
    connection: Connection, kind: str | None, window: timedelta | None, *, by_kind: bool
) -> list[dict[str, Any]]:
    async with connection.transaction(readonly=True):
        # What the planner knows of the table may be of yesterday, when all of it waited: never through finished rows.
        await connection.execute("set local enable_seqscan = off; set local jit = off")
        return [dict(row) for row in await connection.fetch(sql("statistics"), kind, window, by_kind)]
