"""What a GitHub workflow says of a job: which statuses it may ask for, and how they are written.

A workflow is a worker without a process. It takes the job over under a fresh token, which shuts out whoever was at it, and
its outcome goes through the ordinary settlement: next stage, counters and events follow as for any other. All of it is one
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING

from rushes.database import storable
from rushes.errors import ErrorClass, IllegalTransition, UsageError
from rushes.model import Failure, Job, JobId, JobStatus, Lease, Outcome, Produced, WorkerId
from rushes.queue import control
from rushes.queue.doorbell import CHANNEL
from rushes.queue.jobs import read_job
from rushes.queue.settlement import settle
from rushes.queue.statements import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from rushes.queue.connection import Connection

WORKFLOW = WorkerId(0)
"""Who holds a job that a workflow has taken over. Processes count from 1."""

LEASE = timedelta(hours=6)
"""How long a job stays with a workflow that says nothing more, unless the job has a timeout of its own: the longest that
GitHub lets a job of a workflow run on its own machines. A lease that ran out comes back as a worker's does."""


class _Act(Enum):
    """What becomes of a job when a workflow asks for a status."""

    NOTE = auto()
    TAKE = auto()
    COMPLETE = auto()
    FAIL = auto()
    GIVE_BACK = auto()
    CANCEL = auto()


_QUEUED, _PROCESSING, _RETRYING = JobStatus.QUEUED, JobStatus.PROCESSING, JobStatus.RETRYING

TRANSITIONS: dict[JobStatus, dict[JobStatus, _Act]] = {
    JobStatus.QUEUED: {_QUEUED: _Act.NOTE, _PROCESSING: _Act.GIVE_BACK, _RETRYING: _Act.GIVE_BACK},
    JobStatus.PROCESSING: {_QUEUED: _Act.TAKE, _PROCESSING: _Act.NOTE, _RETRYING: _Act.TAKE},
    JobStatus.RETRYING: {_QUEUED: _Act.FAIL, _PROCESSING: _Act.FAIL, _RETRYING: _Act.NOTE},
    JobStatus.COMPLETED: {_QUEUED: _Act.COMPLETE, _PROCESSING: _Act.COMPLETE, _RETRYING: _Act.COMPLETE},
    JobStatus.FAILED: {_QUEUED: _Act.FAIL, _PROCESSING: _Act.FAIL, _RETRYING: _Act.FAIL},
    JobStatus.CANCELLED: {_QUEUED: _Act.CANCEL, _PROCESSING: _Act.CANCEL, _RETRYING: _Act.CANCEL},
}
"""For each status that may be asked for: what it does to a job, by the status that the job has. What is not here is
refused."""

_ENDS = (_Act.COMPLETE, _Act.FAIL, _Act.CANCEL)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a workflow, as GitHub counts it: re-running it keeps the id and adds an attempt (from 1)."""

    id: str
    attempt: int | None = None


async def update_job_from_workflow(
    connection: Connection,
    job_id: JobId,
    status: str,
    *,
    error: str | None = None,
    run_id: str | int | None = None,
    run_attempt: int | None = None,
) -> Job | None:
    """Write what a workflow says of a job. Returns the job as it is then, or None if there is none of that number.

    `completed` and `cancelled` end the job. `failed` is a failed attempt, by the rule for all: with attempts left the job
    is `retrying` for its backoff, else `failed`; `retrying` is the same, and refused without attempts left. `processing`
    takes a waiting job over, so that no worker starts it, for its timeout or else six hours; of one that runs already it
    is only noted. `queued` gives the job back to the workers, uncounted.

    `error` is why it failed, or with `processing` what it does now. With `run_id` the job remembers the run, and another
    run is refused while that one is at it. With `run_attempt` an attempt at a run can end only once, however often it is
    told.

    Raises:
        IllegalTransition: the job is finished, or has no attempt left for `retrying`, or that attempt at the run is over,
            or another run is at it. Nothing has changed.
        UsageError: there is no such status.
    """
    asked = _status(status)
    run = None if run_id is None else Run(storable(str(run_id)), run_attempt)
    async with connection.transaction():
        row = await _lock(connection, job_id, alone=asked is JobStatus.CANCELLED)
        if row is None:
            return None
        act = _act(row, asked, run)
        if run:
            await connection.execute(sql("link_workflow"), job_id, run.id, _attempts_over(row, run, act))
        await _do(connection, row, act, storable(error or _words(run, asked)))
        after = await connection.fetchrow(sql("workflow_job"), job_id)
    assert after is not None
    if act in (_Act.COMPLETE, _Act.GIVE_BACK):
        await _ring(connection)
    return read_job(after)


async def take_over(connection: Connection, row: Record, words: str, lease: timedelta) -> int:
    """Give a locked job that lives to a workflow, and its item with it. Returns the token."""
    token: int = await connection.fetchval(sql("take_over"), row["id"], WORKFLOW, lease, words)
    if row["item_id"]:
        # In the order of every settlement: items, videos, batches.
        for statement in ("lock_items", "lock_videos", "start"):
            await connection.execute(sql(statement), [row["item_id"]])
    return token


def _status(text: str) -> JobStatus:
    try:
        return JobStatus(text)
    except ValueError:
        raise UsageError(f"there is no status {text!r}; wanted one of {', '.join(JobStatus)}") from None


async def _lock(connection: Connection, job_id: JobId, *, alone: bool) -> Record | None:
    """The job's row, locked. Cancelling takes its batch's advisory lock, which comes before any row's."""
    if alone:
        batch = await connection.fetchval("select batch_id from rushes.jobs where id = $1", job_id)
        await control.alone(connection, [] if batch is None else [batch])
    return await connection.fetchrow(sql("workflow_job"), job_id)


