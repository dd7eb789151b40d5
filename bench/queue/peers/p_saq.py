"""SAQ on PostgreSQL: no bulk call, so a hundred `enqueue` at once over its pool; one worker with many coroutines."""

from __future__ import annotations

import asyncio
import os

import _tally
from _driver import DSN, Peer, main
from saq import Queue, Worker

CONCURRENCY = int(os.environ.get("BENCH_CONCURRENCY", "300"))
LIVE = "select exists (select from saq_jobs where status in ('queued', 'active', 'new'))"


async def noop(_context: object, *, sent: float) -> None:
    _tally.started(sent)


class Saq(Peer):
    chunk = 100

    async def open(self) -> None:
        self.queue = Queue.from_url(DSN)
        await self.queue.connect()

    async def add(self, count: int) -> None:
        await asyncio.gather(*(self.queue.enqueue("noop", sent=0) for _ in range(count)))

    async def send(self, sent: float) -> None:
        await self.queue.enqueue("noop", sent=sent)

    async def settled(self) -> bool:
        async with self.queue.pool.connection() as connection:
            found = await (await connection.execute(LIVE)).fetchone()
        return not found[0]

    async def work(self) -> None:
        await Worker(self.queue, functions=[noop], concurrency=CONCURRENCY).start()


main(Saq(), fast=True)
