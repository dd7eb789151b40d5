"""procrastinate on psycopg: `batch_defer_async`; one worker with many coroutines, LISTEN/NOTIFY on."""

from __future__ import annotations

import asyncio
import os

import _tally
from _driver import DSN, Peer, main
from procrastinate import App, PsycopgConnector

CONCURRENCY = int(os.environ.get("BENCH_CONCURRENCY", "50"))
app = App(connector=PsycopgConnector(conninfo=DSN, max_size=20))
LIVE = "select exists (select from procrastinate_jobs where status in ('todo', 'doing')) as live"


@app.task(queue="bench")
async def noop(sent: float) -> None:
    _tally.started(sent)


class Procrastinate(Peer):
    async def open(self) -> None:
        await app.open_async()

    async def setup(self) -> None:
        await app.schema_manager.apply_schema_async()

    async def add(self, count: int) -> None:
        await noop.batch_defer_async(*[{"sent": 0}] * count)

    async def send(self, sent: float) -> None:
        await noop.defer_async(sent=sent)

    async def settled(self) -> bool:
        return not (await app.connector.execute_query_one_async(LIVE))["live"]

    async def work(self) -> None:
        await app.run_worker_async(queues=["bench"], concurrency=CONCURRENCY, install_signal_handlers=False)
        await asyncio.Event().wait()


main(Procrastinate(), fast=True)
