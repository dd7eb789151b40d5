"""Statistics: one formula, which a recount of all rows cannot tell from the truth, and which reads none that ended."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from rushes.database import Database
from rushes.errors import ErrorClass
from rushes.model import Failure, Outcome, Produced, Retries, WorkerId
from rushes.queue import NewJob, Queue, control
from rushes.queue.endings import tally
from rushes.queue.reading import statistics
from rushes.queue.statements import sql
from rushes.queue.tallies import roll_up

from .conftest import History, Rushes

KINDS = ("download", "transcribe", "summarize")
RECOUNT = """
select
    count(*) as total_jobs, count(*) filter (where status = 'queued') as queued,
    count(*) filter (where status = 'processing') as processing, count(*) filter (where status = 'retrying') as retrying,
    count(*) filter (where status = 'completed') as completed, count(*) filter (where status = 'failed') as failed,
    count(*) filter (where status = 'cancelled') as cancelled, count(*) filter (where status = 'queued') as queue_length,
    round(100.0 * count(*) filter (where status = 'completed')
        / nullif(count(*) filter (where status in ('completed', 'failed')), 0), 2)::float as success_rate,
    round(extract(epoch from avg(finished_at - started_at) filter (where status = 'completed')), 3)::float
        as average_processing_time,
    round(extract(epoch from avg(started_at - created_at) filter (where finished_at is not null)), 3)::float
        as average_wait_time
from rushes.jobs where $1::text is null or kind = $1
"""
PERCENTILES = """
select extract(epoch from percentile_disc(0.5) within group (order by started_at - created_at))::float as wait_p50,
    extract(epoch from percentile_disc(0.95) within group (order by started_at - created_at))::float as wait_p95,
    extract(epoch from percentile_disc(0.5) within group (order by finished_at - started_at))::float as run_p50,
    extract(epoch from percentile_disc(0.95) within group (order by finished_at - started_at))::float as run_p95
