"""What a workflow may say of a job in which status, one by one, and what becomes of the job."""

from __future__ import annotations

import itertools

import pytest

from rushes.database import Database
from rushes.errors import IllegalTransition, UsageError
from rushes.model import JobStatus, Outcome, Produced, Verdict, WorkerId
from rushes.queue import NewJob, Queue

from .conftest import KIND, brought_to, row_of, tell

LIVE = ("queued", "processing", "retrying")
FINISHED = ("completed", "failed", "cancelled")
BECOMES = {
    "queued": "queued",
    "processing": "processing",
    "retrying": "retrying",
    "completed": "completed",
    "failed": "retrying",  # the first of three attempts
    "cancelled": "cancelled",
}


def test_every_status_is_spoken_of():
    assert set(LIVE) | set(FINISHED) == set(JobStatus) == set(BECOMES)


@pytest.mark.parametrize(("before", "asked"), list(itertools.product(LIVE, BECOMES)))
async def test_a_live_job_becomes_what_the_workflow_says(
    database: Database, queue: Queue, worker: WorkerId, before: str, asked: str
):
    job = await brought_to(database, queue, worker, before)
    told = await tell(database, job, asked)
    assert told is not None
    assert (told.status, (await row_of(database, job))["status"]) == (BECOMES[asked], BECOMES[asked])


@pytest.mark.parametrize(("before", "asked"), list(itertools.product(FINISHED, BECOMES)))
async def test_a_finished_job_refuses_and_stays_as_it_was(
    database: Database, queue: Queue, worker: WorkerId, before: str, asked: str
):
    job = await brought_to(database, queue, worker, before)
    untouched = await row_of(database, job)
    with pytest.raises(IllegalTransition, match=f"job {job} is {before}: .* cannot become {asked}"):
        await tell(database, job, asked, run_id=77, run_attempt=1)
    assert await row_of(database, job) == untouched


@pytest.mark.parametrize("asked", ["queued", "retrying", "completed", "failed", "cancelled"])
async def test_whoever_was_at_it_can_no_longer_write(database: Database, queue: Queue, worker: WorkerId, asked: str):
    await queue.enqueue([NewJob(KIND)])
    (claimed,) = await queue.claim(worker, {KIND: 1}, host="here")
    await tell(database, claimed.job.id, asked)
    told = await row_of(database, claimed.job.id)
    late = await queue.settle([Outcome(claimed.lease, produced=Produced())])
    assert late.stale == (claimed.lease,)
    assert await row_of(database, claimed.job.id) == told
    assert await queue.extend([(claimed.lease, None, None)]) != [Verdict.GO_ON]


async def test_a_job_whose_workflow_has_begun_is_started_by_no_worker(
    database: Database, queue: Queue, worker: WorkerId
):
    job = await brought_to(database, queue, worker, "queued")
    await tell(database, job, "processing", run_id=5)
    assert await queue.claim(worker, {KIND: 1}, host="here") == []
    await queue.tick()
    row = await row_of(database, job)
    assert (row["status"], row["attempts"], row["note"]) == ("processing", 1, "GitHub workflow run 5: processing")


async def test_a_workflow_that_is_waited_for_leaves_the_job_with_its_worker(
    database: Database, queue: Queue, worker: WorkerId
):
    await queue.enqueue([NewJob(KIND)])
    (claimed,) = await queue.claim(worker, {KIND: 1}, host="here")
    await tell(database, claimed.job.id, "processing", run_id=5)
    assert (await queue.settle([Outcome(claimed.lease, produced=Produced())])).stale == ()


async def test_a_workflow_that_falls_silent_gives_the_job_back(database: Database, queue: Queue, worker: WorkerId):
    job = await brought_to(database, queue, worker, "queued")
    await tell(database, job, "processing", run_id=5)
    lease = await database.pool.fetchval("select lease_until - now() from rushes.jobs where id = $1", job)
    assert 5.9 < lease.total_seconds() / 3600 <= 6
    await database.pool.execute("update rushes.jobs set lease_until = now() - interval '1 s'")
    await queue.tick()
    (claimed,) = await queue.claim(worker, {KIND: 1}, host="here")
    assert claimed.job.attempts == 2


async def test_each_word_of_a_workflow_prolongs_its_lease(database: Database, queue: Queue, worker: WorkerId):
    job = await brought_to(database, queue, worker, "queued")
    await tell(database, job, "processing")
    await database.pool.execute("update rushes.jobs set lease_until = now() + interval '1 s'")
    await tell(database, job, "processing")
    assert await database.pool.fetchval("select lease_until > now() + interval '5 h' from rushes.jobs")


async def test_failures_follow_the_rule_of_attempts(database: Database, queue: Queue, worker: WorkerId):
    job = await brought_to(database, queue, worker, "queued")
    seen = []
    for _ in range(3):
        told = await tell(database, job, "failed", error="exit code 1")
        assert told is not None
        wait = await database.pool.fetchval("select round(extract(epoch from run_at - now())) from rushes.jobs")
        seen.append((told.status, told.attempts, told.error, wait))
        if told.status == "retrying":
            assert await tell(database, job, "processing")
    assert seen == [
        ("retrying", 1, "exit code 1", 1),
        ("retrying", 2, "exit code 1", 2),
        ("failed", 3, "exit code 1", None),
    ]


async def test_retrying_is_refused_without_an_attempt_left(database: Database, queue: Queue, worker: WorkerId):
    job = await brought_to(database, queue, worker, "queued")
    await database.pool.execute("update rushes.jobs set attempts = 2")
    await tell(database, job, "processing")
    with pytest.raises(IllegalTransition, match="all 3 attempts used: it cannot become retrying, only failed"):
        await tell(database, job, "retrying")


@pytest.mark.parametrize("before", ["processing", "retrying"])
async def test_what_a_workflow_gives_back_costs_no_attempt(
    database: Database, queue: Queue, worker: WorkerId, before: str
):
    job = await brought_to(database, queue, worker, before)
    before_it = (await row_of(database, job))["attempts"] - (before == "processing")
    told = await tell(database, job, "queued")
    assert told is not None
    assert told.attempts == before_it
    assert len(await queue.claim(worker, {KIND: 1}, host="here")) == 1


async def test_an_unknown_status_names_those_there_are(database: Database, queue: Queue, worker: WorkerId):
    job = await brought_to(database, queue, worker, "queued")
    with pytest.raises(UsageError, match="no status 'success'; wanted one of queued, processing"):
        await tell(database, job, "success")


async def test_a_job_that_is_not_there_is_none(database: Database):
    assert await tell(database, 404, "completed") is None
