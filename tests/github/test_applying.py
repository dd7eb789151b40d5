"""What deliveries do to jobs: once, in any order, however often they come."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from rushes.database import Database
from rushes.errors import IllegalTransition
from rushes.github import Applied, apply_webhook, handle_webhook
from rushes.model import JobId, WorkerId
from rushes.queue import NewJob, Queue, control
from rushes.queue.statements import sql

from .conftest import KIND, brought_to, row_of, tell
from .deliveries import SECRET, of_job, of_run, packed

RUN = 30433642


async def deliver(database: Database, event: str, payload: dict[str, Any]) -> list[Applied]:
    update = handle_webhook(*packed(event, payload), [SECRET])
    assert update is not None
    return await apply_webhook(database.pool, update)


async def linked(database: Database, queue: Queue) -> JobId:
    """A job at whose run GitHub is at work."""
    (job,) = await queue.enqueue([NewJob(KIND)])
    await tell(database, job, "processing", run_id=RUN)
    return job


async def test_a_run_ends_the_job_it_was_started_for(database: Database, queue: Queue):
    job = await linked(database, queue)
    (other,) = await queue.enqueue([NewJob(KIND)])
    await deliver(database, "workflow_run", of_run("in_progress"))
    (applied,) = await deliver(database, "workflow_run", of_run("completed", "success"))
    assert (applied.job.id, applied.changed, applied.job.status) == (job, True, "completed")
    assert (await row_of(database, other))["status"] == "queued"


async def test_a_run_that_nobody_started_here_changes_nothing(database: Database, queue: Queue):
    await linked(database, queue)
    assert await deliver(database, "workflow_run", of_run("completed", "success", run=99)) == []


async def test_a_run_of_several_jobs_ends_them_all(database: Database, queue: Queue):
    jobs = [await linked(database, queue) for _ in range(2)]
    applied = await deliver(database, "workflow_run", of_run("completed", "success"))
    assert [(one.job.id, one.job.status) for one in applied] == [(job, "completed") for job in jobs]


async def test_a_delivery_that_comes_again_is_harmless(database: Database, queue: Queue):
    job = await linked(database, queue)
    await deliver(database, "workflow_run", of_run("completed", "success"))
    before = await row_of(database, job)
    (again,) = await deliver(database, "workflow_run", of_run("completed", "success"))
    assert (again.changed, again.job.status) == (False, "completed")
    assert again.refused is not None
    assert "is completed" in again.refused
    assert await row_of(database, job) == before


async def test_a_failure_that_is_told_twice_counts_once(database: Database, queue: Queue):
    job = await linked(database, queue)
    (first,) = await deliver(database, "workflow_run", of_run("completed", "failure"))
    (again,) = await deliver(database, "workflow_run", of_run("completed", "failure"))
    assert (first.job.status, first.job.attempts) == ("retrying", 1)
    assert first.job.error == f"GitHub workflow run {RUN} of octo/videos: it failed"
    assert (again.changed, again.job.attempts) == (False, 1)
    assert again.refused == f"job {job}: attempt 1 at its workflow run {RUN} is over already"


async def test_an_old_delivery_leaves_the_next_try_alone(database: Database, queue: Queue, worker: WorkerId):
    """The job is with a worker again when the failure of its run is delivered once more."""
    job = await linked(database, queue)
    await deliver(database, "workflow_run", of_run("completed", "failure"))
    await database.pool.execute("update rushes.jobs set run_at = now()")
    await queue.tick()
    (claimed,) = await queue.claim(worker, {KIND: 1}, host="here")
    (again,) = await deliver(database, "workflow_run", of_run("completed", "failure"))
    assert not again.changed
    assert (await row_of(database, job))["token"] == claimed.lease.token


async def test_a_beginning_told_after_the_end_is_too_late(database: Database, queue: Queue):
    job = await linked(database, queue)
    await deliver(database, "workflow_run", of_run("completed", "failure"))
    (late,) = await deliver(database, "workflow_run", of_run("in_progress"))
    (late_job,) = await deliver(database, "workflow_job", of_job("completed", "failure"))
    assert (late.changed, late_job.changed) == (False, False)
    assert (await row_of(database, job))["status"] == "retrying"


async def test_a_run_started_again_may_still_do_it(database: Database, queue: Queue, worker: WorkerId):
    """ "Re-run failed jobs": the same run, one attempt more."""
    await linked(database, queue)
    await deliver(database, "workflow_run", of_run("completed", "failure"))
    (begun,) = await deliver(database, "workflow_run", of_run("in_progress", attempt=2))
    assert (begun.job.status, begun.job.attempts) == ("processing", 2)
    (late,) = await deliver(database, "workflow_run", of_run("completed", "failure", attempt=1))
    assert not late.changed
    (ended,) = await deliver(database, "workflow_run", of_run("completed", "success", attempt=2))
    assert ended.job.status == "completed"


async def test_a_run_started_again_does_not_revive_a_finished_job(database: Database, queue: Queue):
    job = await linked(database, queue)
    await database.pool.execute("update rushes.jobs set max_attempts = 1")
    await deliver(database, "workflow_run", of_run("completed", "failure"))
    (begun,) = await deliver(database, "workflow_run", of_run("in_progress", attempt=2))
    assert (begun.changed, begun.job.status) == (False, "failed")
    async with database.pool.acquire() as connection:
        await control.retry_jobs(connection, [job])
    (ended,) = await deliver(database, "workflow_run", of_run("completed", "success", attempt=2))
    assert ended.job.status == "completed"


async def test_a_run_cancelled_in_github_cancels_the_job(database: Database, queue: Queue):
    await linked(database, queue)
    (applied,) = await deliver(database, "workflow_run", of_run("completed", "cancelled"))
    assert applied.job.status == "cancelled"


async def test_a_job_cancelled_here_stays_so_whatever_its_run_comes_to(database: Database, queue: Queue):
    job = await linked(database, queue)
    async with database.pool.acquire() as connection:
        await control.cancel_jobs(connection, [job])
    (applied,) = await deliver(database, "workflow_run", of_run("completed", "success"))
    assert (applied.changed, applied.job.status) == (False, "cancelled")


async def test_an_approval_that_is_missing_is_shown_and_is_no_end(database: Database, queue: Queue):
    await linked(database, queue)
    (waits,) = await deliver(database, "workflow_run", of_run("completed", "action_required"))
    assert waits.job.status == "processing"
    assert "waits for somebody's approval" in str(waits.job.note)
    (ended,) = await deliver(database, "workflow_run", of_run("completed", "success"))
    assert ended.job.status == "completed"


async def test_jobs_of_the_workflow_show_how_far_it_is(database: Database, queue: Queue):
    await linked(database, queue)
    (applied,) = await deliver(database, "workflow_job", of_job("completed", "success", name="cut"))
    assert applied.job.note == f"GitHub workflow run {RUN} of octo/videos: cut: success"


async def test_another_run_has_no_say_while_one_is_at_it(database: Database, queue: Queue, worker: WorkerId):
    job = await brought_to(database, queue, worker, "processing")
    await tell(database, job, "processing", run_id=RUN, run_attempt=1)
    untouched = await row_of(database, job)
    with pytest.raises(IllegalTransition, match=f"in workflow run {RUN}: run {RUN + 1} has no say in it"):
        await tell(database, job, "completed", run_id=RUN + 1, run_attempt=1)
    assert await row_of(database, job) == untouched


async def test_in_whatever_order_and_however_often_the_job_ends_as_it_should(database: Database, queue: Queue):
    """Two attempts at a run, of which the second succeeds: all 24 orders, each delivery twice."""
    told = [
        of_run("in_progress"), of_run("completed", "failure"), of_run("in_progress", attempt=2),
        of_run("completed", "success", attempt=2),
    ]  # fmt: skip
    for number, order in enumerate(itertools.permutations(told)):
        (job,) = await queue.enqueue([NewJob(KIND, github_workflow_run_id=str(RUN + number))])
        for payload in order:
            payload["workflow_run"]["id"] = RUN + number
            await deliver(database, "workflow_run", payload)
            await deliver(database, "workflow_run", payload)
        row = await row_of(database, job)
        assert row["status"] == "completed"
        assert 1 <= row["attempts"] <= 2


async def test_deliveries_at_the_same_moment_count_once(database: Database, queue: Queue):
    job = await linked(database, queue)
    failure = of_run("completed", "failure")
    applied = await asyncio.gather(*(deliver(database, "workflow_run", failure) for _ in range(10)))
    assert sum(one.changed for (one,) in applied) == 1
    assert (await row_of(database, job))["attempts"] == 1


async def test_what_a_database_cannot_hold_is_left_out_of_a_name(database: Database, queue: Queue):
    await linked(database, queue)
    (applied,) = await deliver(database, "workflow_job", of_job("in_progress", name="cut\0"))
    assert applied.changed
    assert str(applied.job.note).startswith(f"GitHub workflow run {RUN} of octo/videos: cut")


async def test_the_job_of_a_run_is_found_without_looking_at_others(database: Database, queue: Queue):
    await queue.enqueue([NewJob(KIND, github_workflow_run_id=str(number)) for number in range(5000)])
    await database.pool.execute("analyze rushes.jobs")
    statement = sql("jobs_of_workflow").replace("$1", "'77'")
    plan = await database.pool.fetch(f"explain {statement}")
    assert any("using jobs_workflow" in row[0] or "on jobs_workflow" in row[0] for row in plan)
    assert not any("Seq Scan" in row[0] for row in plan)
