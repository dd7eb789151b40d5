"""Command line of `./dev bench layouts`."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from bench._programs import processor_seconds, table
from bench.layouts.layouts import LAYOUTS, Layout
from bench.queue.postgres import Server, running_server
from rushes.database.connect import dial
from rushes.database.schema import our_revisions, upgrade
from rushes.database.url import parse_url

BATCH = 500
AHEAD = 2
"""Claimed batches that may wait for the settling connection."""
BY_KEY = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off"
"""Rows are found one by one by their key. Left alone, the planner goes through a small table once for each batch."""


@dataclass(frozen=True, slots=True)
class Figures:
    enqueued: float
    settled: float
    """A second, claims committed like everything else."""
    settled_asynchronously: float
    """The same with claims that do not wait for the disk: losing one only repeats work."""
    cpu: float
    """Microseconds a job of the server's two processes, claims asynchronous. Who else is on the machine hardly matters."""
    wal: float
    dead: float
    disk: float
    """Bytes a job, of all tables and indexes, of the whole life."""


def main() -> None:
    arguments = argparse.ArgumentParser(prog="./dev bench layouts", description=__doc__)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--jobs", type=int, default=50_000, help="settled in each measurement")
    arguments.add_argument("--kept", type=int, default=500_000, help="jobs that have ended and lie there already")
    given = arguments.parse_args()
    found: dict[str, list[Figures]] = {layout.name: [] for layout in LAYOUTS}
    with running_server() as server:
        for number in range(given.runs):
            for layout in LAYOUTS:
                print(f"run {number + 1} of {given.runs}: {layout.name}", file=sys.stderr, flush=True)
                found[layout.name].append(asyncio.run(_measure(server, layout, given.jobs, given.kept)))
    print(f"medians of {given.runs} runs, taken in turn: {given.jobs:,} jobs beside {given.kept:,} that have ended")
    print(_describe(found))


async def _measure(server: Server, layout: Layout, jobs: int, kept: int) -> Figures:
    async with server.database("bench_layouts") as dsn:
        connection = await _prepare(dsn, layout)
        await connection.execute(layout.history, kept, timeout=600)
        await connection.execute("vacuum (analyze, freeze)", timeout=600)
        await connection.execute("checkpoint")
        size = await _size(connection)
        enqueued = await _enqueue(connection, layout, jobs)
        before = await _wal(connection)
        settled, _ = await _drain(dsn, connection, layout, jobs, synchronous_claim="on")
        wal = (await _wal(connection) - before) / jobs
        disk = (await _size(connection) - size) / jobs
        await _enqueue(connection, layout, jobs)
        quick, cpu = await _drain(dsn, connection, layout, jobs, synchronous_claim="off")
        await connection.close()
        dead = (await server.counters("bench_layouts")).dead
    return Figures(enqueued, settled, quick, cpu, wal, dead, disk)


async def _prepare(dsn: str, layout: Layout) -> asyncpg.Connection:
    """Rushes' own schema, and beside it the layout's tables."""
    connection = await dial(parse_url(dsn))
    await upgrade(connection, our_revisions(), where=dsn)
    await connection.close()
    plain = await asyncpg.connect(dsn)
    if layout.tables:
        await plain.execute(layout.tables)
    return plain


async def _enqueue(connection: asyncpg.Connection, layout: Layout, jobs: int) -> float:
    began = time.perf_counter()
    async with connection.transaction():
        await connection.copy_records_to_table(
            layout.copied, schema_name="rushes", columns=["kind", "payload"], records=[("noop", '{"sent": 0}')] * jobs
        )
        if layout.after_copy:
            await connection.execute(layout.after_copy)
    return jobs / (time.perf_counter() - began)


async def _drain(
    dsn: str, connection: asyncpg.Connection, layout: Layout, jobs: int, *, synchronous_claim: str
) -> tuple[float, float]:
    """Jobs a second, and microseconds of the server's processors for each."""
    claiming, settling = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    await claiming.execute(f"set synchronous_commit = {synchronous_claim}")
    for one in (claiming, settling):
        await one.execute(BY_KEY)
    claimed: asyncio.Queue[Sequence[asyncpg.Record]] = asyncio.Queue(AHEAD)
    began = time.perf_counter()
    await asyncio.gather(_claim(claiming, layout, claimed), _settle(settling, layout, claimed))
    seconds = time.perf_counter() - began
    if await connection.fetchval(layout.left):
        raise SystemExit(f"{layout.name}: something was left, so the measurement is void")
    cpu = processor_seconds([await one.fetchval("select pg_backend_pid()") for one in (claiming, settling)])
    await claiming.close()
    await settling.close()
    return jobs / seconds, cpu / jobs * 1e6


async def _claim(
    connection: asyncpg.Connection, layout: Layout, claimed: asyncio.Queue[Sequence[asyncpg.Record]]
) -> None:
    while True:
        rows = await connection.fetch(layout.claim, BATCH)
        await claimed.put(rows)
        if not rows:
            return


async def _settle(
    connection: asyncpg.Connection, layout: Layout, claimed: asyncio.Queue[Sequence[asyncpg.Record]]
) -> None:
    while rows := await claimed.get():
        outcomes = ([row["id"] for row in rows], [row["token"] for row in rows], ['{"ok": true}'] * len(rows))
        await connection.execute(layout.settle, *outcomes)


async def _wal(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"))


async def _size(connection: asyncpg.Connection) -> int:
    sizes = "select sum(pg_total_relation_size(relid))::bigint from pg_stat_user_tables"
    return int(await connection.fetchval(sizes))


def _describe(found: dict[str, list[Figures]]) -> str:
    header = ("", "enqueued/s", "settled/s", "claims async", "CPU µs/job", "WAL B/job", "dead rows", "disk B/job")
    rows = [
        [name, *(f"{statistics.median(getattr(run, column) for run in runs):,.0f}" for column in Figures.__slots__)]
        for name, runs in found.items()
    ]
    return table(header, rows)


if __name__ == "__main__":
    main()
