"""pgqueuer on asyncpg and uvloop: `Queries.enqueue` with lists, `PgQueuer.run` with a batch size above its default of 10.

Its guide says to raise that for short jobs, without saying how far, so there are two rows: 100, and 1,000, beyond which
nothing was gained here. It also says to run `pgq autovac`.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta

import _tally
import asyncpg
from _driver import DSN, Peer, main
from pgqueuer import PgQueuer, Queries
from pgqueuer.db import AsyncpgDriver

BATCH = int(os.environ.get("BENCH_BATCH", "100"))


class Pgqueuer(Peer):
    async def open(self) -> None:
        self.connection = await asyncpg.connect(DSN)
        self.driver = AsyncpgDriver(self.connection)
        self.queries = Queries(self.driver)

    async def setup(self) -> None:
        await self.queries.install()
        await self.queries.optimize_autovacuum()

    async def add(self, count: int) -> None:
        await self.queries.enqueue(["noop"] * count, [b'{"sent": 0}'] * count, [0] * count)

    async def send(self, sent: float) -> None:
        await self.queries.enqueue("noop", json.dumps({"sent": sent}).encode(), 0)

    async def settled(self) -> bool:
        return not await self.connection.fetchval("select exists (select from pgqueuer)")

    async def work(self) -> None:
        worker = PgQueuer(self.driver)

        @worker.entrypoint("noop")
        async def noop(job):  # noqa: ANN001, ANN202  (pgqueuer looks at no annotations)
            _tally.started(json.loads(job.payload)["sent"])

        await worker.run(batch_size=BATCH, dequeue_timeout=timedelta(seconds=1))


main(Pgqueuer(), fast=True)
