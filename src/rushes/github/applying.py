"""Webhooks reach the jobs that their runs were started for. A delivery that comes twice, or too late, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rushes.errors import IllegalTransition
from rushes.github.place import Connected, on_pool
from rushes.github.webhook import WebhookUpdate
from rushes.model import Job, JobId
from rushes.queue.jobs import read_job
from rushes.queue.statements import sql
from rushes.queue.workflows import update_job_from_workflow

if TYPE_CHECKING:
    from rushes.github.place import Pool
    from rushes.queue.connection import Connection


@dataclass(frozen=True, slots=True)
class Applied:
    """What a delivery did to one job."""

    job: Job
    """As it is now."""
    changed: bool
    refused: str | None = None
    """Why nothing changed: the job is finished, or that attempt at its run was over already."""


async def apply_webhook(place: Pool | Connected, update: WebhookUpdate) -> list[Applied]:
    """Write what a delivery says to each job of its run; an empty list: no job knows that run.

    Delivered again, or out of order, it is harmless: see `Applied.refused`. A run started again in GitHub has the same
    number and a higher attempt, and may still complete a job that waits for its next try.

    Args:
        place: a `rushes.connect()`, or an asyncpg pool of the queue's database.
        update: from `handle_webhook`.
    """

    async def write(pool: Pool) -> list[Applied]:
        async with pool.acquire() as connection:
            rows = await connection.fetch(sql("jobs_of_workflow"), update.run_id)
            applied = [await _apply(connection, JobId(row["id"]), update) for row in rows]
        return [one for one in applied if one]

    return await on_pool(place, write)


async def _apply(connection: Connection, job_id: JobId, update: WebhookUpdate) -> Applied | None:
    words = f"GitHub workflow run {update.run_id} of {update.repository}: {update.words or update.status}"
    try:
        job = await update_job_from_workflow(
            connection, job_id, update.status, error=words, run_id=update.run_id, run_attempt=update.run_attempt
        )
    except IllegalTransition as error:
        row = await connection.fetchrow("select * from rushes.jobs where id = $1", job_id)
        return Applied(read_job(row), changed=False, refused=error.reason) if row else None
    return Applied(job, changed=True) if job else None
