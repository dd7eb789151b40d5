"""One run of one contestant: every figure of its row, taken phase by phase, each phase by processes of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench._programs import family, processor_seconds
from bench.queue.contestants import BY_NAME, Contestant
from bench.queue.peers import _tally
from bench.queue.places import PEERS, ROOT, cache
from bench.queue.postgres import Server
from bench.queue.redis_server import running_redis

PHASE_WITHIN = 180.0
STOP_WITHIN = 15.0
LATENCIES = 50


@dataclass(frozen=True, slots=True)
class Sizes:
    jobs: int
    singles: int
    latencies: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One run, or the medians of several. None: it has no such thing (Redis peers write no WAL)."""

    bulk: float
    single: float
    settled_by_one: float
    settled_by_two: float
    p50: float | None
    p95: float | None
    """Milliseconds."""
    worker_cpu: float
    """Microseconds a job, without its start."""
    server_cpu: float | None
    """Of PostgreSQL's processes, autovacuum included."""
    wal: float | None
    commits: float | None
    dead: float | None


class DriverFailedError(Exception):
    """A driver's process ended badly; the words are its own."""


@dataclass(frozen=True, slots=True)
class Drivers:
    """Starts a contestant's processes."""

    contestant: Contestant
    interpreter: str
    environment: Mapping[str, str]

    def phase(self, phase: str, *numbers: int, folder: Path, driver: str | None = None) -> Any:
        """Run a phase to its end. Returns what it printed. Raises: DriverFailedError."""
        process = self.start(phase, *numbers, folder=folder, driver=driver)
        try:
            said, _ = process.communicate(timeout=PHASE_WITHIN)
        except subprocess.TimeoutExpired:
            end(process)
            raise DriverFailedError(f"{phase}: no end within {PHASE_WITHIN:.0f} s") from None
        if process.returncode:
            raise DriverFailedError(f"{phase}: {_last_words(folder)}")
        return json.loads(said.splitlines()[-1])

    def start(self, phase: str, *numbers: int, folder: Path, driver: str | None = None) -> subprocess.Popen[str]:
        program = PEERS / f"p_{driver or self.contestant.driver}.py"
        interpreter = sys.executable if driver else self.interpreter
        # A session of its own: some peers' workers have children, which have to end with them.
        with (folder / "stderr").open("a") as errors:
            return subprocess.Popen(
                [interpreter, str(program), phase, *map(str, numbers)], cwd=ROOT, text=True, start_new_session=True,
                env={**self.environment, "BENCH_FOLDER": str(folder)},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if phase != "work" else errors, stderr=errors,
            )  # fmt: skip

    @contextlib.contextmanager
    def workers(self, count: int, folder: Path) -> Iterator[list[subprocess.Popen[str]]]:
        """So many worker processes, ended afterwards."""
        processes = [self.start("work", folder=folder) for _ in range(count)]
        try:
            yield processes
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Wait a while for what was told to end, then see to it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_WITHIN)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


async def measure(drivers: Drivers, server: Server, sizes: Sizes, *, redis_fsync: str = "always") -> Figures:
    """All phases on a new database, and a new Redis if it uses one. Raises: DriverFailedError, UnavailableError."""
    one = drivers.contestant
    name = "bench_" + "".join(letter for letter in one.name if letter.isalnum())
    async with contextlib.AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(server.database(name))
        redis = stack.enter_context(running_redis(redis_fsync)) if one.redis else ""
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="run-", dir=cache()))
        given = {"BENCH_DSN": dsn, "BENCH_REDIS": redis, "BENCH_DATA": folder, **one.environment}
        own = Drivers(one, drivers.interpreter, {**drivers.environment, **given})
        return await _phases(own, server, name, sizes, Path(folder))


async def _phases(drivers: Drivers, server: Server, database: str, sizes: Sizes, folder: Path) -> Figures:
    jobs = sizes.jobs
    if prepared_by := drivers.contestant.prepared_by:
        drivers.phase("setup", folder=folder, driver=BY_NAME[prepared_by].driver)
    drivers.phase("setup", folder=folder)
    bulk = drivers.phase("bulk", jobs, folder=folder)["seconds"]
    before = await server.counters(database)
    by_one, worker_cpu = _drain(drivers, 1, jobs, _new(folder, "one"))
    spent = await server.counters(database) - before
    drivers.phase("bulk", jobs, folder=folder)
    by_two, _ = _drain(drivers, 2, jobs, _new(folder, "two"))
    single = drivers.phase("single", sizes.singles, folder=folder)["seconds"]
    taken = _latencies(drivers, sizes, _new(folder, "latency")) if drivers.contestant.latency else None
    relational = drivers.contestant.relational
    return Figures(
        bulk=jobs / bulk,
        single=sizes.singles / single,
        settled_by_one=jobs / by_one,
        settled_by_two=jobs / by_two,
        p50=statistics.median(taken) * 1000 if taken else None,
        p95=statistics.quantiles(taken, n=20)[-1] * 1000 if taken else None,
        worker_cpu=worker_cpu / jobs * 1e6,
        server_cpu=spent.cpu / jobs * 1e6 if relational else None,
        wal=spent.wal / jobs if relational else None,
        commits=spent.commits / jobs if relational else None,
        dead=spent.dead if relational else None,
    )


def _new(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def _drain(drivers: Drivers, workers: int, jobs: int, folder: Path) -> tuple[float, float]:
    """Seconds from the first job's start to the last outcome on the disk, and the processor's seconds of the workers."""
    with drivers.workers(workers, folder) as processes:
        watched = drivers.phase("watch", jobs, folder=folder)
        used = processor_seconds(one for process in processes for one in family(process.pid))
    if watched["started"] != jobs:
        raise DriverFailedError(f"{watched['started']} starts of {jobs} jobs: some ran twice")
    return float(watched["seconds"]), used - sum(before for _, _, before in _tally.read(folder))


def _latencies(drivers: Drivers, sizes: Sizes, folder: Path) -> list[float]:
    with drivers.workers(1, folder):
        drivers.phase("watch", sizes.singles, folder=folder)  # a worker that has settled what there was is idle
        return list(drivers.phase("latency", sizes.latencies, folder=folder)["latencies"])


def medians(runs: list[Figures]) -> Figures:
    values = {}
    for name in Figures.__slots__:
        found = [value for one in runs if (value := getattr(one, name)) is not None]
        values[name] = statistics.median(found) if found else None
    return Figures(**values)  # type: ignore[arg-type]  # what has no value in one run has none in any


def _last_words(folder: Path) -> str:
    lines = (folder / "stderr").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ended without a word"
