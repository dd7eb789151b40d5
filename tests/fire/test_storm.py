"""Everything at once: workers, upkeep, people who steer and who enqueue. Nobody waits in a circle, and all adds up."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable

import pytest

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import Valid
from rushes.database import Database
from rushes.errors import ErrorClass
from rushes.model import BatchId, Facts, Failure, JobId, NewItem, Outcome, Plan, Produced, Source, Step, VideoKey
from rushes.queue import Claimed, NewJob, Queue, control

from .recount import disagreements

Verb = Callable[..., Awaitable[object]]
STAGES = ("alpha", "beta")
PLAN = Plan("alpha+beta", tuple(Step(stage, fetches=True) for stage in STAGES))
STEERING: list[Verb] = [control.pause_batch, control.resume_batch, control.resume_batch, control.retry_items]
STEERING_JOBS: list[Verb] = [control.cancel_jobs, control.retry_jobs]
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"
LATER = """
    update rushes.jobs set run_at = run_at - interval '1 day', lease_until = lease_until - interval '1 hour'
    where id in (
        select id from rushes.jobs where status in ('retrying', 'processing') order by id limit 20 for update skip locked
    )"""


class Storm:
    """Each kind of weather is a coroutine that does one thing; `rage` has several of each at it until enough is done."""

    def __init__(self, database: Database, seed: int) -> None:
        self._pool = database.pool
        self._random = random.Random(seed)
        self._videos = itertools.count()
        self._batches: list[BatchId] = []
        self.done = 0

    def _items(self, count: int) -> list[NewItem]:
        """A third of the videos are in more than one batch."""
        numbers = [
            next(self._videos) if self._random.random() > 0.3 else self._random.randrange(50) for _ in range(count)
        ]
        return [
            NewItem(Source(VideoKey(f"url:{n}"), f"https://a.org/{n}"), f"line {n}") for n in dict.fromkeys(numbers)
        ]

    async def open(self) -> None:
        lines = [Valid(n, item) for n, item in enumerate(self._items(40), 1)]
        self._batches.append((await open_batch(self._pool, Order("storm", PLAN), lines)).id)

    async def work(self) -> None:
        queue = Queue(self._pool)
        worker = await queue.enter()
        batch = self._random.choice([None, *self._batches])
        claimed = await queue.claim(
            worker, dict.fromkeys(STAGES, self._random.randint(5, 25)), host="here", batch=batch
        )
        await queue.extend([(one.lease, self._random.random(), "at it") for one in claimed])
        self._random.shuffle(claimed)
        half = len(claimed) // 2
        await asyncio.gather(
            *(queue.settle([self._outcome(one) for one in part]) for part in (claimed[:half], claimed[half:]))
        )
        self.done += len(claimed)

    def _outcome(self, one: Claimed) -> Outcome:
        fate = self._random.random()
        if fate < 0.6:
            n = self._random.randrange(1000)
            aliases = (VideoKey(f"youtube:{n // 5}"),) if n % 10 == 0 else ()
            facts = Facts(title=f"talk {n}", aliases=aliases)
            return Outcome(one.lease, produced=Produced(facts=facts, search_text=((0.0, "words"),)))
        if fate < 0.65:
            return Outcome(one.lease, produced=Produced(items=tuple(self._items(2))))
        if fate < 0.7:
            return Outcome(one.lease)
        name = self._random.choice(list(ErrorClass))
        environment = name is ErrorClass.NEEDS_INPUT and self._random.random() < 0.3
        return Outcome(one.lease, failure=Failure(name, "it failed", environment=environment))

    async def upkeep(self) -> None:
        await self._pool.execute(LATER)
        await Queue(self._pool).tick()

    async def steer(self) -> None:
        batch = self._random.choice(self._batches)
        verb = control.cancel_batch if self._random.random() < 0.1 else self._random.choice(STEERING)
        async with self._pool.acquire() as connection:
            await verb(connection, batch)
            await control.prioritize_batch(connection, self._random.choice(self._batches), self._random.randrange(11))

    async def steer_jobs(self) -> None:
        rows = await self._pool.fetch(
            "select id from rushes.jobs order by status = 'processing' desc, status = 'failed' desc, random() limit 30"
        )
        jobs = [JobId(row["id"]) for row in rows]
        self._random.shuffle(jobs)
        async with self._pool.acquire() as connection:
            await self._random.choice(STEERING_JOBS)(connection, jobs[:10])
            await control.prioritize_jobs(connection, jobs, self._random.randrange(11))

    async def enqueue(self) -> None:
        keys = [self._random.choice(["red", "blue", "green", None]) for _ in range(6)]
        await Queue(self._pool).enqueue([NewJob("alpha", dedup_key=key) for key in keys])

    async def rage(self, jobs: int) -> None:
        for _ in range(3):
            await self.open()

        async def again(weather: Callable[[], Awaitable[None]]) -> None:
            while self.done < jobs:
                await weather()
                await asyncio.sleep(self._random.random() / 50)

        everybody = (
            [self.work] * 4
            + [self.upkeep] * 2
            + [self.steer, self.steer, self.steer_jobs, self.steer_jobs, self.enqueue, self.open]
        )
        async with asyncio.TaskGroup() as group:
            for weather in everybody:
                group.create_task(again(weather))


@pytest.mark.timeout(600)
async def test_after_a_storm_all_rows_agree_and_nobody_has_waited_in_a_circle(database: Database, *, full: bool):
    before = await database.pool.fetchval(DEADLOCKS)
    storm = Storm(database, seed=7)
    await storm.rage(10_000 if full else 1_000)
    assert await disagreements(database.pool) == []
    await database.pool.execute("select pg_stat_force_next_flush()")
    assert await database.pool.fetchval(DEADLOCKS) == before
