"""Jobs for which a run of a workflow is about to be started: who may start one, and which run was the last.

Two that start a run for the same job at once would do its work twice, so the row decides, under its lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from rushes.errors import IllegalTransition, UsageError
from rushes.model import JobId, JobStatus
from rushes.queue import control
from rushes.queue.statements import sql
from rushes.queue.workflows import WORKFLOW, take_over

if TYPE_CHECKING:
    from asyncpg import Record

    from rushes.queue.connection import Connection

STARTING = timedelta(minutes=10)
"""How long a job waits for its run to be started, before it comes back: whoever was at it must have died."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job that a run may be started for."""

    run_id: str | None
    """Its last run, unless that is known to be over."""
    by_worker: bool
    """A worker holds the job and waits for the run; else it belongs to the workflow."""
    started: bool = False
    """That run has the job: no other may be started."""


async def hold_for_run(connection: Connection, job_id: JobId) -> Held:
    """Take a waiting job over, so that no worker starts it; leave one with the worker that runs it.

    Raises:
        UsageError: there is no such job.
        IllegalTransition: it is finished or paused, or somebody else is starting a run for it.
    """
    async with connection.transaction():
        row = await connection.fetchrow(sql("workflow_job"), job_id)
        if row is None:
            raise UsageError(f"there is no job {job_id}", remedy="`rushes queue list` shows those there are")
        status, last = row["status"], None if row["github_attempts_over"] else row["github_workflow_run_id"]
        if status in (JobStatus.QUEUED, JobStatus.RETRYING):
            await _refuse_paused(connection, row)
            await take_over(connection, row, "starting a GitHub workflow", STARTING)
            return Held(last, by_worker=False)
    if status != JobStatus.PROCESSING:
        raise IllegalTransition(f"job {job_id} is {status}: no workflow is started for a finished job")
    if row["worker_id"] == WORKFLOW and last is None:
        raise IllegalTransition(f"job {job_id} is processing: somebody else is starting a workflow for it")
    mine = row["worker_id"] != WORKFLOW
    return Held(last, by_worker=mine, started=not mine)


async def _refuse_paused(connection: Connection, row: Record) -> None:
    """What is paused starts nowhere."""
    if row["held"]:
        resume = f"`rushes batch resume {row['batch_id']}` lets it go on"
        raise IllegalTransition(f"job {row['id']} waits: its batch {row['batch_id']} is paused", remedy=resume)
    paused = {control.WHOLE_QUEUE, row["kind"]}.intersection(await control.paused_kinds(connection))
    if paused:
        what = "the whole queue is" if control.WHOLE_QUEUE in paused else f"jobs of the kind {row['kind']} are"
        raise IllegalTransition(f"job {row['id']} waits: {what} paused", remedy="`rushes queue resume` lets it go on")


async def end_attempt(connection: Connection, job_id: JobId, run_id: str, attempt: int) -> None:
    """An attempt at a job's run is over and known here: what webhooks tell of it later changes nothing."""
    await connection.execute(sql("end_workflow_attempt"), job_id, run_id, attempt)