from rushes.jobs where status = 'completed'
"""


class Life:
    """Things that befall jobs, in random order."""

    def __init__(self, database: Database, queue: Queue, worker: WorkerId, seed: int) -> None:
        self.pool, self.queue, self.worker, self.random = database.pool, queue, worker, random.Random(seed)

    async def go_on(self) -> None:
        await self.random.choice(
            (self.enqueue, self.enqueue, self.work, self.work, self.cancel, self.retry, self.wait)
        )()

    async def enqueue(self) -> None:
        some = [
            NewJob(
                self.random.choice(KINDS),
                priority=self.random.randint(0, 10),
                retries=Retries(self.random.randint(1, 2)),
            )
            for _ in range(self.random.randint(1, 8))
        ]
        await self.queue.enqueue(some)

    async def work(self) -> None:
        claimed = await self.queue.claim(self.worker, dict.fromkeys(KINDS, 4), host="here")
        await self.queue.settle([self.outcome(one.lease) for one in claimed if self.random.random() < 0.9])

    def outcome(self, lease: Any) -> Outcome:
        chance = self.random.random()
        if chance < 0.5:
            return Outcome(lease, produced=Produced())
        return Outcome(lease, failure=Failure(ErrorClass.TRANSIENT, "no") if chance < 0.9 else None)

    async def cancel(self) -> None:
        await self._by_hand(control.cancel_jobs)

    async def retry(self) -> None:
        await self._by_hand(control.retry_jobs)

    async def _by_hand(self, verb: Any) -> None:
        rows = await self.pool.fetch("select id from rushes.jobs order by random() limit 3")
        async with self.pool.acquire() as connection:
            await verb(connection, [row["id"] for row in rows])

    async def wait(self) -> None:
        """Time goes by: what waits becomes due, and leases run out."""
        await self.pool.execute(
            "update rushes.jobs set run_at = run_at - interval '1 hour', lease_until = lease_until - interval '1 hour'"
            " where status in ('retrying', 'processing')"
        )
        await self.queue.tick()


@pytest.mark.parametrize("seed", range(4))
async def test_statistics_equal_a_recount_after_any_history(database: Database, seed: int, full: bool):  # noqa: FBT001  (a fixture)
    queue = Queue(database.pool)
    life = Life(database, queue, await queue.enter(), seed)
    for step in range(400 if full else 60):
        await life.go_on()
        if step % 10 == 9:
            found = await statistics(database.pool, by_kind=True)
            for kind in (None, *found["by_kind"]):
                row = (await database.pool.fetch(RECOUNT, kind))[0]
                numbers = found["by_kind"][kind] if kind else found
                assert {name: numbers[name] for name in dict(row)} == pytest.approx(dict(row), abs=0.0011), kind
                alone = await statistics(database.pool, kind)
                assert {name: alone[name] for name in dict(row)} == {name: numbers[name] for name in dict(row)}


async def _ended(database: Database, *, count: int, spread: float) -> None:
    """Jobs that waited and ran for anything from a millisecond to hours, and are added up."""
    async with database.pool.acquire() as connection:
        rows = await connection.fetch(
            "insert into rushes.jobs (kind, status, created_at, started_at, finished_at)"
            " select 'download', 'completed', made, made + make_interval(secs => exp(random() * $2) / 1000),"
            " made + make_interval(secs => exp(random() * $2) / 1000 + exp(random() * $2) / 1000)"
            " from generate_series(1, $1::integer), (select now() - interval '1 day' as made) ago returning id",
            count, spread,
        )  # fmt: skip
        await connection.execute("update rushes.jobs set finished_at = greatest(finished_at, started_at)")
        await tally(connection, [row["id"] for row in rows])


@pytest.mark.parametrize("spread", [2, 9, 17])
async def test_percentiles_are_within_a_twentieth(database: Database, spread: float):
    await _ended(database, count=2000, spread=spread)
    found = await statistics(database.pool)
    for name, exact in dict((await database.pool.fetch(PERCENTILES))[0]).items():
        assert found[name] == pytest.approx(exact, abs=0.05 * exact + 0.0011), name  # and told in milliseconds


async def test_a_window_counts_what_ended_in_it(database: Database, history: History):
    async with database.pool.acquire() as connection:
        await tally(connection, await history.add("completed", 3, days=5))
        await tally(connection, await history.add("failed", 2, days=1))
        await tally(connection, await history.add("completed", 4))
        await history.add("queued", 6, days=5)
        for _ in range(2):  # and the same after rows of an hour are one
            day, ever = await statistics(database.pool, window=timedelta(days=2)), await statistics(database.pool)
            assert (day["completed"], day["failed"], day["total_jobs"]) == (4, 2, 12)
            assert (ever["completed"], ever["failed"], ever["total_jobs"]) == (7, 2, 15)
            week = await statistics(database.pool, window=timedelta(days=7))
            assert (week["completed"], week["success_rate"]) == (7, pytest.approx(77.78))
            assert day["throughput"] == pytest.approx(6 / 172_800, rel=0.01)
            assert ever["throughput"] == pytest.approx(4 / 3600, rel=0.02)
            await roll_up(connection)


async def test_the_oldest_waiting_is_the_oldest_that_could_start(database: Database, history: History):
    assert (await statistics(database.pool))["oldest_waiting"] is None
    await history.add("queued", days=3, kind="transcribe", priority=9)
    await history.add("queued", days=2)
    await history.add("retrying", days=8)
    found = await statistics(database.pool, by_kind=True)
    assert found["oldest_waiting"] == pytest.approx(3 * 86_400, abs=60)
    assert found["by_kind"]["download"]["oldest_waiting"] == pytest.approx(2 * 86_400, abs=60)


async def test_what_is_paused_is_said(database: Database, history: History, rushes: Rushes):
    batch = await database.pool.fetchval(
        "insert into rushes.batches (name, pipeline, plan, trust) values ('b', 'p', '{}', 'local') returning id"
    )
    await history.add("queued", batch_id=batch, days=9)
    await history.add("queued", 2)
    await rushes("batch", "pause", batch)
    await rushes("queue", "pause", "--kind", "transcribe")
    found = (await rushes("queue", "stats", "--json")).json
    assert (found["paused"], found["paused_batches"]) == (["transcribe"], [batch])
    assert found["queued"] == 3
    assert found["oldest_waiting"] < 60


async def test_statistics_read_no_row_that_has_ended(database: Database, history: History):
    """Also where the planner still believes that everything waits."""
    await history.add("queued", 20_000)
    await database.pool.execute("analyze rushes.jobs")
    await database.pool.execute("update rushes.jobs set status = 'completed', finished_at = now() where id > 50")
    await database.pool.execute("vacuum rushes.jobs")
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off; set local jit = off")
        plan = await connection.fetchval(
            f"explain (analyze, buffers, format json) {sql('statistics')}", None, None, True
        )
    scans = [node for node in _nodes(plan[0]["Plan"]) if node.get("Relation Name") == "jobs"]
    assert scans
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Index Only Scan"}
    assert sum(node["Shared Hit Blocks"] + node["Shared Read Blocks"] for node in scans) < 400


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


async def test_stats_shows_each_kind(history: History, rushes: Rushes):
    await history.add("queued", 3)
    await history.add("queued", 2, kind="transcribe")
    said = await rushes("queue", "stats", "--by-kind")
    rows = {line.split()[0]: line.split() for line in said.out.splitlines()}
    assert (rows["queue"][-1], rows["download"][1], rows["transcribe"][1]) == ("5", "3", "2")
    numbers = (await rushes("queue", "stats", "--window", "24h", "--by-kind", "--json")).json
    assert numbers["by_kind"]["transcribe"]["queued"] == 2
    assert (await rushes("queue", "stats", "--kind", "transcribe", "--json")).json["queued"] == 2


@pytest.mark.parametrize("window", ["yesterday", "1e300", "-5h", "nan"])
async def test_a_window_is_a_length_of_time(rushes: Rushes, window: str):
    said = await rushes("queue", "stats", f"--window={window}")
    assert said.code == 2
    assert "not a length of time" in said.err
