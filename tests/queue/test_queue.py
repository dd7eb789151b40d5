"""The queue's promises, in a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rushes.database import Database
from rushes.errors import ErrorClass
from rushes.model import Failure, JobStatus, Outcome, Produced, Retries, Verdict, WorkerId
from rushes.queue import NewJob, Queue, control, presence
from rushes.queue.reading import statistics

from .conftest import claim, done

FAILED = Failure(ErrorClass.TRANSIENT, "the network went away")


async def status(database: Database, job: int) -> str:
    return str(await database.pool.fetchval("select status from rushes.jobs where id = $1", job))


async def expire(database: Database, job: int) -> None:
    await database.pool.execute("update rushes.jobs set lease_until = now() - interval '1 s' where id = $1", job)


async def come_due(database: Database, queue: Queue) -> None:
    await database.pool.execute("update rushes.jobs set run_at = now() where status = 'retrying'")
    await queue.tick()


async def test_higher_priority_goes_first_then_the_oldest(queue: Queue, worker: WorkerId):
    low, high, low_too = await queue.enqueue([NewJob("fetch"), NewJob("fetch", priority=5), NewJob("fetch")])
    assert [one.job.id for one in await claim(queue, worker)] == [high, low, low_too]


async def test_two_workers_never_get_the_same_job(queue: Queue, worker: WorkerId):
    other = await queue.enter()
    await queue.enqueue([NewJob("fetch")] * 20)
    mine = {one.job.id for one in await claim(queue, worker, limit=12)}
    theirs = {one.job.id for one in await claim(queue, other, limit=12)}
    assert (len(mine), len(theirs), mine & theirs) == (12, 8, set())


async def test_a_worker_gets_only_the_kinds_and_slots_it_asked_for(queue: Queue, worker: WorkerId):
    await queue.enqueue([NewJob("fetch")] * 3 + [NewJob("write")] * 3 + [NewJob("other")])
    got = await queue.claim(worker, {"fetch": 2, "write": 1}, host="here")
    assert sorted(one.job.kind for one in got) == ["fetch", "fetch", "write"]


async def test_a_job_tied_to_another_host_is_left_to_it(queue: Queue, worker: WorkerId):
    await queue.enqueue([NewJob("fetch", host="elsewhere"), NewJob("fetch", host="here")])
    assert len(await claim(queue, worker)) == 1


async def test_an_outcome_counts_once(database: Database, queue: Queue, worker: WorkerId):
    await queue.enqueue([NewJob("fetch")])
    claimed = await claim(queue, worker)
    first = await queue.settle(done(claimed))
    second = await queue.settle(done(claimed))
    assert first.applied == {claimed[0].job.id: JobStatus.COMPLETED}
    assert second.stale == (claimed[0].lease,)


async def test_an_outcome_after_the_lease_was_lost_is_refused(database: Database, queue: Queue, worker: WorkerId):
    """A frozen worker wakes up when its job is somebody else's already."""
    (job,) = await queue.enqueue([NewJob("fetch")])
    frozen = await claim(queue, worker)
    await expire(database, job)
    await queue.tick()
    successor = await claim(queue, await queue.enter())
    late = await queue.settle([Outcome(frozen[0].lease, failure=FAILED)])
    assert late.stale == (frozen[0].lease,)
    assert (await queue.settle(done(successor))).stale == ()
    assert await status(database, job) == "completed"


async def test_the_same_token_of_another_process_is_refused(queue: Queue, worker: WorkerId):
    await queue.enqueue([NewJob("fetch")])
    (claimed,) = await claim(queue, worker)
    forged = type(claimed.lease)(claimed.lease.job_id, claimed.lease.token, await queue.enter())
    assert (await queue.settle([Outcome(forged, produced=Produced())])).stale == (forged,)


async def test_the_token_only_grows(database: Database, queue: Queue, worker: WorkerId):
    await queue.enqueue([NewJob("fetch")])
    tokens = []
    for _ in range(3):
        claimed = await claim(queue, worker)
        tokens.append(claimed[0].lease.token)
        await queue.release([claimed[0].lease])
    assert tokens == [1, 2, 3]


async def test_what_is_given_back_costs_no_attempt(queue: Queue, worker: WorkerId):
    await queue.enqueue([NewJob("fetch")])
    (claimed,) = await claim(queue, worker)
    await queue.release([claimed.lease])
    (again,) = await claim(queue, worker)
    assert again.job.attempts == 1


