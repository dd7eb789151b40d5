"""Which jobs are limited follows their lane, however they come to be ready."""

from __future__ import annotations

from datetime import timedelta

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import Valid
from rushes.database import Database
from rushes.model import NewItem, Plan, Source, Step, VideoKey
from rushes.queue import control
from rushes.queue.statements import sql

from .conftest import Hand, enqueue, ids, limit, running, unlimit


async def limited(database: Database, where: str = "status = 'queued'") -> int:
    return int(await database.pool.fetchval(f"select count(*) from rushes.jobs where limited and {where}"))


async def plain_claim_takes(hand: Hand, kind: str = "fetch") -> int:
    """What a claim that knows of no limits takes."""
    terms = (hand.worker, timedelta(seconds=60), "here", None, False)
    return len(await hand.database.pool.fetch(sql("claim"), [kind], [100], *terms))


async def test_ready_jobs_wait_for_turns_from_when_their_lane_is_limited(database: Database, hand: Hand, *, full: bool):
    count = 100_000 if full else 12_000
    await database.pool.execute(
        "insert into rushes.jobs (kind, lane) select 'fetch', 'example.org' from generate_series(1, $1)", count
    )
    await limit(hand, concurrency=1)
    assert await limited(database) == count
    assert await plain_claim_takes(hand) == 0
    assert len(await hand.claim()) == 1


async def test_they_are_ready_again_when_the_limit_is_lifted(database: Database, hand: Hand):
    await limit(hand, concurrency=1)
    await database.pool.execute(
        "insert into rushes.jobs (kind, lane, limited) select 'fetch', 'example.org', true from generate_series(1, 12000)"
    )
    claimed = await hand.claim()
    assert await unlimit(hand)
    assert not await unlimit(hand)
    assert await limited(database) == 0
    assert await plain_claim_takes(hand) == 100
    await hand.queue.release([one.lease for one in claimed])
    await hand.queue.tick()
    assert await limited(database) == 0


async def test_a_sweep_that_broke_off_is_carried_on_by_upkeep(database: Database, hand: Hand):
    await enqueue(hand, 3)
    await database.pool.execute("insert into rushes.lanes (name, concurrency) values ('example.org', 1)")
    await hand.queue.tick()
    assert await limited(database) == 3
    await database.pool.execute("update rushes.lanes set concurrency = null")
    await hand.queue.tick()
    assert await limited(database) == 0


async def test_what_waited_for_turns_rests_if_its_lane_does_when_the_limit_is_lifted(database: Database, hand: Hand):
    await limit(hand, concurrency=1)
    await enqueue(hand, 3)
    await database.pool.execute(
        "update rushes.lanes set paused_until = now() + interval '1 hour', reason = 'slow down'"
    )
    await unlimit(hand)
    assert await database.pool.fetchval("select count(*) from rushes.jobs where status = 'retrying'") == 3
    assert await hand.claim() == []


async def test_jobs_of_a_paused_batch_wait_for_turns_when_it_goes_on(database: Database, hand: Hand):
    batch = await database.pool.fetchval(
        "insert into rushes.batches (name, pipeline, plan, trust) values ('mine', 'p', '{}', 'local') returning id"
    )
    await enqueue(hand, 3, batch_id=batch)
    async with database.pool.acquire() as connection:
        await control.pause_batch(connection, batch)
        await limit(hand, concurrency=1)
        await control.resume_batch(connection, batch)
        assert len(await hand.claim()) == 1
        await control.pause_batch(connection, batch)
        await unlimit(hand)
        await control.resume_batch(connection, batch)
    assert await plain_claim_takes(hand) == 2


async def test_a_retry_waits_for_its_turn(database: Database, hand: Hand):
    await enqueue(hand, 2)
    claimed = await hand.claim()
    assert len(claimed) == 2
    await limit(hand, concurrency=1)
    await hand.fail(claimed)
    await hand.queue.tick()
    assert await plain_claim_takes(hand) == 0
    assert ids(await hand.claim()) == ids(claimed)[:1]


async def test_a_retry_by_hand_waits_for_its_turn(database: Database, hand: Hand):
    jobs = await enqueue(hand, 3)
    async with database.pool.acquire() as connection:
        await control.cancel_jobs(connection, jobs)
        await limit(hand, concurrency=1)
        assert await control.retry_jobs(connection, jobs) == 3
    assert await plain_claim_takes(hand) == 0
    assert len(await hand.claim()) == 1


async def test_a_job_given_back_waits_for_its_turn_again(database: Database, hand: Hand):
    await limit(hand, concurrency=1)
    jobs = await enqueue(hand, 2)
    await hand.queue.release([one.lease for one in await hand.claim()])
    assert await plain_claim_takes(hand) == 0
    assert ids(await hand.claim()) == jobs[:1]


async def test_a_lost_lease_counts_until_upkeep_has_returned_it(database: Database, hand: Hand):
    await limit(hand, concurrency=1)
    jobs = await enqueue(hand, 2)
    await hand.claim()
    await database.pool.execute(
        "update rushes.jobs set lease_until = now() - interval '1 s' where status = 'processing'"
    )
    assert await hand.claim() == []
    await hand.queue.tick()
    assert await running(hand) == 0
    assert ids(await hand.claim()) == jobs[:1]


async def test_items_and_their_next_stages_are_born_limited(database: Database, hand: Hand):
    await limit(hand, concurrency=2)
    sources = [Source(VideoKey(f"url:{n}"), f"https://www.example.org/{n}") for n in range(5)]
    plan = Plan("test", (Step("fetch", fetches=True), Step("more", fetches=True), Step("write", fetches=False)))
    await open_batch(
        database.pool, Order("test", plan), [Valid(n, NewItem(one, "line")) for n, one in enumerate(sources, 1)]
    )
    assert await limited(database) == 5
    claimed = await hand.claim()
    assert len(claimed) == 2
    await hand.complete(claimed)
    assert await limited(database, "kind = 'more'") == 2
    claimed = await hand.claim({"more": 5})
    await hand.complete(claimed)
    assert await limited(database, "kind = 'write'") == 0
    assert await plain_claim_takes(hand, "write") == 2


async def test_a_batch_begins_when_a_limited_job_of_it_starts(database: Database, hand: Hand):
    await limit(hand, concurrency=1)
    plan = Plan("test", (Step("fetch", fetches=True),))
    lines = [Valid(1, NewItem(Source(VideoKey("url:1"), "https://example.org/1"), "line"))]
    opened = await open_batch(database.pool, Order("test", plan), lines)
    (claimed,) = await hand.claim(batch=opened.id)
    rows = await database.pool.fetch("select status from rushes.batches union all select status from rushes.items")
    assert [row["status"] for row in rows] == ["processing", "processing"]
    assert claimed.lease.worker_id == hand.worker


async def test_scheduled_jobs_wait_for_their_turn_when_they_are_due(database: Database, hand: Hand):
    await limit(hand, concurrency=1)
    due = await database.pool.fetchval("select now() + interval '1 hour'")
    await enqueue(hand, 2, run_at=due)
    await database.pool.execute("update rushes.jobs set run_at = now()")
    await hand.queue.tick()
    assert await limited(database) == 2
    assert len(await hand.claim()) == 1
