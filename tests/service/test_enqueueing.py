"""Putting jobs in: order, atomicity, keys that live once, lanes with limits, values that do not fit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import rushes
from rushes import NewJob, Retries
from rushes.database import Database, open_database
from rushes.model import Outcome, Produced
from rushes.queue import Queue, control, enqueueing, limits
from rushes.queue.doorbell import CHANNEL, Doorbell

MANY = 2 * enqueueing.COPY_FROM


@pytest.fixture
async def queue(database: Database) -> Queue:
    return Queue(database.pool)


@pytest.fixture
async def programs(database: Database, settings) -> AsyncIterator[rushes.Queue]:
    async with rushes.connect(settings) as db:
        yield rushes.Queue(db)


async def count(database: Database) -> int:
    return int(await database.pool.fetchval("select count(*) from rushes.jobs"))


def jobs(number: int, **said: Any) -> list[NewJob]:
    return [NewJob("fetch", video_id=f"video-{n}", **said) for n in range(number)]


@pytest.mark.parametrize("number", [1, 5, MANY, enqueueing.CHUNK + 1])
async def test_ids_come_in_the_order_of_the_jobs(database: Database, queue: Queue, number: int):
    ids = await queue.enqueue(jobs(number))
    rows = await database.pool.fetch("select id, video_id from rushes.jobs order by id")
    assert [(row["id"], row["video_id"]) for row in rows] == [(job, f"video-{n}") for n, job in enumerate(ids)]


async def test_ids_are_right_when_others_enqueue_in_between(database: Database, queue: Queue):
    batches = await asyncio.gather(*(queue.enqueue([NewJob(f"kind-{n}")] * MANY) for n in range(6)))
    rows = await database.pool.fetch("select id, kind from rushes.jobs order by id")
    kinds = {row["id"]: row["kind"] for row in rows}
    assert [{kinds[job] for job in ids} for ids in batches] == [{f"kind-{n}"} for n in range(6)]
    assert len(kinds) == 6 * MANY


@pytest.mark.parametrize("number", [3, MANY])
async def test_all_that_a_job_says_is_kept_however_it_goes_in(database: Database, queue: Queue, number: int):
    said = {
        "priority": 7, "payload": {"n": [1, "zwei"]}, "host": "here", "timeout": timedelta(minutes=5),
        "retries": Retries(5, timedelta(seconds=2), timedelta(seconds=9), 0.5), "github_workflow_run_id": "77",
    }  # fmt: skip
    await queue.enqueue(jobs(number, **said))
    await queue.enqueue([job._replace(dedup_key=f"key-{job.video_id}") for job in jobs(number, **said)])
    rows = await database.pool.fetch(
        "select distinct kind, status, priority, payload::text, host, timeout, max_attempts, backoff_base, backoff_cap,"
        " backoff_jitter, github_workflow_run_id, held, limited, attempts, token from rushes.jobs"
    )
    assert [tuple(row) for row in rows] == [(
        "fetch", "queued", 7, '{"n": [1, "zwei"]}', "here", timedelta(minutes=5), 5, timedelta(seconds=2),
        timedelta(seconds=9), 0.5, "77", False, False, 0, 0,
    )]  # fmt: skip
    assert await count(database) == 2 * number


@pytest.mark.parametrize("number", [3, MANY, enqueueing.CHUNK + 3])
@pytest.mark.parametrize("wrong", [{"priority": 11}, {"payload": {"n": object()}}, {"video_id": 5}])
async def test_all_jobs_of_a_call_or_none(database: Database, queue: Queue, number: int, wrong: dict[str, Any]):
    with pytest.raises(
        rushes.UsageError,
        match=r"priority: wanted 0 to 10, found 11|payload: wanted what JSON can hold|video_id: wanted str",
    ):
        await queue.enqueue([*jobs(number), NewJob("fetch")._replace(**wrong)])
    assert await count(database) == 0


async def test_a_million_can_be_read_as_they_are_needed(database: Database, queue: Queue, full: bool):  # noqa: FBT001  (a fixture)
    number = 1_000_000 if full else 30_000
    written = await queue.enqueue(NewJob("fetch", priority=n % 11) for n in range(number))
    assert (len(written), written == sorted(written), await count(database)) == (number, True, number)


async def test_no_wait_is_no_default_wait(database: Database, queue: Queue):
    await queue.enqueue([NewJob("fetch", retries=Retries(base=timedelta(0), jitter=0))] * MANY)
    assert await database.pool.fetchval("select max(backoff_base) from rushes.jobs") == timedelta(0)


async def test_text_that_postgresql_cannot_hold_is_mended(database: Database, queue: Queue):
    broken = jobs(1, payload={"title": "a\x00b"})[0]._replace(video_id="a\x00b\ud800")
    await queue.enqueue([broken])
    await queue.enqueue([broken._replace(dedup_key="k\x00")])
    await queue.enqueue([broken] * MANY)
    rows = await database.pool.fetch(
        "select distinct video_id, payload ->> 'title', dedup_key from rushes.jobs order by 3"
    )
    assert [tuple(row) for row in rows] == [("a�b�", "a�b", "k�"), ("a�b�", "a�b", None)]


async def test_of_one_key_one_job_lives(database: Database, queue: Queue):
    first, other, again = await queue.enqueue([
        NewJob("fetch", dedup_key="a"), NewJob("fetch", dedup_key="b"), NewJob("fetch", dedup_key="a"),
    ])  # fmt: skip
    assert (again == first, other != first) == (True, True)
    known, new, known_too = await queue.enqueue([
        NewJob("write", dedup_key="b"), NewJob("write"), NewJob("write", dedup_key="a"),
    ])  # fmt: skip
    assert (known, known_too) == (other, first)
    rows = await database.pool.fetch("select id, kind from rushes.jobs order by id")
    assert [tuple(row) for row in rows] == [(first, "fetch"), (other, "fetch"), (new, "write")]


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
async def test_a_key_is_free_again_when_its_job_has_ended(database: Database, queue: Queue, ending: str):
    (first,) = await queue.enqueue([NewJob("fetch", dedup_key="a")])
    await database.pool.execute("update rushes.jobs set status = $1", ending)
    (second,) = await queue.enqueue([NewJob("fetch", dedup_key="a")])
    assert first != second


async def test_a_key_is_taken_while_its_job_runs_or_waits_for_its_retry(database: Database, queue: Queue):
    (first,) = await queue.enqueue([NewJob("fetch", dedup_key="a")])
    for status in ("processing", "retrying"):
        await database.pool.execute("update rushes.jobs set status = $1", status)
        assert await queue.enqueue([NewJob("fetch", dedup_key="a")]) == [first]


async def test_equal_keys_at_the_same_time_make_one_job_each(database: Database, queue: Queue):
    keys = [NewJob("fetch", dedup_key=f"key-{n}") for n in range(30)]
    orders = [keys, keys[::-1], keys[15:] + keys[:15]] * 5
    answers = await asyncio.gather(*(queue.enqueue(order) for order in orders))
    by_key = {
        job.dedup_key: {answer[order.index(job)] for order, answer in zip(orders, answers, strict=True)} for job in keys
    }
    assert all(len(ids) == 1 for ids in by_key.values())
    assert await count(database) == 30


async def test_a_key_whose_job_ends_just_then_gets_a_new_one(database: Database, queue: Queue):
    (first,) = await queue.enqueue([NewJob("fetch", dedup_key="a")])
    worker = await queue.enter()
    (claimed,) = await queue.claim(worker, {"fetch": 1}, host="here")
    async with database.pool.acquire() as settling:
        transaction = settling.transaction()
        await transaction.start()
        await settling.execute("update rushes.jobs set status = 'completed' where id = $1", first)
        enqueueing_now = asyncio.create_task(queue.enqueue([NewJob("fetch", dedup_key="a")]))
        while not await database.pool.fetchval("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"):
            await asyncio.sleep(0.01)
        await transaction.commit()
    assert (await enqueueing_now)[0] != first
    assert claimed.job.id == first


async def test_long_lists_with_keys_in_common_both_get_in(database: Database, queue: Queue, monkeypatch):
    """Each holds keys of a chunk that the other wants: one gives way, and begins anew."""
    monkeypatch.setattr(enqueueing, "CHUNK", 20)
    keys = [NewJob("fetch", dedup_key=f"key-{n}") for n in range(100)]
    forth, back = await asyncio.gather(queue.enqueue(keys), queue.enqueue(keys[::-1]))
    assert forth == back[::-1]
    assert await count(database) == 100


async def test_a_retry_by_hand_leaves_the_key_to_the_job_that_lives(database: Database, queue: Queue):
    (old,) = await queue.enqueue([NewJob("fetch", dedup_key="a")])
    await database.pool.execute("update rushes.jobs set status = 'failed', finished_at = now()")
    (young,) = await queue.enqueue([NewJob("fetch", dedup_key="a")])
    async with database.pool.acquire() as connection:
        assert await control.retry_jobs(connection, [old]) == 0
        await connection.execute("update rushes.jobs set status = 'failed', finished_at = now()")
        assert await control.retry_jobs(connection, [old, young]) == 1
    assert (await queue.enqueue([NewJob("fetch", dedup_key="a")])) == [young]


@pytest.mark.parametrize("key", [None, "a"])
async def test_jobs_of_a_limited_lane_wait_for_their_turn_from_the_start(
    database: Database, queue: Queue, key: str | None
):
    async with database.pool.acquire() as connection:
        await limits.limit_lane(connection, "slow.example", concurrency=1)
    many = [NewJob("fetch", lane=lane) for lane in ("slow.example", "fast.example", None)] * MANY
    await queue.enqueue([job._replace(dedup_key=key and f"{key}{n}") for n, job in enumerate(many)])
    rows = await database.pool.fetch("select lane, limited, count(*) from rushes.jobs group by 1, 2 order by 1")
    assert [tuple(row) for row in rows] == [
        ("fast.example", False, MANY), ("slow.example", True, MANY), (None, False, MANY),
    ]  # fmt: skip


@pytest.mark.parametrize("key", [None, "a"])
async def test_a_scheduled_job_waits_for_its_time(database: Database, queue: Queue, key: str | None):
    later = datetime.now(UTC) + timedelta(hours=1)
    (job,) = await queue.enqueue([NewJob("fetch", run_at=later, dedup_key=key)])
    made = await queue.get(job)
    assert made is not None
    assert (made.status, made.run_at, made.queued_at) == ("retrying", later, later)
    worker = await queue.enter()
    assert await queue.claim(worker, {"fetch": 1}, host="here") == []
    await database.pool.execute("update rushes.jobs set run_at = now()")
    await queue.tick()
    (claimed,) = await queue.claim(worker, {"fetch": 1}, host="here")
    settled = await queue.settle([Outcome(claimed.lease, produced=Produced())])
    assert list(settled.applied) == [job]


async def test_a_ring_while_another_is_being_sent_is_heard_too(settings, database: Database):
    """The first may have woken a worker before the second one's job was there to be seen."""
    heard: list[object] = []
    twice = asyncio.Event()

    def hear(*_: object) -> None:
        heard.append(None)
        if len(heard) == 2:
            twice.set()

    async with open_database(settings, pool_size=1) as narrow, database.dedicated() as ear:
        await ear.add_listener(CHANNEL, hear)
        bell = Doorbell(narrow.pool)
        async with narrow.pool.acquire():
            bell.ring()
            for _ in range(5):
                await asyncio.sleep(0)  # it has begun to be sent, and waits for the connection
            bell.ring()
        await bell.rung()
        await twice.wait()


