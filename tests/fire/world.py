"""The real queue for a checker that is not asynchronous: one loop, one pool, and what a test may do to time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from asyncpg import Record

from rushes.database import Database, open_database
from rushes.model import WorkerId
from rushes.queue import Queue
from rushes.settings import Settings

T = TypeVar("T")
ROWS = (
    "jobs",
    "items",
    "batches",
    "artifacts",
    "video_aliases",
    "videos",
    "workers",
    "tallies",
    "pauses",
    "lanes",
    "limits",
)


class World:
    """One queue in a real database, driven from code that waits for each step."""

    def __init__(self, runner: asyncio.Runner, database: Database) -> None:
        self._runner = runner
        self.pool = database.pool
        self.queue = Queue(database.pool, lease=timedelta(seconds=60))

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(step)

    def fetch(self, statement: str, *arguments: object) -> Sequence[Record]:
        return self.run(self.pool.fetch(statement, *arguments))

    def execute(self, statement: str, *arguments: object) -> None:
        self.run(self.pool.execute(statement, *arguments))

    def control(self, verb: Any, *arguments: object) -> Any:
        """A verb of `rushes.queue.control`, on a connection of its own."""

        async def act() -> Any:
            async with self.pool.acquire() as connection:
                return await verb(connection, *arguments)

        return self.run(act())

    def empty(self) -> None:
        """Deleting a few rows takes a tenth of the time of truncating as many tables."""
        for table in ROWS:
            self.execute(f"delete from rushes.{table}")

    def kill(self, worker: WorkerId) -> WorkerId:
        """Let this worker be one whose process is gone, as the next that enters on its host finds out."""
        self.execute("update rushes.workers set process_started = -1 where id = $1", worker)
        return self.run(self.queue.enter())


@contextmanager
def world_of(settings: Settings) -> Iterator[World]:
    with asyncio.Runner() as runner:
        opened = open_database(settings)
        database = runner.run(opened.__aenter__())
        try:
            world = World(runner, database)
            world.empty()
            yield world
        finally:
            runner.run(opened.__aexit__(None, None, None))
