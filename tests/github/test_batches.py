"""Workflows in batches: whatever a settlement by a worker does to items, batches and events, theirs does too."""

from __future__ import annotations

import asyncio
from typing import Any

from rushes.database import Database
from rushes.errors import ErrorClass
from rushes.model import Failure, Outcome, Produced, WorkerId
from rushes.queue import Queue, control
from tests.queue.conftest import make_batch

from .conftest import tell


async def jobs_of(database: Database, batch: int) -> list[int]:
    rows = await database.pool.fetch("select id from rushes.jobs where batch_id = $1 order by id", batch)
    return [row["id"] for row in rows]


async def kept(database: Database, batch: int) -> dict[str, Any]:
    """What is on record of a batch, without times and numbers of rows."""
    pool = database.pool
    return {
        "batch": tuple(await pool.fetchrow(
            "select status, total, completed, failed, cancelled, skipped, last_event, started_at is not null,"
            " finished_at is not null from rushes.batches where id = $1", batch,
        ) or ()),
        "items": [tuple(row) for row in await pool.fetch(
            "select position, status, error_class, error, started_at is not null, finished_at is not null"
            " from rushes.items where batch_id = $1 order by position", batch,
        )],
        "jobs": [tuple(row) for row in await pool.fetch(
            "select kind, status, attempts, held, error_class, error, worker_id, run_at is not null from rushes.jobs"
            " where batch_id = $1 order by item_id, step", batch,
        )],
        "events": [tuple(row) for row in await pool.fetch(
            "select e.number, e.kind, i.position, e.data from rushes.events e left join rushes.items i on i.id = e.item_id"
            " where e.batch_id = $1 order by e.number", batch,
        )],
    }  # fmt: skip


async def tallied(database: Database) -> list[tuple[Any, ...]]:
    rows = await database.pool.fetch("select kind, status, sum(jobs) from rushes.tallies group by 1, 2 order by 1, 2")
    return [tuple(row) for row in rows]


async def by_worker(database: Database, queue: Queue, worker: WorkerId, batch: int, *ends: Any) -> None:
    claimed = await queue.claim(worker, {"fetch": 9}, host="here")
    outcomes = [
        Outcome(one.lease, produced=end) if isinstance(end, Produced) else Outcome(one.lease, failure=end)
        for one, end in zip(claimed, ends, strict=True)
    ]
    for outcome in outcomes:
        await queue.settle([outcome])


async def test_a_settlement_by_workflow_is_one_by_worker(database: Database, queue: Queue, worker: WorkerId):
    failure = Failure(ErrorClass.TRANSIENT, "exit code 1")
    mine = (await make_batch(database, 2)).id
    await by_worker(database, queue, worker, mine, Produced(), failure)
    tallies = await tallied(database)
    theirs = (await make_batch(database, 2)).id
    done, failed = await jobs_of(database, theirs)
    await tell(database, done, "completed")
    await tell(database, failed, "failed", error="exit code 1")
    expected, found = await kept(database, mine), await kept(database, theirs)
    assert found["jobs"][0][:2] == ("fetch", "completed")
    assert found["jobs"][1][:2] == ("write", "queued")
    assert found == expected
    assert await tallied(database) == [(kind, status, 2 * jobs) for kind, status, jobs in tallies]


async def test_the_last_stage_of_the_last_item_ends_the_batch(database: Database, queue: Queue):
    batch = (await make_batch(database, 2, "fetch")).id
    first, second = await jobs_of(database, batch)
    await tell(database, first, "completed")
    assert (await kept(database, batch))["batch"][:3] == ("processing", 2, 1)
    await database.pool.execute("update rushes.jobs set max_attempts = 1 where id = $1", second)
    await tell(database, second, "failed", error="exit code 1")
    found = await kept(database, batch)
    assert found["batch"][:4] == ("completed", 2, 1, 1)
    assert found["items"][1][:4] == (2, "failed", "transient", "exit code 1")


async def test_a_cancelled_workflow_ends_its_item(database: Database, queue: Queue):
    batch = (await make_batch(database, 1)).id
    (job,) = await jobs_of(database, batch)
    await tell(database, job, "processing")
    await tell(database, job, "cancelled")
    found = await kept(database, batch)
    assert (found["batch"][0], found["items"][0][1]) == ("cancelled", "cancelled")


async def test_an_item_whose_workflow_has_begun_is_at_work(database: Database, queue: Queue):
    batch = (await make_batch(database, 1)).id
    (job,) = await jobs_of(database, batch)
    await tell(database, job, "processing")
    found = await kept(database, batch)
    assert (found["batch"][0], found["items"][0][1]) == ("processing", "processing")


async def test_what_a_workflow_leaves_waits_while_its_batch_is_paused(
    database: Database, queue: Queue, worker: WorkerId
):
    batch = (await make_batch(database, 2)).id
    failed, given_back = await jobs_of(database, batch)
    await tell(database, failed, "processing")
    await tell(database, given_back, "processing")
    async with database.pool.acquire() as connection:
        await control.pause_batch(connection, batch)
        await tell(database, failed, "failed")
        await tell(database, given_back, "queued")
        await database.pool.execute("update rushes.jobs set run_at = now() where run_at is not null")
        await queue.tick()
        assert await queue.claim(worker, {"fetch": 9}, host="here") == []
        await control.resume_batch(connection, batch)
    await queue.tick()
    assert len(await queue.claim(worker, {"fetch": 9}, host="here")) == 2


async def test_a_job_held_by_a_pause_may_be_done_by_a_workflow(database: Database, queue: Queue, worker: WorkerId):
    """And what follows it waits, until the batch is resumed; nothing is held for ever."""
    batch = (await make_batch(database, 1)).id
    (job,) = await jobs_of(database, batch)
    async with database.pool.acquire() as connection:
        await control.pause_batch(connection, batch)
        await tell(database, job, "completed")
        assert await queue.claim(worker, {"write": 9}, host="here") == []
        await control.resume_batch(connection, batch)
    assert len(await queue.claim(worker, {"write": 9}, host="here")) == 1


async def test_workflows_workers_and_hands_at_one_batch_never_wait_in_a_circle(
    database: Database, queue: Queue, worker: WorkerId
):
    batch = (await make_batch(database, 30, "fetch")).id
    jobs = await jobs_of(database, batch)
    claimed = await queue.claim(worker, {"fetch": 15}, host="here")

    async def pauses() -> None:
        async with database.pool.acquire() as connection:
            for _ in range(5):
                await control.pause_batch(connection, batch)
                await control.resume_batch(connection, batch)

    await asyncio.gather(
        pauses(),
        queue.settle([Outcome(one.lease, produced=Produced()) for one in claimed]),
        *(tell(database, job, "completed") for job in jobs[15:22]),
        *(tell(database, job, "cancelled") for job in jobs[22:]),
    )
    found = await kept(database, batch)
    assert found["batch"][:6] == ("completed", 30, 22, 0, 8, 0)
    assert [event[0] for event in found["events"]] == list(range(1, found["batch"][6] + 1))
