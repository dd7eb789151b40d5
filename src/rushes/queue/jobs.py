"""Jobs on their way into the queue and out of it, and how their rows are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rushes.errors import ErrorClass
from rushes.model import JSON, BatchId, ItemId, Job, JobId, JobStatus, Lease, Retries, WorkerId

if TYPE_CHECKING:
    from asyncpg import Record


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to enqueue. `priority` is 0 to 10, higher first; `lane` is the host whose limits it shares."""

    kind: str
    priority: int = 0
    payload: JSON = field(default_factory=dict)
    batch_id: BatchId | None = None
    item_id: ItemId | None = None
    step: int | None = None
    video_id: str | None = None
    lane: str | None = None
    host: str | None = None
    retries: Retries = field(default_factory=Retries)
    timeout: timedelta | None = None
    run_at: datetime | None = None

    def row(self) -> tuple[Any, ...]:
        """Its values in the order of `enqueue.sql`."""
        return (
            self.kind, self.priority, self.payload, self.batch_id, self.item_id, self.step, self.video_id, self.lane,
            self.host, self.retries.max_attempts, self.retries.base, self.retries.cap, self.retries.jitter,
            self.timeout, self.run_at,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job and the lease under which it may run."""

    job: Job
    lease: Lease
    timeout: timedelta | None


def read_job(row: Record) -> Job:
    """A job from a row of `rushes.jobs`."""
    return Job(
        id=JobId(row["id"]),
        kind=row["kind"],
        status=JobStatus(row["status"]),
        priority=row["priority"],
        attempts=row["attempts"],
        max_attempts=row["max_attempts"],
        payload=row["payload"],
        created_at=row["created_at"],
        batch_id=_batch(row["batch_id"]),
        item_id=_item(row["item_id"]),
        step=row["step"],
        video_id=row["video_id"],
        error_class=ErrorClass(row["error_class"]) if row["error_class"] else None,
        error=row["error"],
        progress=row["progress"],
        note=row["note"],
        run_at=row["run_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )


def read_claimed(row: Record) -> Claimed:
    lease = Lease(job_id=JobId(row["id"]), token=row["token"], worker_id=WorkerId(row["worker_id"]))
    return Claimed(job=read_job(row), lease=lease, timeout=row["timeout"])


def _batch(value: int | None) -> BatchId | None:
    return None if value is None else BatchId(value)


def _item(value: int | None) -> ItemId | None:
    return None if value is None else ItemId(value)
