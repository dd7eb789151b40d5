"""What the state machines found once, each by itself, so that it stays found."""

from __future__ import annotations

import asyncio

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import Valid
from rushes.database import Database
from rushes.errors import ErrorClass
from rushes.model import BatchId, Failure, JobId, NewItem, Outcome, Plan, Produced, Source, Step, VideoKey
from rushes.queue import NewJob, Queue, control

from .recount import disagreements
from .world import World


def test_a_job_whose_key_lives_again_stays_ended(world: World):
    (first,) = world.run(world.queue.enqueue([NewJob("alpha", dedup_key="one")]))
    world.control(control.cancel_jobs, [first])
    (second,) = world.run(world.queue.enqueue([NewJob("alpha", dedup_key="one")]))
    assert world.control(control.retry_jobs, [first]) == 0
    world.control(control.cancel_jobs, [second])
    assert world.control(control.retry_jobs, [first, second]) == 1
    rows = world.fetch("select id, status from rushes.jobs order by id")
    assert list(map(tuple, rows)) == [(first, "cancelled"), (second, "queued")]


def test_an_outcome_that_is_too_late_is_refused_beside_the_one_that_counts(world: World):
    """Both in one settlement: the late one is named as stale, and nothing of it is written."""
    one, two = (world.run(world.queue.enter()) for _ in range(2))
    world.run(world.queue.enqueue([NewJob("alpha")]))
    (early,) = world.run(world.queue.claim(one, {"alpha": 1}, host="here"))
    world.execute("update rushes.jobs set lease_until = now() - interval '1 second'")
    world.run(world.queue.tick())
    (now,) = world.run(world.queue.claim(two, {"alpha": 1}, host="here"))
    late = Outcome(early.lease, failure=Failure(ErrorClass.PERMANENT, "too late"))
    settled = world.run(world.queue.settle([Outcome(now.lease, produced=Produced(value="made")), late]))
    assert (settled.applied, settled.stale) == ({now.job.id: "completed"}, (early.lease,))
    (row,) = world.fetch("select status, error, result is not null as made from rushes.jobs")
    assert tuple(row) == ("completed", None, True)


PLAN = Plan("alpha+beta", (Step("alpha"), Step("beta")))


def new_item(n: int) -> NewItem:
    return NewItem(Source(VideoKey(f"url:{n}"), f"https://example.org/{n}"), f"line {n}")


async def batch_of(database: Database, count: int) -> BatchId:
    lines = [Valid(n, new_item(n)) for n in range(1, count + 1)]
    return (await open_batch(database.pool, Order("test", PLAN), lines)).id


async def blocked(database: Database, count: int) -> None:
    """Wait until so many sessions wait for a lock."""
    while await database.pool.fetchval("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") < count:
        await asyncio.sleep(0.01)


async def test_a_batch_that_goes_on_while_it_is_cancelled_leaves_no_job_of_a_cancelled_item(database: Database):
    """Its cancellation has missed a next stage, and before it looks again somebody retries another item."""
    batch = await batch_of(database, 2)
    async with database.pool.acquire() as held, database.pool.acquire() as person, database.pool.acquire() as other:
        holding = held.transaction()
        await holding.start()
        await held.execute("select id from rushes.items for update")  # the cancellation waits here, past the jobs
        cancelling = asyncio.create_task(control.cancel_batch(person, batch))
        await blocked(database, 1)
        await held.execute(
            "insert into rushes.jobs (kind, batch_id, item_id, step) select 'beta', batch_id, id, 1 from rushes.items"
            " where id = 1"
        )
        # In the queue behind the first transaction of the cancellation, and before the second.
        retrying = asyncio.create_task(control.retry_jobs(other, [JobId(2)]))
        await blocked(database, 2)
        await holding.commit()
        await asyncio.gather(cancelling, retrying)
    assert await disagreements(database.pool) == []


async def test_what_a_stage_found_for_a_cancelled_item_joins_nothing(database: Database):
    """A job that the cancellation has missed so far is settled before it looks again."""
    queue = Queue(database.pool)
    worker = await queue.enter()
    batch = await batch_of(database, 1)
    async with database.pool.acquire() as connection:
        await control.cancel_batch(connection, batch)
    await database.pool.execute(
        "insert into rushes.jobs (kind, batch_id, item_id, step) values ('alpha', $1, 1, 0)", batch
    )
    (missed,) = await queue.claim(worker, {"alpha": 1}, host="here")
    await queue.settle([Outcome(missed.lease, produced=Produced(items=(new_item(8), new_item(9))))])
    assert await disagreements(database.pool) == []


async def test_a_cancelled_item_has_no_next_stage(database: Database):
    queue = Queue(database.pool)
    worker = await queue.enter()
    await batch_of(database, 2)
    async with database.pool.acquire() as connection:
        await control.cancel_jobs(connection, [1])
    await database.pool.execute("insert into rushes.jobs (kind, batch_id, item_id, step) values ('alpha', 1, 1, 0)")
    claimed = await queue.claim(worker, {"alpha": 2}, host="here")
    await queue.settle([Outcome(one.lease, produced=Produced()) for one in claimed])
    assert await disagreements(database.pool) == []