def _act(row: Record, asked: JobStatus, run: Run | None) -> _Act:
    """What to do. Raises: IllegalTransition."""
    job = f"job {row['id']}"
    act = TRANSITIONS[asked].get(JobStatus(row["status"]))
    if act is None:
        raise IllegalTransition(
            f"{job} is {row['status']}: a finished job cannot become {asked} from a workflow",
            remedy=None if row["status"] == JobStatus.COMPLETED else f"`rushes queue retry {row['id']}` runs it again",
        )
    if asked is JobStatus.RETRYING and act is _Act.FAIL and _attempts(row) >= row["max_attempts"]:
        raise IllegalTransition(
            f"{job} is {row['status']} with all {row['max_attempts']} attempts used: it cannot become retrying, only failed"
        )
    if run:
        _check_run(row, run)
    return act


def _attempts(row: Record) -> int:
    """Attempts including the one that the workflow is."""
    return int(row["attempts"] + (row["status"] != JobStatus.PROCESSING))


def _check_run(row: Record, run: Run) -> None:
    known, over = row["github_workflow_run_id"], row["github_attempts_over"] or 0
    if run.id == known and run.attempt is not None and run.attempt <= over:
        raise IllegalTransition(f"job {row['id']}: attempt {run.attempt} at its workflow run {run.id} is over already")
    if run.id != known and known is not None and row["status"] == JobStatus.PROCESSING and not over:
        raise IllegalTransition(f"job {row['id']} is at work in workflow run {known}: run {run.id} has no say in it")


def _attempts_over(row: Record, run: Run, act: _Act) -> int | None:
    """How many attempts at this run are over after this. One that begins ends those before it."""
    before = row["github_attempts_over"] if run.id == row["github_workflow_run_id"] else None
    if run.attempt is None:
        return before
    return max(before or 0, run.attempt if act in _ENDS else run.attempt - 1)


async def _do(connection: Connection, row: Record, act: _Act, words: str) -> None:
    if act is _Act.CANCEL:
        await control.cancel_jobs(connection, [row["id"]])
    elif act is _Act.NOTE:
        await connection.execute(sql("follow_workflow"), row["id"], WORKFLOW, row["timeout"] or LEASE, words)
    else:
        token = await take_over(connection, row, words, row["timeout"] or LEASE)
        if act is not _Act.TAKE:
            await settle(connection, [_outcome(Lease(JobId(row["id"]), token, WORKFLOW), act, words)])


def _outcome(lease: Lease, act: _Act, words: str) -> Outcome:
    if act is _Act.COMPLETE:
        return Outcome(lease, produced=Produced(notes=(words,)))
    if act is _Act.FAIL:
        return Outcome(lease, failure=Failure(ErrorClass.TRANSIENT, words))
    return Outcome(lease)


def _words(run: Run | None, asked: JobStatus) -> str:
    if run is None:
        return f"GitHub workflow: {asked}"
    attempt = f", attempt {run.attempt}" if run.attempt and run.attempt > 1 else ""
    return f"GitHub workflow run {run.id}{attempt}: {asked}"


async def _ring(connection: Connection) -> None:
    """What became ready is told at once, unless the caller's own transaction still holds it."""
    if not connection.is_in_transaction():
        await connection.execute("select pg_notify($1, '')", CHANNEL)
