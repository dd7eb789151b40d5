"""awa with its queue_storage engine: COPY into the queue, its own asynchronous worker with large claims."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

import _tally
import asyncpg
import awa
from _driver import DSN, Peer, main

WORKERS = int(os.environ.get("BENCH_CONCURRENCY", "256"))
BATCH = int(os.environ.get("BENCH_BATCH", "512"))
ENDED = """
select (select coalesce(sum(completed_count), 0) from awa.receipt_completion_batches where queue = 'bench')
    + (select count(*) from awa.done_entries where queue = 'bench' and state = 'completed')
    + (select coalesce(sum(pruned_completed_count), 0) from awa.queue_terminal_rollups where queue = 'bench')
"""
"""Completions that are still in the ring, and those of segments that were rotated out and left a sum."""


@dataclass
class Noop:
    sent: float


class Awa(Peer):
    chunk = 5000

    async def open(self) -> None:
        self.connection = await asyncpg.connect(DSN)
        self.client = awa.AsyncClient(DSN, max_connections=20)

    async def setup(self) -> None:
        await self.client.migrate()
        await self.client.install_queue_storage()

    async def add(self, count: int) -> None:
        await self.client.enqueue_many_copy([Noop(0.0)] * count, queue="bench")

    async def send(self, sent: float) -> None:
        await self.client.insert(Noop(sent), queue="bench")

    async def settled(self) -> bool:
        """As many completions as starts of this and all earlier phases of the run."""
        return await self.connection.fetchval(ENDED) >= _tally.started_in_all_phases()

    async def work(self) -> None:
        @self.client.task(Noop, queue="bench")
        async def noop(job):  # noqa: ANN001, ANN202  (its annotations are looked at, and want its own names)
            _tally.started(job.args.sent)

        queue = {"name": "bench", "max_workers": WORKERS, "claimers": 1, "claim_batch_size": BATCH}
        await self.client.start([queue], poll_interval_ms=50)
        await asyncio.Event().wait()


main(Awa(), fast=True)
