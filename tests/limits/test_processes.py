"""Limits over real worker processes, as their rows tell it afterwards."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from rushes.database import Database
from rushes.queue import NewJob
from tests.faults.conftest import log, runs, start
from tests.programs import Program

from .conftest import Hand, limit, limit_kind, most_at_once, starts

__all__ = ["log", "start"]


async def finished(database: Database, programs: list[Program]) -> None:
    """Wait until every job has ended, and end the workers."""
    while await database.pool.fetchval("select exists (select from rushes.jobs where status <> 'completed')"):
        assert all(program.process.poll() is None for program in programs)
        await asyncio.sleep(0.05)
    for program in programs:
        program.signal(signal.SIGTERM)
        assert program.end()[0] == 0


@pytest.fixture
async def work(hand: Hand, *, full: bool) -> list[NewJob]:
    """Jobs of one host, and of one kind, that both are limited; enqueued."""
    count = 200 if full else 24
    await limit(hand, rate=8, concurrency=3)
    await limit_kind(hand, "beta", 2)
    jobs = [NewJob("alpha", lane="example.org", payload={"url": f"https://example.org/{n}"}) for n in range(count)]
    jobs += [NewJob("beta", payload={"url": f"https://example.net/{n}"}) for n in range(count)]
    await hand.queue.enqueue(jobs)
    return jobs


async def test_workers_of_several_processes_keep_to_limits_together(
    database: Database, hand: Hand, work: list[NewJob], start: Callable[..., Program], log: Path
):
    programs = [start("worker", "--concurrency", "4", FAULTS_SECONDS="0.3") for _ in range(2)]
    expected = Counter(job.kind for job in work)
    while len({process for _, _, process in runs(log)}) < 2:  # one may be slow to start
        if not await database.pool.fetchval("select exists (select from rushes.jobs where status = 'queued')"):
            await hand.queue.enqueue(work)
            expected.update(job.kind for job in work)
        await asyncio.sleep(0.05)
    await finished(database, programs)

    assert await most_at_once(hand, "lane = 'example.org'") <= 3
    assert await most_at_once(hand, "kind = 'beta'") <= 2
    gaps = [later - earlier for earlier, later in itertools.pairwise(await starts(hand))]
    assert min(gaps) >= timedelta(seconds=1 / 8) - timedelta(microseconds=1)
    assert Counter(kind for kind, _, _ in runs(log)) == expected


async def test_a_killed_worker_s_turns_come_back(
    database: Database, hand: Hand, work: list[NewJob], start: Callable[..., Program], log: Path
):
    doomed = start("worker", "--concurrency", "4", FAULTS_SECONDS="600")
    while await database.pool.fetchval("select count(*) from rushes.jobs where status = 'processing'") < 5:
        assert doomed.process.poll() is None
        await asyncio.sleep(0.05)
    doomed.signal(signal.SIGKILL)
    doomed.process.wait()
    await finished(database, [start("worker", "--concurrency", "4", FAULTS_SECONDS="0.1")])
    assert await most_at_once(hand, "lane = 'example.org'") <= 3
    assert await most_at_once(hand, "kind = 'beta'") <= 2
