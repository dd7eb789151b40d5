"""Upkeep inside the workers' own cadence: what is due becomes ready, what is lost comes back, what must rest moves aside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rushes.errors import ErrorClass
from rushes.model import Failure, JobId, Lease, Outcome, WorkerId
from rushes.queue.settlement import settle
from rushes.queue.statements import sql
from rushes.queue.suspects import Held, Judged, judge

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

STEP = 1000
"""Rows one statement touches at most, so that upkeep never holds locks for long."""


async def promote(connection: Connection) -> list[JobId]:
    """Make due jobs ready. Returns them."""
    return [JobId(row["id"]) for row in await connection.fetch(sql("promote"), STEP)]


async def return_expired(connection: Connection) -> int:
    """Give back jobs whose worker fell silent: an attempt is counted, and the last one fails the job. Returns how many."""
    async with connection.transaction():
        jobs = [Held(*row) for row in await connection.fetch(sql("expired"), STEP)]
        reason = "its worker fell silent: the lease ran out {attempts} times"
        return await _give_back(connection, judge(jobs, "lost", lambda job: job.attempts), reason)


async def return_orphaned(connection: Connection, dead: Sequence[WorkerId]) -> int:
    """Give back at once, uncounted, the jobs of processes of this host that are known to be dead. Returns how many."""
    async with connection.transaction():
        jobs = [Held(*row) for row in await connection.fetch(sql("orphaned"), dead)]
        reason = "the process that ran it died again and again"
        count = await _give_back(connection, judge(jobs, "orphaned", lambda job: job.crashes), reason)
        await connection.execute("update rushes.workers set stopped_at = now() where id = any($1::bigint[])", dead)
    return count


async def _give_back(connection: Connection, judged: Iterable[Judged], reason: str) -> int:
    outcomes, verdicts = [], []
    for job, verdict, pause in judged:
        lease = Lease(JobId(job.id), job.token, WorkerId(job.worker_id))
        failure = Failure(ErrorClass.BUG, reason.format(attempts=job.attempts), retry_after=pause)
        outcomes.append(Outcome(lease, failure=failure))
        verdicts.append(verdict)
    settled = await settle(connection, outcomes, verdicts)
    return len(settled.applied)
