"""Rushes, by the ways its users go: jobs through the library's queue, work by `rushes worker` in a process of its own."""

from __future__ import annotations

import os
import sys

import asyncpg
from _driver import DSN, Peer, main

import rushes
from rushes.database import reach
from rushes.database.connect import dial
from rushes.database.schema import our_revisions, upgrade
from rushes.settings import Settings

SLOTS = os.environ.get("BENCH_SLOTS", "3000")


class Rushes(Peer):
    chunk = 100_000

    async def setup(self) -> None:
        async with reach(Settings.load(database_url=DSN)) as server:
            connection = await dial(server.address)
            await upgrade(connection, our_revisions(), where=server.address.masked)
            await connection.close()

    async def _queue(self) -> rushes.Queue:
        if not hasattr(self, "queue"):
            self.queue = rushes.Queue(await rushes.connect(database_url=DSN).__aenter__())
        return self.queue

    async def add(self, count: int) -> None:
        queue = await self._queue()
        await queue.enqueue_jobs(rushes.NewJob("noop", payload={"sent": 0}) for _ in range(count))

    async def send(self, sent: float) -> None:
        queue = await self._queue()
        await queue.enqueue_job(None, "noop", payload={"sent": sent})

    async def settled(self) -> bool:
        if not hasattr(self, "connection"):
            self.connection = await asyncpg.connect(DSN)
        live = "select exists (select from rushes.jobs where status in ('queued', 'processing', 'retrying'))"
        return not await self.connection.fetchval(live)

    def work(self) -> None:
        command = [
            sys.executable, "-m", "rushes", "worker", "--import", "bench.queue.noop_stage", "--kinds", "noop",
            "--concurrency", f"noop={SLOTS}",
        ]  # fmt: skip
        os.execve(sys.executable, command, {**os.environ, "RUSHES_DATABASE_URL": DSN})  # noqa: S606  (no shell wanted)


main(Rushes())