async def test_backoff_doubles_and_the_last_attempt_fails(database: Database, queue: Queue, worker: WorkerId):
    retries = Retries(max_attempts=4, base=timedelta(seconds=10), cap=timedelta(seconds=30))
    (job,) = await queue.enqueue([NewJob("fetch", retries=retries)])
    delays = []
    for _ in range(3):
        (claimed,) = await claim(queue, worker)
        await queue.settle([Outcome(claimed.lease, failure=FAILED)])
        delay = await database.pool.fetchval("select run_at - now() from rushes.jobs where id = $1", job)
        delays.append(round(delay.total_seconds()))
        await come_due(database, queue)
    (claimed,) = await claim(queue, worker)
    await queue.settle([Outcome(claimed.lease, failure=FAILED)])
    assert delays == [10, 20, 30]
    assert await status(database, job) == "failed"


async def test_a_job_that_is_due_later_is_not_claimed(database: Database, queue: Queue, worker: WorkerId):
    later = await database.pool.fetchval("select now() + interval '1 hour'")
    await queue.enqueue([NewJob("fetch", run_at=later)])
    await queue.tick()
    assert await claim(queue, worker) == []
    await come_due(database, queue)
    assert len(await claim(queue, worker)) == 1


async def test_an_expired_lease_comes_back_by_itself_and_counts(database: Database, queue: Queue, worker: WorkerId):
    (job,) = await queue.enqueue([NewJob("fetch")])
    for attempt in (1, 2, 3):
        (claimed,) = await claim(queue, worker)
        assert claimed.job.attempts == attempt
        await expire(database, job)
        await queue.tick()
    found = await queue.get(job)
    assert found is not None
    assert (found.status, found.error) == (JobStatus.FAILED, "its worker fell silent: the lease ran out 3 times")


async def test_a_dead_process_of_this_host_gives_back_at_once_uncounted(database: Database, queue: Queue):
    dead = await queue.enter()
    await queue.enqueue([NewJob("fetch")])
    await claim(queue, dead)
    await database.pool.execute("update rushes.workers set process_started = 1 where id = $1", dead)
    (again,) = await claim(queue, await queue.enter())
    assert again.job.attempts == 1


async def test_a_job_that_kills_its_process_again_and_again_is_set_aside(database: Database, queue: Queue):
    (poison,) = await queue.enqueue([NewJob("fetch")])
    for _ in range(5):
        victim = await queue.enter()
        assert len(await claim(queue, victim)) == 1
        await database.pool.execute("update rushes.workers set process_started = 1 where id = $1", victim)
    await queue.enter()
    assert await status(database, poison) == "failed"


async def test_a_heartbeat_prolongs_and_stores_progress(database: Database, queue: Queue, worker: WorkerId):
    (job,) = await queue.enqueue([NewJob("fetch")])
    (claimed,) = await claim(queue, worker)
    await database.pool.execute("update rushes.jobs set lease_until = now() + interval '1 s'")
    assert await queue.extend([(claimed.lease, 0.5, "halfway")]) == [Verdict.GO_ON]
    row = await database.pool.fetchrow("select progress, note, lease_until > now() + '30 s' as longer from rushes.jobs")
    assert row is not None
    assert tuple(row) == (0.5, "halfway", True)
    assert job == claimed.job.id


async def test_a_heartbeat_without_news_writes_nothing(database: Database, queue: Queue, worker: WorkerId):
    await queue.enqueue([NewJob("fetch")])
    (claimed,) = await claim(queue, worker)
    await queue.extend([(claimed.lease, 0.5, None)])
    before = await database.pool.fetchval("select xmin::text from rushes.jobs")
    await queue.extend([(claimed.lease, 0.5, None)])
    assert await database.pool.fetchval("select xmin::text from rushes.jobs") == before


async def test_a_cancelled_job_is_over_at_once_and_its_worker_hears_of_it(
    database: Database, queue: Queue, worker: WorkerId
):
    (job,) = await queue.enqueue([NewJob("fetch")])
    (claimed,) = await claim(queue, worker)
    async with database.pool.acquire() as connection:
        assert await control.cancel_jobs(connection, [job]) == 1
    assert await queue.extend([(claimed.lease, None, None)]) == [Verdict.CANCELLED]
    assert (await queue.settle(done([claimed]))).stale == (claimed.lease,)
    assert await status(database, job) == "cancelled"


