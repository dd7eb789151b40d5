"""Jobs on their way into the queue and out of it, and how their rows are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from rushes.errors import ErrorClass
from rushes.model import JSON, BatchId, ItemId, Job, JobId, JobStatus, Lease, Retries, WorkerId, light

if TYPE_CHECKING:
    from asyncpg import Record


NO_PAYLOAD: JSON = {}
RETRIES = Retries()


class NewJob(NamedTuple):
    """A job to enqueue. `priority` is 0 to 10, higher first; `lane` is the host whose limits it shares.

    A named tuple, because programs make them by the million: it is made in less than half the time of a frozen dataclass,
    and a list of them turns into columns without a loop.
    """

    kind: str
    priority: int = 0
    payload: JSON = NO_PAYLOAD
    batch_id: BatchId | None = None
    item_id: ItemId | None = None
    step: int | None = None
    video_id: str | None = None
    lane: str | None = None
    host: str | None = None
    retries: Retries = RETRIES
    timeout: timedelta | None = None
    run_at: datetime | None = None
    dedup_key: str | None = None
    """While a job of this key lives, no other is added."""
    github_workflow_run_id: str | None = None


@light
class Claimed:
    """A job and the lease under which it may run."""

    job: Job
    lease: Lease
    timeout: timedelta | None


def read_job(row: Record | Mapping[str, Any]) -> Job:
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
        error_details=row["error_details"],
        dedup_key=row["dedup_key"],
        github_workflow_run_id=row["github_workflow_run_id"],
        value=(row["result"] or {}).get("value"),
    )


def read_claimed(row: Record, worker: WorkerId) -> Claimed:
    """A job from a row of `claim.sql` or `claim_lanes.sql`. Columns by their order: by name it takes twice as long."""
    (
        number, token, kind, priority, attempts, max_attempts, payload, created_at, started_at, batch_id, item_id, step,
        video_id, dedup_key, github_workflow_run_id, timeout,
    ) = row  # fmt: skip
    job = Job(
        number, kind, JobStatus.PROCESSING, priority, attempts, max_attempts, payload, created_at, batch_id, item_id, step,
        video_id, started_at=started_at, dedup_key=dedup_key, github_workflow_run_id=github_workflow_run_id,
    )  # fmt: skip
    return Claimed(job, Lease(number, token, worker, alone=batch_id is None), timeout)


def _batch(value: int | None) -> BatchId | None:
    return None if value is None else BatchId(value)


def _item(value: int | None) -> ItemId | None:
    return None if value is None else ItemId(value)
