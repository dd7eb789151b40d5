"""Statements that meet: whoever comes first, nobody waits in a circle and nothing slips through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rushes.batches.creating import Order, open_batch
from rushes.batches.progress import read_progress
from rushes.database import Database
from rushes.model import Facts, WorkerId
from rushes.queue import Queue, control

from .conftest import claim, done, lines, make_batch, plan


async def blocked(database: Database, count: int = 1) -> None:
    """Wait until so many sessions wait for a lock."""
    while await database.pool.fetchval("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") < count:
        await asyncio.sleep(0.01)


async def test_settlements_that_learn_about_the_same_videos_never_wait_in_a_circle(
    database: Database, queue: Queue, worker: WorkerId
):
    batches = [(await make_batch(database, 30, "fetch")).id for _ in range(2)]
    first = await queue.claim(worker, {"fetch": 30}, host="here", batch=batches[0])
    second = await queue.claim(worker, {"fetch": 30}, host="here", batch=batches[1])
    for learnt in range(5):
        facts = Facts(title=f"talk {learnt}")
        halves = [done(first[learnt * 6 : learnt * 6 + 6], facts=facts, search_text=((0.0, "words"),))]
        halves.append(done(second[learnt * 6 : learnt * 6 + 6][::-1], facts=facts, search_text=((0.0, "words"),)))
        await asyncio.gather(*(queue.settle(half) for half in halves))
    assert [(await read_progress(database.pool, batch)).completed for batch in batches] == [30, 30]


async def test_joining_a_batch_never_waits_in_a_circle_with_its_settlements(
    database: Database, queue: Queue, worker: WorkerId
):
    """The same command in two terminals: one settles while the other reads its list."""
    await make_batch(database, 3, run_key="run")
    claimed = await claim(queue, worker)
    between = asyncio.Event()
    settling: list[asyncio.Task[Any]] = []

    def slowly():
        yield from lines(1)
        settling.append(asyncio.get_running_loop().create_task(queue.settle(done(claimed, facts=Facts(title="talk")))))
        between.set()
        yield from lines(6000)[3:]
        yield from lines(3)

    again = await open_batch(database.pool, Order("test", plan("fetch", "write"), "run"), slowly())
    assert again.added == 5997
    assert len((await settling[0]).applied) == 3


@pytest.mark.parametrize("other", ["cancel_batch", "retry_items", "pause_batch"])
async def test_two_who_control_one_batch_never_wait_in_a_circle(database: Database, queue: Queue, other: str):
    for _ in range(15):
        batch = (await make_batch(database, 60)).id
        async with database.pool.acquire() as one, database.pool.acquire() as two:
            await control.pause_batch(one, batch)
            await asyncio.gather(control.resume_batch(one, batch), getattr(control, other)(two, batch))


async def test_a_job_that_comes_due_while_its_batch_is_paused_stays_with_it(
    database: Database, queue: Queue, worker: WorkerId
):
    batch = (await make_batch(database, 1)).id
    await database.pool.execute("update rushes.jobs set status = 'retrying', run_at = now()")
    async with database.pool.acquire() as upkeep, database.pool.acquire() as person:
        promoting = upkeep.transaction()
        await promoting.start()
        await upkeep.execute("update rushes.jobs set status = 'queued', run_at = null")
        pausing = asyncio.create_task(control.pause_batch(person, batch))
        await asyncio.wait([pausing], timeout=0.3)
        await promoting.commit()
        assert await pausing
    assert await claim(queue, worker) == []


async def test_a_job_claimed_while_its_batch_is_cancelled_is_cancelled_too(
    database: Database, queue: Queue, worker: WorkerId
):
    """A follower comes when the live jobs are gathered already, and is being claimed when they are gathered again."""
    batch = (await make_batch(database, 1)).id
    (first,) = await claim(queue, worker)
    async with database.pool.acquire() as held, database.pool.acquire() as person:
        holding = held.transaction()
        await holding.start()
        await held.execute("select id from rushes.items for update")  # the cancellation waits here, past the jobs
        cancelling = asyncio.create_task(control.cancel_batch(person, batch))
        await blocked(database)
        await held.execute(
            "insert into rushes.jobs (kind, batch_id, item_id, step) select 'write', batch_id, id, 1 from rushes.items"
        )
        await holding.commit()
        assert await cancelling
    live = await database.pool.fetchval("select count(*) from rushes.jobs where status in ('queued', 'processing')")
    assert live == 0
    assert first.job.id
