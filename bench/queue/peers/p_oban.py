"""oban-py: `enqueue_many`; one queue with a high limit and a short debounce. Its bulk acknowledgements are in Oban Pro."""

from __future__ import annotations

import asyncio
import os

import _tally
from _driver import DSN, Peer, main
from oban import Oban, worker
from oban.schema import install

LIMIT = int(os.environ.get("BENCH_CONCURRENCY", "500"))
DEBOUNCE = 0.005
LIVE = "select exists (select from oban_jobs where state in ('available', 'executing', 'scheduled', 'retryable'))"


@worker(queue="bench")
class Noop:
    async def process(self, job) -> None:  # noqa: ANN001  (its own)
        _tally.started(job.args["sent"])


class ObanPeer(Peer):
    async def open(self) -> None:
        self.pool = await (await Oban.create_pool(DSN, min_size=4, max_size=20)).__aenter__()
        self.producer = Oban(pool=self.pool, name="producer")

    async def setup(self) -> None:
        await install(self.pool)

    async def add(self, count: int) -> None:
        await self.producer.enqueue_many([Noop.new({"sent": 0}) for _ in range(count)])

    async def send(self, sent: float) -> None:
        await self.producer.enqueue(Noop.new({"sent": sent}))

    async def settled(self) -> bool:
        async with self.pool.connection() as connection:
            found = await (await connection.execute(LIVE)).fetchone()
        return not found[0]

    async def work(self) -> None:
        running = Oban(pool=self.pool, queues={"bench": {"limit": LIMIT, "debounce_interval": DEBOUNCE}})
        await running.start()
        await asyncio.Event().wait()


main(ObanPeer(), fast=True)
