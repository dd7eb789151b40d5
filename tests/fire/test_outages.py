"""The way to the database is cut, the server refuses or only reads: workers go on by themselves, and wait without work."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest

from rushes.queue.doorbell import CHANNEL

from .site import Site, Worker

Outage = Callable[[Site, float], AbstractAsyncContextManager[None]]
CUT_OTHERS = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)
EVERY_SO_OFTEN = 0.2
SETTLED_DOWN = 1.0
"""Seconds after its beginning until an outage is measured: who is in the middle of something notices first."""


@contextlib.asynccontextmanager
async def cut(site: Site, _seconds: float) -> AsyncIterator[None]:
    """Every connection, again and again."""
    administrator = await asyncpg.connect(site.url)

    async def again_and_again() -> None:
        while True:
            await administrator.execute(CUT_OTHERS)
            await asyncio.sleep(EVERY_SO_OFTEN)

    cutting = asyncio.create_task(again_and_again())
    yield
    cutting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await cutting
    await administrator.close()


async def _only_read(site: Site, *, on: bool, whole_server: bool) -> None:
    administrator = await asyncpg.connect(site.url, server_settings={"default_transaction_read_only": "off"})
    name = await administrator.fetchval("select current_database()")
    scope = "system" if whole_server else f"database {name}"
    await administrator.execute(f"alter {scope} set default_transaction_read_only = {'on' if on else 'off'}")
    await administrator.execute("select pg_reload_conf()")
    if on:
        await administrator.execute(CUT_OTHERS)
    await administrator.close()


@contextlib.asynccontextmanager
async def becomes_a_standby(site: Site, _seconds: float) -> AsyncIterator[None]:
    """The server only reads, until it is promoted: its sessions may write from then on."""
    await _only_read(site, on=True, whole_server=True)
    yield
    await _only_read(site, on=False, whole_server=True)


@contextlib.asynccontextmanager
async def reached_the_old_primary(site: Site, _seconds: float) -> AsyncIterator[None]:
    """Whoever connects during the failover gets a session that never writes. New sessions do."""
    await _only_read(site, on=True, whole_server=False)
    yield
    await _only_read(site, on=False, whole_server=False)


@contextlib.asynccontextmanager
async def refuses(site: Site, _seconds: float) -> AsyncIterator[None]:
    """Nobody listens at its port."""
    await asyncio.to_thread(site.server.control, "stop", "-m", "fast")
    yield
    await asyncio.to_thread(site.server.control, "start")


async def listening(site: Site) -> int:
    rows = await site.fetch(
        "select count(*) from pg_stat_activity where datname = current_database() and query ilike $1",
        f'listen "{CHANNEL}"%',
    )
    return int(rows[0][0])


async def used_during(seconds: float, workers: list[Worker]) -> float:
    """The share of one core that the workers together used over so many seconds."""
    before, begun = sum(worker.cpu() for worker in workers), time.monotonic()
    await asyncio.sleep(seconds)
    return (sum(worker.cpu() for worker in workers) - before) / (time.monotonic() - begun)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("outage", [cut, becomes_a_standby, reached_the_old_primary, refuses])
async def test_workers_wait_for_the_database_and_go_on_by_themselves(site: Site, outage: Outage, *, full: bool):
    seconds, jobs = (30.0, 400) if full else (2.0, 100)
    accepted = await site.enqueue([{"seconds": 0.3}] * jobs, attempts=20)
    workers = [site.start("--concurrency", "burn=8") for _ in range(2)]
    for worker in workers:
        await site.until_started(worker, 16)
    async with outage(site, seconds):
        await asyncio.sleep(SETTLED_DOWN)
        share = await used_during(seconds, workers)
    assert all(worker.alive for worker in workers)
    await site.until_ended(len(accepted))
    assert await site.count("completed") == len(accepted)
    if outage is not cut:  # there is work to do between two cuts
        assert share < 0.2, "two workers, each less than a tenth of a core"

    # They hear the doorbell again: a listener is a session of its own.
    async def hearing() -> bool:
        return await listening(site) == len(workers)

    await site.until(hearing)
    for worker in workers:
        worker.signal(signal.SIGTERM)
    reports = [await worker.report() for worker in workers]
    completions = sum(report["completed"] + report["stale"] for report in reports)
    assert completions >= len(accepted)
