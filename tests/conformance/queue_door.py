"""The PostgreSQL queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rushes.database import Database
from rushes.queue import NewJob, Queue
from rushes.settings import Settings
from rushes.sources.base import WorkSource
from rushes.sources.postgres import QueueSource

_STATES = {"queued": "waiting", "retrying": "waiting", "processing": "leased", "completed": "done", "failed": "failed"}


class QueueDoor:
    """Jobs without items, each of them one stage."""

    name = "queue"
    differences: frozenset[str] = frozenset()
    slot = "door"

    def __init__(self, database: Database, settings: Settings, folder: Path) -> None:
        self._database = database
        self._settings = settings
        self._folder = folder

    async def put(self, count: int) -> None:
        jobs = [NewJob("door", payload={"url": f"https://example.org/{n}"}) for n in range(count)]
        await Queue(self._database.pool).enqueue(jobs)

    def source(self) -> WorkSource:
        return QueueSource(self._database.pool, Queue(self._database.pool))

    async def expire(self) -> None:
        await self._database.pool.execute("update rushes.jobs set lease_until = now() where status = 'processing'")

    async def states(self) -> Counter[str]:
        rows = await self._database.pool.fetch("select status, count(*) from rushes.jobs group by status")
        found: Counter[str] = Counter()
        for row in rows:
            found[_STATES[row["status"]]] += row["count"]
        return found

    def command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        return (
            ["--kinds", "door", "--concurrency", "door=4"],
            {"RUSHES_HOME": str(self._settings.home), "RUSHES_STORAGE": str(self._folder), "RUSHES_LEASE": "2"},
        )
