"""Rushes, by the ways its users go: jobs through the library's queue, work by `rushes worker` in a process of its own."""

from __future__ import annotations

import os
import sys

from _driver import DSN, Peer, main

from rushes.database import open_database, reach
from rushes.database.connect import dial
from rushes.database.schema import our_revisions, upgrade
from rushes.queue import NewJob, Queue
from rushes.settings import Settings

SLOTS = os.environ.get("BENCH_SLOTS", "1000")


class Rushes(Peer):
    chunk = 10_000

    async def open(self) -> None:
        self.settings = Settings.load(database_url=DSN)

    async def setup(self) -> None:
        async with reach(self.settings) as server:
            connection = await dial(server.address)
            await upgrade(connection, our_revisions(), where=server.address.masked)
            await connection.close()

    async def _queue(self) -> Queue:
        if not hasattr(self, "database"):
            self.opened = open_database(self.settings)
            self.database = await self.opened.__aenter__()
            self.queue = Queue(self.database.pool)
        return self.queue

    async def add(self, count: int) -> None:
        queue = await self._queue()
        await queue.enqueue([NewJob("noop", payload={"sent": 0}) for _ in range(count)])

    async def send(self, sent: float) -> None:
        queue = await self._queue()
        await queue.enqueue([NewJob("noop", payload={"sent": sent})])

    async def settled(self) -> bool:
        await self._queue()
        live = "select exists (select from rushes.jobs where status in ('queued', 'processing', 'retrying'))"
        return not await self.database.pool.fetchval(live)

    def work(self) -> None:
        command = [
            sys.executable, "-m", "rushes", "worker", "--import", "bench.queue.noop_stage", "--kinds", "noop",
            "--concurrency", f"noop={SLOTS}",
        ]  # fmt: skip
        os.execve(sys.executable, command, {**os.environ, "RUSHES_DATABASE_URL": DSN})  # noqa: S606  (no shell wanted)


main(Rushes())
