"""A PostgreSQL that may be stopped, workers on it that may be killed, and what each of them wrote down."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from rushes.database import LOST
from rushes.model import JobId, Retries
from rushes.queue import NewJob, Queue
from tests.database.conftest import OwnServer

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(eq=False)
class Worker:
    """A running `rushes worker`."""

    process: subprocess.Popen[str]
    log: Path

    def signal(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def lines(self) -> list[dict[str, Any]]:
        """What its stage noted."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def cpu(self) -> float:
        """Seconds of CPU that it has used (proc(5), fields 14 and 15 of stat)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    async def report(self, within: float = 60) -> dict[str, Any]:
        """Wait for its end, which must be a good one and come within so many seconds. Returns what it printed."""
        out, err = await asyncio.to_thread(self.process.communicate, timeout=within)
        assert self.process.returncode == 0, err
        report: dict[str, Any] = json.loads(out)
        return report


@dataclass
class Site:
    """One database of the server and the workers at it."""

    server: OwnServer
    url: str
    pool: asyncpg.Pool[asyncpg.Record]
    logs: Path
    workers: list[Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queue = Queue(self.pool)

    def start(self, *arguments: str, **variables: str) -> Worker:
        environment = {
            **os.environ, "RUSHES_HOME": str(self.logs), "RUSHES_STORAGE": str(self.logs / "artifacts"),
            "RUSHES_DATABASE_URL": self.url, "RUSHES_LEASE": "2", "FIRE_LOGS": str(self.logs), **variables,
        }  # fmt: skip
        command = ["worker", "--kinds", "burn", "--import", "burning_stages", "--json", *arguments]
        process = subprocess.Popen(
            [sys.executable, "-m", "rushes", *command],
            cwd=HERE, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.workers.append(Worker(process, self.logs / f"{process.pid}.log"))
        return self.workers[-1]

    async def enqueue(self, payloads: Sequence[Mapping[str, Any]], *, attempts: int = 3) -> list[JobId]:
        retries = Retries(max_attempts=attempts)
        return await self.queue.enqueue(
            [
                NewJob("burn", payload={"url": f"https://example.org/{n}", **payload}, retries=retries)
                for n, payload in enumerate(payloads)
            ]
        )

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Read, also while the server is being restarted."""
        while True:
            try:
                return list(await self.pool.fetch(statement, *arguments))
            except LOST:
                await asyncio.sleep(0.05)

    async def count(self, *statuses: str) -> int:
        (row,) = await self.fetch("select count(*) from rushes.jobs where status = any($1::text[])", list(statuses))
        return int(row[0])

    async def until(self, condition: Callable[[], Awaitable[bool] | bool]) -> None:
        """Wait for something that the workers do; the test's own time limit bounds it."""
        while True:
            met = condition()
            if met if isinstance(met, bool) else await met:
                return
            await asyncio.sleep(0.02)

    async def until_started(self, worker: Worker, runs: int = 1) -> None:
        await self.until(lambda: sum(line["event"] == "start" for line in worker.lines()) >= runs or not worker.alive)

    async def until_ended(self, jobs: int) -> None:
        async def ended() -> bool:
            return await self.count("completed", "failed", "cancelled") == jobs

        await self.until(ended)

    def end(self) -> None:
        for worker in self.workers:
            if worker.alive:
                worker.signal(signal.SIGCONT)
                worker.signal(signal.SIGKILL)
            worker.process.communicate()