async def test_a_permanent_failure_is_not_tried_again_but_by_hand(database: Database, queue: Queue, worker: WorkerId):
    (job,) = await queue.enqueue([NewJob("fetch")])
    (claimed,) = await claim(queue, worker)
    await queue.settle([Outcome(claimed.lease, failure=Failure(ErrorClass.PERMANENT, "gone"))])
    assert await status(database, job) == "failed"
    async with database.pool.acquire() as connection:
        assert await control.retry_jobs(connection, [job]) == 1
    (again,) = await claim(queue, worker)
    assert (again.job.id, again.job.attempts, again.job.error) == (job, 1, None)


async def test_a_host_that_asks_for_rest_rests_for_all_its_jobs(database: Database, queue: Queue, worker: WorkerId):
    await queue.enqueue([NewJob("fetch", lane="a.example")] * 3 + [NewJob("fetch", lane="b.example")])
    (claimed,) = await claim(queue, worker, limit=1)
    slow_down = Failure(ErrorClass.RATE_LIMITED, "429", retry_after=timedelta(minutes=5))
    await queue.settle([Outcome(claimed.lease, failure=slow_down)])
    await queue.enqueue([NewJob("fetch", lane="a.example")])
    await queue.tick()
    got = await claim(queue, worker)
    rows = await database.pool.fetch(
        "select attempts, run_at > now() + '4 min' as far from rushes.jobs where lane = 'a.example'"
    )
    assert len(got) == 1
    assert {tuple(row) for row in rows} == {(0, True)}


@pytest.mark.parametrize("kind", ["*", "fetch"])
async def test_a_pause_is_stored_and_every_claim_looks(database: Database, queue: Queue, worker: WorkerId, kind: str):
    await queue.enqueue([NewJob("fetch")])
    async with database.pool.acquire() as connection:
        await control.pause(connection, kind)
        assert await claim(queue, worker) == []
        await control.resume(connection, kind)
    assert len(await claim(queue, worker)) == 1


async def test_statistics_are_a_recount(database: Database, queue: Queue, worker: WorkerId):
    await queue.enqueue([NewJob("fetch")] * 6)
    claimed = await claim(queue, worker, limit=5)
    await queue.settle(done(claimed[:3]))
    await queue.settle([Outcome(claimed[3].lease, failure=Failure(ErrorClass.PERMANENT, "gone"))])
    numbers = await statistics(database.pool, "fetch")
    counts = {
        name: numbers[name] for name in ("total_jobs", "queued", "processing", "completed", "failed", "queue_length")
    }
    assert counts == {"total_jobs": 6, "queued": 1, "processing": 1, "completed": 3, "failed": 1, "queue_length": 1}
    assert numbers["success_rate"] == 75.0


@pytest.mark.parametrize(
    ("boot", "dead"), [("other/{boot}/{room}", 0), ("{machine}/{boot}/other", 0), ("{machine}/x/y", 1)]
)
async def test_only_a_process_of_this_machine_is_taken_for_dead(database: Database, queue: Queue, boot: str, dead: int):
    """Other machines may bear this one's name, and containers may share it."""
    worker = await queue.enter()
    machine, own_boot, room = presence._boot().split("/")
    await database.pool.execute(
        "update rushes.workers set process_started = 1, boot = $1",
        boot.format(machine=machine, boot=own_boot, room=room),
    )
    async with database.pool.acquire() as connection:
        assert len(await presence.find_dead(connection)) == dead
    assert worker


async def test_no_host_can_ask_for_more_than_a_day_of_rest(database: Database, queue: Queue, worker: WorkerId):
    await queue.enqueue([NewJob("fetch", lane="a.example")] * 2)
    claimed, other = await claim(queue, worker, limit=2)
    await queue.release([other.lease])
    ten_years = Failure(ErrorClass.RATE_LIMITED, "429", retry_after=timedelta(days=3650))
    await queue.settle([Outcome(claimed.lease, failure=ten_years)])
    latest = "select max(run_at) <= now() + interval '1 day' from rushes.jobs"
    assert await database.pool.fetchval(latest)
