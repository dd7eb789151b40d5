"""Sums of what ended get fewer rows with time, and say the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from rushes.database import Database
from rushes.queue import tallies
from rushes.queue.reading import statistics
from rushes.queue.tallies import roll_up

EVER = "select coalesce(sum(jobs), 0)::bigint, round(sum(waited)), round(sum(ran)) from rushes.tallies"


@pytest.fixture
async def a_year(database: Database) -> Database:
    """Settlements of a year, one every ten minutes, two of them in each minute of the last hour."""
    await database.pool.execute(
        "insert into rushes.tallies (at, kind, status, wait, run, jobs, waited, ran)"
        " select at, 'download', (array['completed', 'failed'])[1 + n % 2], n % 3, 50, 1 + n % 4, n % 3, 2"
        " from (select date_trunc('minute', now() - make_interval(mins => 10 * n)) as at, n from generate_series(1, 52560) n"
        " union all select date_trunc('minute', now() - make_interval(mins => n / 2)), n from generate_series(0, 119) n) row"
    )
    return database


async def _finish(database: Database) -> int:
    """Calls of it until nothing is left to do."""
    async with database.pool.acquire() as connection:
        calls = 1
        while await roll_up(connection):
            calls += 1
    return calls


async def test_rows_become_few_and_sums_stay(a_year: Database):
    pool = a_year.pool
    spans = [None, *(timedelta(hours=hours) for hours in (1, 24, 48, 24 * 7, 24 * 90))]
    before = [await statistics(pool, window=span) for span in spans]
    sums = await pool.fetchrow(EVER)
    await _finish(a_year)
    assert await pool.fetchrow(EVER) == sums
    for span, was in zip(spans, before, strict=True):
        now = await statistics(pool, window=span)
        assert {**now, "throughput": 0} == {**was, "throughput": 0}, span
    found = await pool.fetch("select grain, count(*) from rushes.tallies group by grain")
    rows = {row["grain"]: row["count"] for row in found}
    assert rows[0] <= 4  # of this minute and, at its turn, the last
    assert sum(rows.values()) < 52_680 / 4


async def test_a_minute_is_left_until_it_is_over(database: Database):
    add = "insert into rushes.tallies values (date_trunc('minute', now()) + $1, 'download', 'failed', 1, 1, 1, 1, 1)"
    for minute in (timedelta(minutes=-1), timedelta(minutes=1)):
        await database.pool.execute(add, minute)
    await _finish(database)
    grains = await database.pool.fetch("select grain from rushes.tallies order by at")
    assert [row["grain"] for row in grains] == [1, 0]


async def test_what_comes_to_nothing_goes(database: Database):
    add = "insert into rushes.tallies values (now() - interval '5 min', 'download', 'failed', 1, 1, $1, $1 * 2.5, $1 * 0.5)"
    for jobs in (3, -2, -1):
        await database.pool.execute(add.replace("$1", str(jobs)))
    await _finish(database)
    assert await database.pool.fetchval("select count(*) from rushes.tallies") == 0


async def test_nobody_waits_for_another_who_is_at_it(a_year: Database):
    async with a_year.pool.acquire() as one, a_year.pool.acquire() as other:
        async with one.transaction():
            await one.execute("select pg_advisory_xact_lock(hashtextextended('rushes tallies', 0))")
            async with asyncio.timeout(10):
                assert await roll_up(other) == 0
        assert await roll_up(other) > 0


async def test_many_at_once_count_nothing_twice(a_year: Database):
    sums = await a_year.pool.fetchrow(EVER)

    async def worker() -> None:
        async with a_year.pool.acquire() as connection:
            for _ in range(20):
                await roll_up(connection)

    await asyncio.gather(*(worker() for _ in range(4)))
    assert await a_year.pool.fetchrow(EVER) == sums


async def test_a_call_takes_bounded_steps(a_year: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tallies, "STEP", 100)
    sums = await a_year.pool.fetchrow(EVER)
    async with a_year.pool.acquire() as connection:
        assert await roll_up(connection) == 100 * tallies.MOST_STEPS
    assert await a_year.pool.fetchrow(EVER) == sums
