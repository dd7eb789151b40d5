"""What each hot statement looks at in the table of jobs, however many wait there or have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from rushes.database import Database
from rushes.model import JSON
from rushes.queue.statements import sql
from tests.plans import WHOLE, explain, read, sorted_rows, walked

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

LEASE = timedelta(seconds=60)
MANY = 100
"""Jobs in one claim, one settlement, one heartbeat; twice as many run, and as many are due."""
RUNNING = """
    insert into rushes.jobs (kind, status, worker_id, token, attempts, lease_until, started_at)
    select
        'fetch', 'processing', n % 2 + 1, 1, 1,
        now() + case when n % 4 > 0 then interval '1 minute' else '-1 minute' end, now()
    from generate_series(1, $1) n returning id, token, worker_id"""
DUE = """
    insert into rushes.jobs (kind, status, run_at, attempts)
    select 'fetch', 'retrying', now() + case when n % 2 = 0 then interval '1 hour' else '-1 hour' end, 1
    from generate_series(1, $1) n"""
WAITING = """
    insert into rushes.jobs (kind, priority)
    select (array['fetch', 'write'])[n % 2 + 1], n % 11 from generate_series(1, $1) n"""
ENDED = """
    insert into rushes.jobs (kind, status, attempts, started_at, finished_at, created_at, result)
    select
        (array['fetch', 'write'])[n % 2 + 1], case when n % 1000 = 0 then 'failed' else 'completed' end, 1,
        now() - interval '1 hour', now() - interval '1 hour', now() - interval '2 hours', '{"notes": []}'
    from generate_series(1, $1) n"""


@dataclass(frozen=True)
class Running:
    """What two workers run: ids, tokens, workers."""

    ids: list[int]
    tokens: list[int]
    workers: list[int]


Arguments = Callable[[Running], Sequence[Any]]


@dataclass(frozen=True)
class Hot:
    """A statement, realistic arguments, and how many rows of jobs it may look at."""

    name: str
    arguments: Arguments
    most: int
    first: tuple[str, ...] = ()
    """What its caller sets before."""
    counts_what_waits: bool = False
    """It counts all that waits, in an index."""


def outcomes(verdict: str, result: JSON | None, error_class: str | None) -> Arguments:
    def arguments(at: Running) -> Sequence[Any]:
        many = len(at.ids)
        return (
            at.ids, at.tokens, at.workers, [verdict] * many, [result] * many, [None] * many, [error_class] * many,
            [None] * many, [None] * many, [None] * many,
        )  # fmt: skip

    return arguments


def slots(*, batch: int | None) -> Arguments:
    return lambda _: (["fetch", "write"], [MANY // 2] * 2, 1, LEASE, "here", batch, False)


STATISTICS = ("set local enable_seqscan = off", "set local jit = off")
HOT = (
    Hot("claim", slots(batch=None), 4 * MANY),
    Hot("claim", slots(batch=1), 4 * MANY),
    Hot("settle", outcomes("completed", {"notes": []}, None), 2 * MANY),
    Hot("settle", outcomes("retry", None, "transient"), 2 * MANY),
    Hot("settle", outcomes("returned", None, None), 2 * MANY),
    Hot("tally", lambda at: (at.ids, 1), MANY),
    Hot(
        "extend",
        lambda at: (at.ids, at.tokens, at.workers, [0.5] * len(at.ids), ["half"] * len(at.ids), LEASE),
        4 * MANY,
    ),
    Hot("due", lambda _: (), 10),
    Hot("promote", lambda _: (1000,), 3 * MANY),
    Hot("expired", lambda _: (1000,), 2 * MANY),
    Hot("orphaned", lambda at: (at.workers,), 2 * MANY),
    Hot("enqueue_next", lambda at: (at.ids,), MANY),
    Hot("statistics", lambda _: (None, None, True), 6 * MANY, first=STATISTICS, counts_what_waits=True),
    Hot("pending_jobs", lambda _: (None, 50), 200),
    Hot("processing_jobs", lambda _: (None, 50), 2 * MANY),
    Hot("cancel_jobs", lambda at: (at.ids,), 2 * MANY),
    Hot("prioritize_jobs", lambda at: (at.ids, 5), 2 * MANY),
)


async def guard(database: Database, running: Running, *, waiting: int = 0, small: bool = False) -> None:
    """Put every hot statement to the test, by a plan made for any arguments, and by one made for those it has.

    The latter is made anew each time: on a small table it may well be to read it whole.
    """
    broken = []
    for hot in HOT:
        for generic in (True,) if small else (True, False):
            plan = await explain(database, sql(hot.name), *hot.arguments(running), generic=generic, first=hot.first)
            most = hot.most + (waiting if hot.counts_what_waits else 0)
            if WHOLE in walked(plan):
                broken.append(f"{hot.name} ({generic=}) goes through the whole table")
            if read(plan) > most:
                broken.append(
                    f"{hot.name} ({generic=}) looks at {read(plan):.0f} rows, more than {most}, in {walked(plan)}"
                )
            if sorted_rows(plan) > max(2 * MANY, hot.most):
                broken.append(f"{hot.name} ({generic=}) sorts {sorted_rows(plan):.0f} rows")
    assert not broken, "\n".join(broken)


async def fill(database: Database, **counts: int) -> Running:
    """A table with so many rows of each sort, as vacuum and analyze leave it, and two workers who run some."""
    pool = database.pool
    for statement, sort in ((ENDED, "ended"), (WAITING, "waiting"), (DUE, "due")):
        await pool.execute(statement, counts.get(sort, 0), timeout=1800)
    rows = await pool.fetch(RUNNING, counts.get("running", 0))
    await pool.execute("vacuum analyze rushes.jobs", timeout=1800)
    return Running(*([row[column] for row in rows[:MANY]] for column in ("id", "token", "worker_id")))


async def test_on_an_empty_table(database: Database):
    await guard(database, Running(list(range(1, MANY + 1)), [1] * MANY, [1] * MANY), small=True)


@pytest.mark.timeout(900)
async def test_with_a_million_jobs_waiting(database: Database, *, full: bool):
    waiting = 1_000_000 if full else 100_000
    running = await fill(database, waiting=waiting, running=2 * MANY, due=2 * MANY)
    await guard(database, running, waiting=waiting)


@pytest.mark.timeout(1800)
async def test_with_five_million_jobs_finished(database: Database, *, full: bool):
    running = await fill(
        database, ended=5_000_000 if full else 200_000, waiting=2 * MANY, running=2 * MANY, due=2 * MANY
    )
    await guard(database, running, waiting=2 * MANY)


async def test_with_finished_jobs_and_nothing_left_to_do(database: Database, *, full: bool):
    """A worker that idles beside a long history asks nothing of it."""
    await fill(database, ended=500_000 if full else 50_000)
    await guard(database, Running([], [], []))


async def whole_scans(connection: Connection) -> int:
    """How often anybody went through the whole table of jobs."""
    await connection.execute("select pg_stat_force_next_flush()")
    return int(await connection.fetchval("select pg_stat_get_numscans('rushes.jobs'::regclass)"))


async def test_with_plans_made_before_the_table_grew(database: Database):
    """A worker prepares its statements when it starts, often on an empty table, and keeps their plans."""
    nobody = Running([], [], [])
    async with database.pool.acquire() as connection:
        await connection.execute("set plan_cache_mode = force_generic_plan")
        early = [(hot, await connection.prepare(sql(hot.name))) for hot in HOT if not hot.first]
        for hot, statement in early:
            await statement.fetch(*hot.arguments(nobody))
        await connection.execute(WAITING, 20_000)
        before = await whole_scans(connection)
        for hot, statement in early:
            await statement.fetch(*hot.arguments(Running([1], [0], [1])))
        after = await whole_scans(connection)
        await connection.execute("reset plan_cache_mode")
    assert after == before


async def test_the_guard_objects_where_an_index_is_missing(database: Database):
    running = await fill(database, ended=20_000, waiting=20_000, running=2 * MANY, due=2 * MANY)
    made = await database.pool.fetchval("select pg_get_indexdef('rushes.jobs_ready'::regclass)")
    await database.pool.execute("drop index rushes.jobs_ready")
    try:
        with pytest.raises(AssertionError, match=r"claim .*(looks at|whole table)"):
            await guard(database, running, waiting=20_000)
    finally:
        await database.pool.execute(made)
