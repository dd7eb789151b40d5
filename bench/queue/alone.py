"""What only Rushes is asked: whether a long queue, history or life slows it down, and what an idle worker costs.

Rates come from the database's own times, of jobs with consecutive numbers: from the first claim to the last settlement.
Every pair of sizes is measured in turn, on two databases of one server.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.queue.contestants import BY_NAME
from bench.queue.measuring import Drivers, end
from bench.queue.places import ROOT, cache
from bench.queue.postgres import Server

SLOTS = 1000
SAMPLE_SECONDS = 0.5
RATE = """
select count(*) / extract(epoch from max(finished_at) - min(started_at))::double precision
from rushes.jobs where id > $1 and id <= $2 and status = 'completed'
"""
FILL = "insert into rushes.jobs (kind, payload) select 'noop', '{\"sent\": 0}' from generate_series(1, $1::integer)"
FILL_ENDED = """
insert into rushes.jobs
    (kind, payload, status, attempts, token, result, progress, created_at, started_at, finished_at)
select
    'noop', '{"sent": 0}', 'completed', 1, 1, '{"notes": [], "engine": null, "reused": false}', 1,
    now() - interval '1 hour', now() - interval '30 minutes', now() - interval '29 minutes'
from generate_series(1, $1::integer)
"""


@dataclass(frozen=True, slots=True)
class AloneSizes:
    few_waiting: int = 10_000
    many_waiting: int = 1_000_000
    kept: int = 5_000_000
    beside_kept: int = 50_000
    rounds: int = 5
    idle_seconds: float = 20.0


SMALL = AloneSizes(few_waiting=1000, many_waiting=5000, kept=5000, beside_kept=1000, rounds=1, idle_seconds=4.0)


@dataclass(frozen=True, slots=True)
class AloneFigures:
    """Rates in jobs a second."""

    with_few_waiting: float
    with_many_waiting: float
    with_none_kept: float
    with_many_kept: float
    idle_statements: float
    """A second, of one worker."""
    memory_early: float
    """Megabytes of one worker when it had done a twentieth."""
    memory_growth: float
    """From then to the highest until the end."""
    jobs_lived_through: int


async def measure_alone(server: Server, environment: Mapping[str, str], sizes: AloneSizes) -> AloneFigures:
    few, many, early, growth, lived, idle = await _queue_length(server, environment, sizes)
    none_kept, many_kept = await _history(server, environment, sizes)
    return AloneFigures(few, many, none_kept, many_kept, idle, early, growth, lived)


class Bed:
    """A database with Rushes' tables, and workers on it."""

    def __init__(self, dsn: str, connection: asyncpg.Connection, folder: Path, environment: Mapping[str, str]) -> None:
        self.connection = connection
        self.folder = folder
        self._environment = {
            **environment, "RUSHES_DATABASE_URL": dsn, "BENCH_DSN": dsn, "BENCH_FOLDER": str(folder),
        }  # fmt: skip

    def prepare(self) -> None:
        Drivers(BY_NAME["rushes"], sys.executable, self._environment).phase("setup", folder=self.folder)

    async def fill(self, count: int, *, ended: bool = False) -> None:
        await self.connection.execute(FILL_ENDED if ended else FILL, count, timeout=1800)
        await self.connection.execute("vacuum (analyze, freeze) rushes.jobs", timeout=1800)
        await self.connection.execute("checkpoint")

    @contextlib.asynccontextmanager
    async def worker(self, *bounds: str) -> AsyncIterator[subprocess.Popen[str]]:
        command = [
            sys.executable, "-m", "rushes", "worker", "--import", "bench.queue.noop_stage", "--kinds", "noop",
            "--concurrency", f"noop={SLOTS}", *bounds,
        ]  # fmt: skip
        process = subprocess.Popen(  # noqa: ASYNC220  (nothing else waits meanwhile)
            command, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(end, process)

    async def rate_of(self, count: int) -> float:
        """Settle the next `count` jobs."""
        first = await self.connection.fetchval("select min(id) from rushes.jobs where status = 'queued'")
        async with self.worker("--max-jobs", str(count)) as process:
            await asyncio.to_thread(process.wait)
        return float(await self.connection.fetchval(RATE, first - 1, first - 1 + count))


@contextlib.asynccontextmanager
async def _bed(server: Server, environment: Mapping[str, str], name: str) -> AsyncIterator[Bed]:
    with tempfile.TemporaryDirectory(prefix="run-", dir=cache()) as folder:
        async with server.database(name) as dsn:
            connection = await asyncpg.connect(dsn)
            bed = Bed(dsn, connection, Path(folder), environment)
            bed.prepare()
            try:
                yield bed
            finally:
                await connection.close()


async def _queue_length(
    server: Server, environment: Mapping[str, str], sizes: AloneSizes
) -> tuple[float, float, float, float, int, float]:
    few, many = [], []
    async with (
        _bed(server, environment, "bench_few_waiting") as short,
        _bed(server, environment, "bench_many_waiting") as long,
    ):
        await long.fill(sizes.many_waiting + sizes.few_waiting * sizes.rounds)
        for _ in range(sizes.rounds):
            await short.fill(sizes.few_waiting)
            few.append(await short.rate_of(sizes.few_waiting))
            many.append(await long.rate_of(sizes.few_waiting))
        early, growth = await _memory(long, sizes.many_waiting)
        idle = await _idle_statements(server, long, sizes.idle_seconds)
    return statistics.median(few), statistics.median(many), early, growth, sizes.many_waiting, idle


async def _history(server: Server, environment: Mapping[str, str], sizes: AloneSizes) -> tuple[float, float]:
    none_kept: list[float] = []
    many_kept: list[float] = []
    async with (
        _bed(server, environment, "bench_none_kept") as fresh,
        _bed(server, environment, "bench_many_kept") as old,
    ):
        await old.fill(sizes.kept, ended=True)
        for _ in range(sizes.rounds):
            await fresh.connection.execute("truncate rushes.jobs, rushes.tallies cascade")
            for bed, rates in ((fresh, none_kept), (old, many_kept)):
                await bed.fill(sizes.beside_kept)
                rates.append(await bed.rate_of(sizes.beside_kept))
    return statistics.median(none_kept), statistics.median(many_kept)


async def _memory(bed: Bed, jobs: int) -> tuple[float, float]:
    """Megabytes of one worker after a twentieth of the jobs, and how far it grew beyond that."""
    begun = await bed.connection.fetchval("select min(id) from rushes.jobs where status = 'queued'")
    early, highest = 0.0, 0.0
    async with bed.worker("--max-jobs", str(jobs)) as process:
        while process.poll() is None:
            now = _resident_megabytes(process.pid)
            next_id = await bed.connection.fetchval(
                "select id from rushes.jobs where status = 'queued' order by priority desc, id limit 1"
            )
            if next_id is not None and next_id - begun < jobs / 20:
                early = now
            highest = max(highest, now)
            await asyncio.sleep(SAMPLE_SECONDS)
    return early, max(0.0, highest - early)


def _resident_megabytes(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


async def _idle_statements(server: Server, bed: Bed, seconds: float) -> float:
    """What the server logs of a worker that finds nothing to do. A transaction's begin and commit count as well."""
    async with bed.worker():
        await asyncio.sleep(4)  # it looks around when it starts
        await bed.connection.execute("alter system set log_statement = 'all'")
        await bed.connection.execute("select pg_reload_conf()")
        begun = server.log.stat().st_size
        await asyncio.sleep(seconds)
        with server.log.open("rb") as log:
            log.seek(begun)
            said = log.read().decode(errors="replace")
        await bed.connection.execute("alter system reset log_statement")
        await bed.connection.execute("select pg_reload_conf()")
    lines = [line for line in said.splitlines() if " rushes LOG:  " in line]
    return sum("LOG:  statement:" in line or "LOG:  execute " in line for line in lines) / seconds
