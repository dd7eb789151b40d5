"""What has ended is let go by status and age, in small steps, and nothing else goes with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from rushes.database import Database
from rushes.model import Artifact, BatchId, Engine, ItemStatus, Outcome, Produced
from rushes.queue import Queue, control, retention
from rushes.queue.endings import tally
from rushes.queue.reading import statistics
from rushes.queue.retention import Ages, Pruned, count_old, prune, upkeep
from rushes.sources.postgres import QueueSource
from tests.queue.conftest import claim, make_batch

from .conftest import History, Rushes

MONTH = timedelta(days=30)
ALL = Ages(MONTH, MONTH, MONTH)
OWN = "items, lines, events, jobs, batches"


async def pruned(database: Database, ages: Ages = ALL, kind: str | None = None) -> Pruned:
    async with database.pool.acquire() as connection:
        expected = await count_old(connection, ages, kind)
        total = Pruned()
        async for step in prune(connection, ages, kind):
            total += step
    assert total == expected
    return total


async def ended_batch(database: Database, count: int, *, failing: int = 0, days: int = 40) -> BatchId:
    """A batch of one stage that ended days ago, with what it made."""
    queue = Queue(database.pool)
    batch = (await make_batch(database, count, "fetch")).id
    await refused_line(database, batch)
    claimed = await claim(queue, await queue.enter())
    await queue.settle([made(one.lease, number, failing) for number, one in enumerate(claimed)])
    await age(database, days)
    return batch


async def refused_line(database: Database, batch: int) -> None:
    await database.pool.execute(
        "insert into rushes.lines values ($1, 7, 'list.txt:7', 'x', 'invalid', 'no address')", batch
    )


def made(lease: object, number: int, failing: int) -> Outcome:
    from rushes.errors import ErrorClass
    from rushes.model import Failure

    if number < failing:
        return Outcome(lease, failure=Failure(ErrorClass.PERMANENT, "gone"))  # type: ignore[arg-type]
    file = Artifact("media", f"{number}.mp4", 10, "00")
    engine = Engine("whisper", "tiny.en")
    return Outcome(lease, produced=Produced((file,), f"print {number}", engine=engine))  # type: ignore[arg-type]


async def age(database: Database, days: int) -> None:
    for table in ("batches", "jobs"):
        await database.pool.execute(
            f"update rushes.{table} set created_at = created_at - make_interval(days => $1),"
            " finished_at = finished_at - make_interval(days => $1)", days,
        )  # fmt: skip


async def counts(database: Database, tables: str = OWN) -> list[int]:
    return [await database.pool.fetchval(f"select count(*) from rushes.{table}") for table in tables.split(", ")]


async def test_each_status_goes_at_its_own_age(database: Database, history: History):
    for days in (5, 40, 400):
        for status in ("completed", "failed", "cancelled"):
            await history.add(status, 10, days=days)
    found = await pruned(database, Ages(completed=timedelta(days=10), failed=timedelta(days=100)))
    assert found == Pruned(completed=20, failed=10)
    assert await history.left() == {"completed": 10, "failed": 20, "cancelled": 30}


async def test_what_lives_never_goes(database: Database, history: History):
    for status in ("queued", "processing", "retrying"):
        await history.add(status, 5, days=400)
    assert await pruned(database) == Pruned()
    assert sum((await history.left()).values()) == 15


async def test_one_kind_goes_alone(database: Database, history: History):
    await history.add("completed", 3, days=40)
    await history.add("completed", 4, days=40, kind="transcribe")
    await ended_batch(database, 2)
    assert await pruned(database, kind="transcribe") == Pruned(completed=4)


async def test_it_goes_in_small_steps(database: Database, history: History, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "STEP", 10)
    await history.add("completed", 25, days=400)
    await history.add("failed", 25, days=400)
    await history.add("completed", 25, days=400)
    async with database.pool.acquire() as connection:
        steps = [step async for step in prune(connection, Ages(completed=MONTH))]
    assert max(step.jobs for step in steps) == 10
    assert sum(step.jobs for step in steps) == 50


async def test_the_walk_ends_where_all_is_young(database: Database, history: History, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "STEP", 10)
    await history.add("completed", 10, days=400)
    await history.add("completed", 200)
    async with database.pool.acquire() as connection:
        assert len([step async for step in prune(connection, ALL)]) == 2


async def test_broken_off_it_can_be_gone_on_with(database: Database, history: History, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "STEP", 10)
    await history.add("completed", 50, days=400)
    async with database.pool.acquire() as connection:
        async for _ in prune(connection, ALL):
            break
    assert await history.left() == {"completed": 40}
    assert await pruned(database) == Pruned(completed=40)


async def test_an_old_batch_goes_as_a_whole_and_what_it_made_stays(database: Database):
    await ended_batch(database, 3)
    assert all(await counts(database))
    assert await pruned(database) == Pruned(batches=1, items=3)
    assert await counts(database) == [0, 0, 0, 0, 0]
    assert await counts(database, "videos, artifacts") == [3, 3]


async def test_what_was_made_is_used_again_and_says_by_what(database: Database):
    await ended_batch(database, 1)
    await pruned(database)
    found = await QueueSource(database.pool, Queue(database.pool)).find_made("print 0")
    assert found is not None
    assert found.engine == Engine("whisper", "tiny.en")


@pytest.mark.parametrize(
    ("ages", "gone"),
    [
        (Ages(completed=MONTH), 0),
        (Ages(failed=MONTH), 0),
        (Ages(completed=MONTH, failed=MONTH), 1),
        (Ages(completed=MONTH, failed=2 * MONTH), 0),
        (Ages(MONTH, MONTH, 2 * MONTH), 1),
    ],
)
async def test_a_batch_with_failures_is_kept_as_long_as_failures_are(database: Database, ages: Ages, gone: int):
    await ended_batch(database, 3, failing=1)
    assert (await pruned(database, ages)).batches == gone


async def test_a_batch_that_has_not_ended_is_kept(database: Database):
    await make_batch(database, 2, "fetch")
    await age(database, 400)
    assert await pruned(database) == Pruned()


async def test_a_big_batch_goes_in_steps_and_can_be_retried_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retention, "ITEMS", 4)
    batch = await ended_batch(database, 10, failing=10)
    async with database.pool.acquire() as connection, database.pool.acquire() as other:
        steps: list[Pruned] = []
        async for step in prune(connection, ALL):
            steps.append(step)
            if step.items and len(steps) == 2:
                await control.retry_items(other, batch)
    assert [step.items for step in steps] == [0, 4]
    left = await database.pool.fetch("select status, count(*) from rushes.items group by status")
    assert {row["status"]: row["count"] for row in left} == {ItemStatus.PROCESSING: 6}


async def test_a_job_retried_meanwhile_stays(database: Database, history: History):
    (job,) = await history.add("failed", days=400)
    async with database.pool.acquire() as connection, database.pool.acquire() as other:
        async with other.transaction():
            await control.retry_jobs(other, [job])  # type: ignore[list-item]
            pruning = asyncio.create_task(_all(connection))
            await _until_it_waits(database)
        assert await pruning == Pruned()
    assert await history.left() == {"queued": 1}


async def _all(connection: object) -> Pruned:
    total = Pruned()
    async for step in prune(connection, ALL):  # type: ignore[arg-type]
        total += step
    return total


async def _until_it_waits(database: Database) -> None:
    waiting = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%gone%')"
    async with asyncio.timeout(10):
        while not await database.pool.fetchval(waiting):
            await asyncio.sleep(0.01)


async def test_what_is_pruned_stays_counted(database: Database, history: History):
    async with database.pool.acquire() as connection:
        await tally(connection, await history.add("completed", 30, days=400))
        await tally(connection, await history.add("failed", 10, days=400))
    before = await statistics(database.pool)
    await pruned(database)
    assert await statistics(database.pool) == before
    assert (before["total_jobs"], before["success_rate"]) == (40, 75.0)


async def _round(database: Database, ages: Ages, *, due: bool = True) -> bool:
    if due:
        await database.pool.execute("update rushes.chores set due_at = now(), position = 0")
    async with database.pool.acquire() as connection:
        return await upkeep(connection, ages)


async def test_upkeep_keeps_to_the_ages_once_an_hour(database: Database, history: History):
    await ended_batch(database, 2)
    await history.add("completed", 5, days=400)
    assert await _round(database, ALL) is False
    assert await counts(database) == [0, 0, 0, 0, 0]
    await history.add("completed", 5, days=400)
    assert await _round(database, ALL, due=False) is False
    assert await history.left() == {"completed": 5}
    wait = await database.pool.fetchval("select due_at - now() from rushes.chores where name = 'retention'")
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    await _round(database, ALL)
    assert await history.left() == {}


async def test_a_round_goes_through_all_batches(database: Database, history: History, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "BATCHES", 2)
    monkeypatch.setattr(retention, "ITEMS", 3)
    for _ in range(5):
        await ended_batch(database, 4)
    await history.add("completed", 5, days=400)
    due = True
    while await _round(database, ALL, due=due):
        due = False
    assert await counts(database) == [0, 0, 0, 0, 0]


async def test_upkeep_goes_on_where_another_left_it(
    database: Database, history: History, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retention, "STEP", 10)
    await history.add("failed", 35, days=400)
    await history.add("completed", 35, days=400)
    left: list[int] = []
    due = True
    while await _round(database, Ages(completed=MONTH), due=due):
        left.append((await history.left()).get("completed", 0))
        due = False
    assert left == [30, 0]  # at first 40 of 70 rows, 35 of them kept
    assert await history.left() == {"failed": 35}


async def test_one_worker_at_a_time_does_upkeep(database: Database, history: History):
    await history.add("completed", 5, days=400)
    await database.pool.execute("update rushes.chores set due_at = now(), position = 0")
    async with database.pool.acquire() as other, other.transaction():
        await other.execute("select from rushes.chores for update")
        async with asyncio.timeout(10):
            assert await _round(database, ALL, due=False) is False
        assert await history.left() == {"completed": 5}
    await _round(database, ALL, due=False)
    assert await history.left() == {}


async def test_without_ages_all_is_kept(database: Database, history: History):
    await history.add("completed", 5, days=4000)
    assert await _round(database, Ages()) is False
    assert await history.left() == {"completed": 5}


async def test_a_worker_keeps_to_the_settings(database: Database, history: History, server_home: Path):
    await database.pool.execute("update rushes.chores set due_at = now(), position = 0")
    for status in ("completed", "failed"):
        await history.add(status, 3, days=2)
    environment = {**os.environ, "RUSHES_HOME": str(server_home), "RUSHES_RETENTION_COMPLETED": "1d"}
    command = [sys.executable, "-m", "rushes", "worker", "--empty-timeout", "2"]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    assert await history.left() == {"failed": 3}


@pytest.mark.parametrize("age", ["30", "59m", "-1d", "month", "1e30"])
async def test_an_age_is_at_least_an_hour(rushes: Rushes, monkeypatch: pytest.MonkeyPatch, age: str):
    """Who writes 30 means days."""
    monkeypatch.setenv("RUSHES_RETENTION_FAILED", age)
    refused = await rushes("queue", "stats")
    assert refused.code == 2
    assert "RUSHES_RETENTION_FAILED" in refused.err


async def test_the_command_says_what_would_go_and_asks(database: Database, history: History, rushes: Rushes):
    await ended_batch(database, 2)
    await history.add("completed", 12, days=40)
    await history.add("failed", 3, days=40)
    said = await rushes("queue", "prune", "--dry-run")
    assert said.out == "15 jobs (12 completed, 3 failed), 1 batch (2 items) would go\n"
    refused = await rushes("queue", "prune")
    assert (refused.code, refused.out) == (2, "")
    assert "--yes" in refused.err
    assert (await rushes("queue", "prune", "--status", "failed", "--dry-run", "--json")).json == {
        "dry_run": True, "jobs": 3, "completed": 0, "failed": 3, "cancelled": 0, "batches": 0, "items": 0,
    }  # fmt: skip
    assert (await rushes("queue", "prune", "--older-than", "50d", "--yes")).out == "0 jobs, 0 batches removed\n"
    assert (await rushes("queue", "prune", "--yes", "--json")).json["jobs"] == 15
    assert await counts(database, "jobs, batches") == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--status", "queued"], "wanted one of completed, failed, cancelled"),
        (["--status", ""], "wanted one of"),
        (["--older-than", "old"], "not a length of time"),
        (["--kind", "dowload"], "did you mean 'download'"),
    ],
)
async def test_the_command_refuses_nonsense(database: Database, rushes: Rushes, arguments: Sequence[str], said: str):
    refused = await rushes("queue", "prune", "--yes", *arguments)
    assert refused.code == 2
    assert said in refused.err


async def test_interrupted_it_says_how_far_it_came(database: Database, history: History, server_home: Path):
    """A lock of somebody else's holds it up in its second step."""
    await history.add("completed", 7000, days=400)
    environment = {**os.environ, "RUSHES_HOME": str(server_home)}
    command = [sys.executable, "-m", "rushes", "queue", "prune", "--yes"]
    async with database.pool.acquire() as other, other.transaction():
        await other.execute("select from rushes.jobs where id = 6000 for update")
        process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
        await _until_it_waits(database)
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
    assert process.returncode == 130
    assert b"interrupted: 5,000 jobs (5,000 completed)" in said
    assert await history.left() == {"completed": 2000}
