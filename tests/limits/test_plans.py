"""What limits cost: a hundred thousand jobs that wait for turns are in nobody's way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rushes.database import Database
from rushes.queue.statements import sql
from tests.plans import WHOLE, explain, read, walked

from .conftest import Hand, enqueue, limit


@pytest.fixture
async def crowd(database: Database, hand: Hand, *, full: bool) -> int:
    """A lane with limits in which so many jobs wait, a third of them of a batch, some held; and a batch with one."""
    count = 1_000_000 if full else 100_000
    await limit(hand, "crowded.org", rate=5, concurrency=4)
    await limit(hand, "quiet.org", concurrency=2)
    for name in ("large", "small"):
        await database.pool.execute(
            "insert into rushes.batches (name, pipeline, plan, trust) values ($1, 'p', '{}', 'local')", name
        )
    await database.pool.execute(
        "insert into rushes.jobs (kind, lane, limited, batch_id, held)"
        " select 'fetch', 'crowded.org', true, case when n % 3 = 0 then 1 end, n % 30 = 0 from generate_series(1, $1) n",
        count,
    )
    await enqueue(hand, 20, None)
    await enqueue(hand, 20, "free.org", batch_id=2)
    await enqueue(hand, 3, "quiet.org", batch_id=2, kind="list")
    await database.pool.execute("vacuum analyze rushes.jobs")
    return count


HOW = [(batch, generic) for batch in (None, 1, 2) for generic in (False, True)]
"""Of all batches, of a large one and of a small one, by a plan made for that and by one made for any."""


async def test_claims_touch_what_they_take_and_not_what_waits(database: Database, hand: Hand, crowd: int):
    for batch, generic in HOW:
        arguments = [["fetch", "list"], [10, 10], hand.worker, timedelta(seconds=60), "here", batch, False]
        plan = await explain(database, sql("claim"), *arguments, generic=generic)
        assert read(plan) <= 40
        assert WHOLE not in walked(plan)

    kinds, slots = ["fetch", "list", "write"], [10, 10, 10]
    lanes = ["crowded.org", "quiet.org"]
    for batch, generic in HOW:
        plan = await explain(database, sql("lock_limits"), kinds, "here", batch, 30, generic=generic)
        assert read(plan) <= 20
        assert WHOLE not in walked(plan)
        terms = (hand.worker, timedelta(seconds=60), "here", batch, lanes)
        plan = await explain(database, sql("claim_lanes"), kinds, slots, *terms, generic=generic)
        assert read(plan) <= 100
        assert WHOLE not in walked(plan)


async def test_upkeep_and_counting_touch_no_job_that_waits(database: Database, hand: Hand, crowd: int):
    plan = await explain(database, sql("follow_lanes"), 1000, generic=True)
    assert read(plan) <= 10
    assert WHOLE not in walked(plan)

    await database.pool.execute("insert into rushes.limits (kind, concurrency) values ('fetch', 50)")
    await hand.claim({"fetch": 30})
    plan = await explain(database, sql("room_of_kinds"), ["fetch"], generic=True)
    assert read(plan) <= 60
    assert WHOLE not in walked(plan)
