"""The first schema with one of everything in it is brought up to date: nothing changes but what is new, and work goes on."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from rushes.batches.progress import read_progress
from rushes.database import Database, open_database
from rushes.database.connect import dial
from rushes.database.schema import Revisions, our_revisions, upgrade
from rushes.database.url import parse_url
from rushes.model import BatchId, JobId, Lease, Outcome, Produced, WorkerId
from rushes.queue import Queue, control
from rushes.queue.reading import statistics
from rushes.settings import Settings

HERE = Path(__file__).parent
TABLES = (
    "workers", "videos", "video_aliases", "batches", "items", "lines", "jobs", "lanes", "pauses", "artifacts", "events",
    "passages",
)  # fmt: skip
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture
async def old_url(own_url: str, tmp_path: Path) -> str:
    """A database of the first schema, with one of everything."""
    folder = tmp_path / "revisions"
    folder.mkdir()
    first = our_revisions().after(0)[0]
    (folder / f"{first.number:04}_{first.name[5:]}.sql").write_text(first.sql)
    connection = await dial(parse_url(own_url))
    assert [each.number for each in await upgrade(connection, Revisions(folder), where="here")] == [1]
    await connection.execute((HERE / "first_data.sql").read_text())
    await connection.close()
    shutil.rmtree(folder)
    return own_url


def settings_for(url: str, home: Path) -> Settings:
    return Settings.load(home=home, database_url=url)


async def contents(url: str) -> Tables:
    connection = await asyncpg.connect(url)
    try:
        rows = {table: await connection.fetch(f"select * from rushes.{table} order by 1, 2") for table in TABLES}
    finally:
        await connection.close()
    return {table: [dict(row) for row in found] for table, found in rows.items()}


def rushes(url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rushes", *arguments],
        env={**os.environ, "RUSHES_DATABASE_URL": url}, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip


async def test_two_processes_that_migrate_at_once_do_it_once_and_every_row_is_as_before(old_url: str):
    before = await contents(old_url)
    assert all(before.values()), "the first schema's data has something of everything"
    both = [rushes(old_url, "db", "upgrade") for _ in range(2)]
    said = [await asyncio.to_thread(process.communicate, timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    after = await contents(old_url)
    for table, rows in before.items():
        kept = [{name: new[name] for name in old} for old, new in zip(rows, after[table], strict=True)]
        assert kept == rows, table
    connection = await asyncpg.connect(old_url)
    versions = await connection.fetch("select number from rushes.schema_versions order by number")
    await connection.close()
    assert [row["number"] for row in versions] == list(range(1, our_revisions().head + 1))


@pytest.fixture
async def upgraded(old_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    connection = await dial(parse_url(old_url))
    await upgrade(connection, our_revisions(), where="here")
    await connection.close()
    async with open_database(settings_for(old_url, tmp_path)) as database:
        yield database


async def test_what_ended_before_is_counted_after(upgraded: Database):
    numbers = await statistics(upgraded.pool)
    rows = Counter(row["status"] for row in await upgraded.pool.fetch("select status from rushes.jobs"))
    assert {status: numbers[status] for status in rows} == rows
    assert numbers["total_jobs"] == sum(rows.values())
    assert numbers["paused"] == ["gamma"]


async def work_off(queue: Queue, worker: WorkerId) -> list[int]:
    """Claim and complete whatever is ready, until nothing is. Returns the jobs in the order of claims."""
    done: list[int] = []
    while claimed := await queue.claim(worker, {"alpha": 10, "beta": 10}, host="here"):
        await queue.settle([Outcome(one.lease, produced=Produced()) for one in claimed])
        done += [one.job.id for one in claimed]
    return done


async def test_work_of_the_first_schema_goes_on(upgraded: Database):
    queue = Queue(upgraded.pool)
    # An outcome of a worker that was at it all the while counts.
    settled = await queue.settle([Outcome(Lease(JobId(4), 1, WorkerId(1)), produced=Produced())])
    assert (settled.applied, settled.next_jobs) == ({4: "completed"}, 1)
    await queue.tick()
    worker = await queue.enter()
    done = await work_off(queue, worker)
    assert done[0] == 8, "the highest priority first"
    assert {5, 8, 9} <= set(done)
    first = await read_progress(upgraded.pool, BatchId(1))
    assert (first.completed, first.failed, first.status) == (3, 1, "completed")
    assert await upgraded.pool.fetchval("select count(*) from rushes.jobs where batch_id = 1 and kind = 'beta'") == 3

    # The paused batch waits until it is resumed, and what failed runs again by hand.
    async with upgraded.pool.acquire() as connection:
        assert await control.resume_batch(connection, BatchId(2))
        assert await control.retry_jobs(connection, [JobId(3), JobId(10)]) == 2
        await connection.execute("update rushes.jobs set run_at = now() where status = 'retrying'")
    await queue.tick()
    assert {3, 6, 7, 10} <= set(await work_off(queue, worker))
    second = await read_progress(upgraded.pool, BatchId(2))
    assert (second.completed, second.status) == (2, "completed")
    live = await upgraded.pool.fetchval(
        "select count(*) from rushes.jobs where status not in ('completed', 'cancelled')"
    )
    assert live == 0
    numbers = await statistics(upgraded.pool)
    rows = Counter(row["status"] for row in await upgraded.pool.fetch("select status from rushes.jobs"))
    assert {status: numbers[status] for status in rows} == rows
