"""What the limit of a kind promises, whoever claims."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from rushes.database import Database
from rushes.queue import Queue, control, limits
from rushes.queue.turns import claim_in_turn

from .conftest import Hand, enqueue, ids, limit, limit_kind, most_at_once, running


async def test_no_more_of_a_kind_run_at_once_than_its_limit_says(hands: list[Hand], *, full: bool):
    count = 2000 if full else 200
    await limit_kind(hands[0], "fetch", 3)
    await enqueue(hands[0], count, None)
    await enqueue(hands[0], count, None, kind="write")

    async def work(hand: Hand) -> None:
        done = 0
        while done < 2 * count:
            claimed = await hand.queue.claim(hand.worker, {"fetch": 5, "write": 2}, host="here")
            assert await running(hand, "kind = 'fetch'") <= 3
            if claimed:
                await hand.complete(claimed)
            done = await hand.database.pool.fetchval("select count(*) from rushes.jobs where status = 'completed'")

    await asyncio.gather(*map(work, hands))
    assert await most_at_once(hands[0], "kind = 'fetch'") <= 3


async def test_a_worker_s_free_slots_are_cut_to_what_is_left(hands: list[Hand]):
    await limit_kind(hands[0], "fetch", 5)
    jobs = await enqueue(hands[0], 10, None)
    first = await hands[0].claim({"fetch": 3})
    assert ids(await hands[1].claim({"fetch": 3})) == jobs[3:5]
    assert await hands[2].claim({"fetch": 3}) == []
    await hands[0].complete(first[:1])
    assert ids(await hands[2].claim({"fetch": 3})) == jobs[5:6]


async def test_the_limits_of_kind_and_lane_hold_together(hand: Hand):
    await limit_kind(hand, "fetch", 2)
    await limit(hand, concurrency=3)
    limited = await enqueue(hand, 5)
    free = await enqueue(hand, 5, None)
    assert ids(await hand.claim()) == limited[:2]
    assert await hand.claim() == []
    await limit_kind(hand, "fetch", 6)
    assert ids(await hand.claim()) == [limited[2], *free[:3]]


async def test_a_lower_limit_ends_nothing_and_starts_nothing(hand: Hand):
    await enqueue(hand, 5, None)
    claimed = await hand.claim({"fetch": 4})
    await limit_kind(hand, "fetch", 2)
    assert await hand.claim() == []
    await hand.complete(claimed[:2])
    assert await hand.claim() == []
    await hand.complete(claimed[2:3])
    assert len(await hand.claim()) == 1


async def test_without_its_limit_a_kind_is_claimed_as_before(database: Database, hand: Hand):
    await limit_kind(hand, "fetch", 1)
    await enqueue(hand, 5, None)
    assert len(await hand.claim()) == 1
    async with database.pool.acquire() as connection:
        assert await limits.unlimit_kind(connection, "fetch")
        assert not await limits.unlimit_kind(connection, "fetch")
    assert len(await hand.claim()) == 4


async def test_a_kind_limited_to_nothing_is_refused(hand: Hand):
    with pytest.raises(ValueError, match="fetch"):
        await limit_kind(hand, "fetch", 0)


async def test_a_paused_kind_stays_paused_under_its_limit(database: Database, hand: Hand):
    await limit_kind(hand, "fetch", 1)
    await enqueue(hand, 2, None)
    async with database.pool.acquire() as connection:
        await control.pause(connection, "fetch")
        assert await hand.claim() == []
        await control.resume(connection, "fetch")
    assert len(await hand.claim()) == 1


async def test_a_batch_s_own_worker_keeps_to_the_limit_of_all(database: Database, hands: list[Hand]):
    batch = await database.pool.fetchval(
        "insert into rushes.batches (name, pipeline, plan, trust) values ('mine', 'p', '{}', 'local') returning id"
    )
    await limit_kind(hands[0], "fetch", 2)
    await enqueue(hands[0], 1, None)
    mine = await enqueue(hands[0], 3, None, batch_id=batch)
    await hands[0].claim({"fetch": 1})
    assert ids(await hands[1].claim(batch=batch)) == mine[:1]
    assert await hands[1].claim(batch=batch) == []


async def test_a_claim_that_does_not_end_stops_no_others(database: Database, hands: list[Hand]):
    """A process frozen in the middle of its claim holds the locks of limits, and whoever meets them goes on."""
    await limit_kind(hands[0], "fetch", 5)
    await limit(hands[0], concurrency=5)
    await enqueue(hands[0], 5, None)
    await enqueue(hands[0], 5, kind="list")
    others = await enqueue(hands[0], 2, None, kind="write")
    async with database.pool.acquire() as frozen, frozen.transaction():
        await claim_in_turn(
            frozen, {"fetch": 1, "list": 1}, worker=hands[0].worker, lease=timedelta(seconds=60), host="here"
        )
        claimed = await hands[1].claim({"fetch": 5, "list": 5, "write": 5})
        assert ids(claimed) == others
        assert hands[1].next_start is not None
        assert hands[1].next_start < 1
    assert len(await hands[1].claim({"fetch": 5, "list": 5})) == 8


async def test_where_nothing_is_to_be_had_nothing_is_locked(database: Database, hands: list[Hand]):
    await limit_kind(hands[0], "fetch", 1)
    await limit(hands[0], concurrency=1)
    await enqueue(hands[0], 1)
    await hands[0].claim()
    await enqueue(hands[0], 5)
    async with database.pool.acquire() as idle, idle.transaction():
        await claim_in_turn(idle, {"fetch": 5, "list": 5}, worker=hands[0].worker, lease=timedelta(60), host="here")
        for table in ("limits", "lanes"):
            assert await database.pool.fetchval(
                f"select count(*) from (select 1 from rushes.{table} for update skip locked) f"
            )


async def test_a_worker_learns_of_limits_and_of_their_end_at_its_ticks(database: Database, hand: Hand):
    queue = Queue(database.pool)
    await enqueue(hand, 4, None)
    await queue.tick()
    assert len(await queue.claim(hand.worker, {"fetch": 1}, host="here")) == 1
    await limit_kind(hand, "fetch", 2)
    assert await queue.claim(hand.worker, {"fetch": 5}, host="here") == []
    await queue.tick()
    assert len(await queue.claim(hand.worker, {"fetch": 5}, host="here")) == 1
    async with database.pool.acquire() as connection:
        await limits.unlimit_kind(connection, "fetch")
    assert len(await queue.claim(hand.worker, {"fetch": 5}, host="here")) == 2