async def test_priorities_are_clamped(programs: rushes.Queue):
    low = await programs.enqueue_job("a", "fetch", -3)
    high = await programs.enqueue_job("a", "fetch", 11)
    many = await programs.enqueue_jobs([NewJob("fetch", priority=99), NewJob("fetch", priority=-1)])
    found = [await programs.get_job(job) for job in many]
    assert [job.priority for job in (low, high, *found) if job] == [0, 10, 10, 0]
    assert [(await programs.prioritize(low.id, wanted)).priority for wanted in (55, -1)] == [10, 0]


async def test_a_job_with_a_living_key_is_returned_as_it_is(programs: rushes.Queue):
    first = await programs.enqueue_job("a", "fetch", 3, dedup_key="k")
    assert await programs.enqueue_job("b", "fetch", 9, dedup_key="k") == first


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"video_id": 5}, "video_id: wanted a text, found 5"),
        ({"job_type": ""}, "job_type: wanted a text, found ''"),
        ({"priority": "high"}, "priority: wanted a number from 0 to 10, found 'high'"),
        ({"max_attempts": 0}, "max_attempts: wanted a number from 1 on, found 0"),
        ({"max_attempts": 40_000}, "max_attempts: at most 32767, found 40000"),
        ({"timeout": 5}, "timeout: wanted a timedelta above 0, found 5"),
        ({"run_at": datetime(2026, 1, 1)}, "run_at: wanted a datetime with its time zone"),  # noqa: DTZ001
        ({"jitter": 2}, "jitter: wanted a share from 0 to 1, found 2"),
        ({"payload": {"n": object()}}, "object"),
        ({"payload": {"n": object()}, "dedup_key": "k"}, "object"),
        ({"deduplicate": "k"}, "enqueue_job has no argument deduplicate; it has payload, run_at, dedup_key"),
        ({"connection": 5}, "connection: wanted an asyncpg or psycopg connection, or .* found builtins.int"),
    ],
)
async def test_wrong_arguments_are_answered_in_words(programs: rushes.Queue, wrong: dict[str, Any], words: str):
    with pytest.raises(rushes.UsageError, match=words):
        await programs.enqueue_job(**{"video_id": "a", "job_type": "fetch", **wrong})
    assert await programs.get_pending_jobs() == []
