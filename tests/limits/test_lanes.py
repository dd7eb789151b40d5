"""What a lane's limits promise, whoever claims."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import Valid
from rushes.database import Database
from rushes.errors import ErrorClass
from rushes.model import Failure, NewItem, Plan, Source, Step, VideoKey
from rushes.queue import NewJob, control, limits

from .conftest import Hand, enqueue, ids, limit, most_at_once, running, starts, unlimit


async def test_no_more_of_a_lane_run_at_once_than_its_limit_says(hands: list[Hand], *, full: bool):
    count = 2000 if full else 200
    await limit(hands[0], concurrency=3)
    await enqueue(hands[0], count)

    async def work(hand: Hand) -> None:
        done = 0
        while done < count:
            claimed = await hand.claim({"fetch": 5})
            assert await running(hand) <= 3
            if claimed:
                await hand.complete(claimed)
            done = await hand.database.pool.fetchval("select count(*) from rushes.jobs where status = 'completed'")

    await asyncio.gather(*map(work, hands))
    assert await most_at_once(hands[0], "true") <= 3


@pytest.mark.parametrize("lanes", [1, 3])
async def test_starts_keep_their_distance(hands: list[Hand], lanes: int):
    for lane in range(lanes):
        await limit(hands[0], f"host{lane}", rate=8)
        await enqueue(hands[0], 10, f"host{lane}")
    await asyncio.gather(*(hand.drain({"fetch": 5}) for hand in hands))
    for lane in range(lanes):
        at = await starts(hands[0], f"host{lane}")
        gaps = [later - earlier for earlier, later in itertools.pairwise(at)]
        assert len(gaps) == 9
        assert min(gaps) >= timedelta(seconds=1 / 8) - timedelta(microseconds=1)


async def test_a_high_rate_comes_in_bunches_of_a_tenth_of_a_second(hands: list[Hand]):
    await limit(hands[0], rate=50)
    await enqueue(hands[0], 60)
    await asyncio.gather(*(hand.drain({"fetch": 50}) for hand in hands))
    at = await starts(hands[0])
    assert len(at) == 60
    for first in range(60):
        for last in range(first, 60):
            assert (at[last] - at[first]).total_seconds() >= (last - first) / 50 - 0.1 - 1e-5


async def test_a_claim_tells_when_the_next_may_start(hand: Hand):
    await limit(hand, rate=0.01)
    await enqueue(hand, 2)
    assert len(await hand.claim()) == 1
    assert hand.next_start is not None
    assert await hand.claim() == []
    assert hand.next_start is not None
    assert 90 < hand.next_start <= 100
    await unlimit(hand)
    assert len(await hand.claim()) == 1
    assert hand.next_start is None


async def test_rate_and_concurrency_hold_together(hand: Hand):
    await limit(hand, rate=1000, concurrency=2)
    await enqueue(hand, 5)
    first = await hand.claim()
    assert len(first) == 2
    assert await hand.claim() == []
    await hand.complete(first[:1])
    assert len(await hand.claim()) == 1


async def test_a_rate_given_later_leaves_the_concurrency_as_it_was(hand: Hand):
    await limit(hand, concurrency=2)
    await limit(hand, rate=3)
    async with hand.database.pool.acquire() as connection:
        (found,) = await limits.list_limits(connection)
    assert (found.rate, found.concurrency) == (3, 2)


async def test_a_lane_limited_to_nothing_sensible_is_refused(hand: Hand):
    for nonsense in ({}, {"rate": 0}, {"rate": -1}, {"rate": float("nan")}, {"rate": 1e9}, {"concurrency": 0}):
        with pytest.raises(ValueError, match=r"example\.org"):
            await limit(hand, **nonsense)


async def test_priority_comes_first_and_then_age_with_limits_or_without(hand: Hand):
    await limit(hand, concurrency=10)
    free = await enqueue(hand, 2, None)
    limited = await enqueue(hand, 2)
    later = await enqueue(hand, 2, None)
    urgent = await enqueue(hand, 1, priority=5)
    assert ids(await hand.claim({"fetch": 4})) == sorted([*urgent, *free, limited[0]])
    assert ids(await hand.claim({"fetch": 4})) == [limited[1], *later]


async def test_a_full_lane_holds_up_nobody_else(hand: Hand):
    await limit(hand, concurrency=1)
    await enqueue(hand, 5, priority=10)
    others = await enqueue(hand, 3, "elsewhere.org") + await enqueue(hand, 1, None)
    assert len(await hand.claim()) == 5
    assert await running(hand, f"id = any(array{others})") == 4


async def test_one_worker_s_kinds_share_the_lane(hand: Hand):
    await limit(hand, concurrency=3)
    await enqueue(hand, 2, kind="list")
    await enqueue(hand, 5)
    claimed = await hand.claim({"list": 1, "fetch": 5})
    assert sorted(one.job.kind for one in claimed) == ["fetch", "fetch", "list"]


async def test_what_nobody_can_start_uses_no_turns(database: Database, hand: Hand):
    """Of a batch that nobody works at, of another host, of a paused kind: they wait, and the lane goes on."""
    await limit(hand, rate=0.001, concurrency=1)
    await enqueue(hand, 3, host="elsewhere", priority=9)
    await enqueue(hand, 3, kind="list", priority=9)
    async with database.pool.acquire() as connection:
        await control.pause(connection, "list")
    batch = await database.pool.fetchval(
        "insert into rushes.batches (name, pipeline, plan, trust) values ('mine', 'p', '{}', 'local') returning id"
    )
    await enqueue(hand, 3, priority=9)
    mine = await enqueue(hand, 2, batch_id=batch)
    claimed = await hand.claim({"fetch": 5, "list": 5}, batch=batch)
    assert ids(claimed) == [mine[0]]


async def test_a_paused_batch_takes_no_turns(database: Database, hand: Hand):
    batch = await database.pool.fetchval(
        "insert into rushes.batches (name, pipeline, plan, trust) values ('mine', 'p', '{}', 'local') returning id"
    )
    await limit(hand, concurrency=1)
    first, second = await enqueue(hand, 2, batch_id=batch)
    (other,) = await enqueue(hand, 1)
    async with database.pool.acquire() as connection:
        await control.pause_batch(connection, batch)
        claimed = await hand.claim()
        assert ids(claimed) == [other]
        await control.resume_batch(connection, batch)
    assert await hand.claim() == []
    await hand.complete(claimed)
    assert ids(await hand.claim()) == [first]
    assert second


async def test_a_lane_at_rest_gives_no_turns_and_keeps_its_limits(database: Database, hand: Hand):
    await limit(hand, concurrency=2)
    await enqueue(hand, 5)
    (one, other) = await hand.claim()
    await hand.fail([one], Failure(ErrorClass.RATE_LIMITED, "slow down", retry_after=timedelta(hours=1)))
    await hand.complete([other])
    await hand.queue.tick()
    assert await hand.claim() == []
    assert await database.pool.fetchval("select count(*) from rushes.jobs where status = 'retrying'") == 1
    async with database.pool.acquire() as connection:
        (found,) = await limits.list_limits(connection)
    assert (found.waiting, found.reason) == (3, "example.org: slow down")
    assert found.rests_until is not None
    await database.pool.execute("update rushes.lanes set paused_until = now()")
    assert len(await hand.claim()) == 2


async def test_a_rest_without_limits_still_moves_jobs_aside(database: Database, hand: Hand):
    await enqueue(hand, 3)
    (one,) = await hand.claim({"fetch": 1})
    await hand.fail([one], Failure(ErrorClass.RATE_LIMITED, "slow down", retry_after=timedelta(hours=1)))
    await enqueue(hand, 1)
    await hand.queue.tick()
    assert await database.pool.fetchval("select count(*) from rushes.jobs where status = 'retrying'") == 4
    async with database.pool.acquire() as connection:
        assert await limits.list_limits(connection) == []


async def test_a_clock_that_was_set_back_stops_no_lane(database: Database, hand: Hand):
    await limit(hand, rate=1)
    await enqueue(hand, 2)
    await database.pool.execute("update rushes.lanes set next_start = now() + interval '1 day'")
    assert len(await hand.claim()) == 1
    assert await hand.claim() == []


async def test_lanes_of_any_name_can_be_limited(hand: Hand):
    name = 'a lane\'s "name" – ü'
    await limit(hand, name, concurrency=1)
    await hand.queue.enqueue([NewJob("fetch", lane=name)] * 2)
    assert len(await hand.claim()) == 1


async def test_a_settlement_that_rests_a_lane_and_a_claim_never_wait_in_a_circle(database: Database, hands: list[Hand]):
    """The settlement comes first to a batch that somebody holds, and the claim of another job of it comes second."""
    await limit(hands[0], concurrency=100)
    plan = Plan("test", (Step("fetch", fetches=True),))
    lines = [Valid(n, NewItem(Source(VideoKey(f"url:{n}"), f"https://example.org/{n}"), "line")) for n in range(2)]
    batch = (await open_batch(database.pool, Order("test", plan), lines)).id
    claimed = await hands[0].claim({"fetch": 1}, batch=batch)
    await database.pool.execute("update rushes.batches set status = 'pending'")
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    async with database.pool.acquire() as holder:
        async with holder.transaction():
            await holder.execute("select from rushes.batches for update")
            asked = Failure(ErrorClass.RATE_LIMITED, "slow down", retry_after=timedelta(hours=1))
            settling = asyncio.create_task(hands[0].fail(claimed, asked))
            while await database.pool.fetchval(waiting) < 1:
                await asyncio.sleep(0.01)
            claiming = asyncio.create_task(hands[1].claim({"fetch": 1}, batch=batch))
            while not claiming.done() and await database.pool.fetchval(waiting) < 2:
                await asyncio.sleep(0.01)
        await settling
    assert await claiming == []
