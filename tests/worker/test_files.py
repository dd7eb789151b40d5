"""What a worker does with files: whose they are, what they were when they were listed, and what is left behind."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import Valid
from rushes.batches.keys import FileKeysInMemory, file_source
from rushes.database import Database
from rushes.errors import Permanent
from rushes.model import BatchId, Job, NewItem, Plan, Step
from rushes.settings import Settings
from rushes.stages.base import Context, Made, Result
from rushes.worker import Bounds, stopping_on_signals
from rushes.worker.failures import classify

from .conftest import write_text


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_text("what was listed")
    return path


async def of_file(database: Database, path: Path, *stages: str) -> BatchId:
    item = NewItem(file_source(path, FileKeysInMemory()), str(path))
    plan = Plan("test", tuple(Step(stage) for stage in stages))
    return (await open_batch(database.pool, Order("test", plan), [Valid(1, item)])).id


async def in_place(_job: Job, context: Context) -> Result:
    return Result(made=[Made("media", Path(context.source.location), "video/mp4", {"in_place": True})])


async def test_a_file_that_changed_between_its_listing_and_its_turn_is_not_taken_for_what_was_listed(
    database: Database, stage, make_worker, talk: Path
):
    stage("take", in_place)
    batch = await of_file(database, talk, "take")
    talk.write_text("something else!")
    await make_worker("take", batch=batch).run()
    row = await database.pool.fetchrow("select status, error_class, remedy from rushes.items")
    assert row is not None
    assert tuple(row) == ("failed", "permanent", "run the same command again: it lists it anew")


async def test_a_file_that_changed_between_two_stages_is_not_worked_at(
    database: Database, stage, make_worker, talk: Path
):
    stage("take", in_place)
    stage("hear", needs=frozenset({"media"}))
    batch = await of_file(database, talk, "take", "hear")
    await make_worker("take", bounds=Bounds(max_jobs=1)).run()
    talk.write_text("something else!")
    await make_worker("hear", batch=batch).run()
    assert await database.pool.fetchval("select error_class from rushes.jobs where kind = 'hear'") == "permanent"


async def test_two_databases_may_share_a_storage(
    database: Database, settings: Settings, stage, start_batch, make_worker
):
    """Each counts its jobs from 1."""
    stage("write")
    names = set()
    for _ in range(2):
        await database.pool.execute("truncate rushes.batches, rushes.artifacts, rushes.jobs restart identity cascade")
        await make_worker("write", batch=await start_batch("write")).run()
        names.add(await database.pool.fetchval("select name from rushes.artifacts where job_id = 1"))
    assert len(names) == 2
    assert all((settings.artifacts / name).is_file() for name in names)


async def test_what_failed_for_good_leaves_no_scratch_behind(
    database: Database, settings: Settings, stage, start_batch, make_worker
):
    async def half(_job: Job, context: Context) -> Result:
        (context.scratch / "partial").write_text("half of it")
        raise Permanent("gone")

    before = set(settings.scratch.glob("*"))
    stage("half", half)
    await make_worker("half", batch=await start_batch("half")).run()
    assert set(settings.scratch.glob("*")) == before


async def test_another_database_s_job_of_that_number_does_not_find_its_files(
    database: Database, stage, start_batch, make_worker
):
    found = []

    async def looking(job: Job, context: Context) -> Result:
        found.append((context.scratch / "partial").exists())
        (context.scratch / "partial").touch()
        if context.source.key == "url:1":
            raise OSError("cut off")
        return await write_text(job, context)

    stage("looking", looking)
    await make_worker("looking", batch=await start_batch("looking")).run()
    await database.pool.execute("truncate rushes.batches, rushes.jobs restart identity cascade")
    batch = await start_batch("looking")
    await database.pool.execute("insert into rushes.videos (key, location) values ('url:other', 'https://other')")
    await database.pool.execute("update rushes.items set video_key = 'url:other'")
    await make_worker("looking", batch=batch).run()
    assert found[-1] is False


def test_secrets_in_addresses_are_never_stored_with_a_failure(settings: Settings):
    for error in (
        Permanent("https://me:secret@host/a is gone", details={"said": "GET https://host/a?token=secret"}),
        ValueError("https://host/a?X-Amz-Signature=secret"),
    ):
        assert "secret" not in repr(classify(error, settings))


async def test_a_call_from_a_thread_leaves_signals_alone(make_worker):
    def call() -> None:
        async def enter() -> None:
            with stopping_on_signals(make_worker("none")):
                done.append(True)

        asyncio.run(enter())

    done: list[bool] = []
    thread = threading.Thread(target=call)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert done
