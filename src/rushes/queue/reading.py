"""Looking at the queue: jobs by filter, one job, and statistics by one formula, in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rushes.model import BatchId, Job, JobId
from rushes.queue.control import paused_kinds
from rushes.queue.jobs import read_job
from rushes.queue.statements import sql

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs. None: all."""

    status: str | None = None
    kind: str | None = None
    error_class: str | None = None
    batch: BatchId | None = None
    older_than: timedelta | None = None


async def list_jobs(
    pool: asyncpg.Pool[asyncpg.Record], wanted: Filter, *, limit: int = 50, before: JobId | None = None
) -> list[Job]:
    """Jobs, newest first; `before` continues a list."""
    rows = await pool.fetch(
        sql("list_jobs"), wanted.status, wanted.kind, wanted.error_class, wanted.batch, wanted.older_than, before, limit
    )
    return [read_job(row) for row in rows]


async def show_job(pool: asyncpg.Pool[asyncpg.Record], job: JobId) -> dict[str, Any] | None:
    """Everything about one job: its row, and what its item points at."""
    row = await pool.fetchrow(sql("show_job"), job)
    return dict(row) if row else None


async def statistics(pool: asyncpg.Pool[asyncpg.Record], kind: str | None = None) -> dict[str, Any]:
    """The queue in numbers, of one kind of jobs or all: counts by status, per cent of success, times in seconds."""
    async with pool.acquire() as connection:
        row = await connection.fetchrow(sql("statistics"), kind)
        paused = await paused_kinds(connection)
    assert row is not None  # noqa: S101  (aggregates always give a row)
    return {**dict(row), "paused": paused}
