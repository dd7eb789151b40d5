"""The worker's promises, with real stages on a real queue."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import replace
from datetime import timedelta

from rushes.database import Database
from rushes.errors import NeedsInput, Permanent, RateLimited, Scope, Transient
from rushes.model import Job, Retries
from rushes.queue import NewJob, Queue, control
from rushes.settings import Settings
from rushes.stages.base import Context, Made, Result
from rushes.worker import Bounds, ExitReason

from .conftest import until, write_text

NO_RETRY = Retries(max_attempts=1)


async def jobs(database: Database) -> list[tuple[str, ...]]:
    rows = await database.pool.fetch("select kind, status, error_class, error from rushes.jobs order by id")
    return [tuple(row) for row in rows]


async def test_a_batch_runs_to_its_end(database, stage, start_batch, make_worker):
    stage("one", makes=frozenset({"text"}))
    stage("two", makes=frozenset({"text"}))
    batch = await start_batch("one", "two", items=5)
    report = await make_worker("one", "two", batch=batch).run()
    assert (report.processed, report.failed, report.success_rate) == (10, 0, 100)
    assert report.exit_reason is ExitReason.ENDED
    assert await database.pool.fetchval("select status from rushes.batches") == "completed"


async def test_a_stage_reads_what_earlier_ones_made(database, stage, start_batch, make_worker):
    async def shout(_job: Job, context: Context) -> Result:
        (given,) = context.inputs("text")
        path = context.scratch / "loud.txt"
        path.write_text(given.path.read_text().upper())
        return Result(made=[Made("loud", path, "text/plain")])

    stage("write")
    stage("shout", shout, needs=frozenset({"text"}))
    await make_worker("write", "shout", batch=await start_batch("write", "shout")).run()
    row = await database.pool.fetchrow("select name, size from rushes.artifacts where kind = 'loud'")
    assert row["size"] == len("MADE OF URL:1")


async def test_one_failure_stops_no_other(database, stage, start_batch, make_worker):
    async def picky(job: Job, context: Context) -> Result:
        if context.source.key == "url:2":
            raise Permanent("not this one", remedy="take another")
        return await write_text(job, context)

    stage("picky", picky)
    report = await make_worker("picky", batch=await start_batch("picky", items=4)).run()
    assert (report.completed, report.failed) == (3, 1)
    row = await database.pool.fetchrow("select error_class, error, remedy from rushes.items where status = 'failed'")
    assert tuple(row) == ("permanent", "not this one", "take another")


async def test_a_bug_is_retried_and_keeps_its_traceback(database, stage, start_batch, make_worker):
    async def broken(_job: Job, _context: Context) -> Result:
        return dict[str, Result]()["nothing"]

    stage("broken", broken, retries=Retries(max_attempts=2, base=timedelta(milliseconds=1)))
    await make_worker("broken", batch=await start_batch("broken")).run()
    row = await database.pool.fetchrow("select attempts, error_class, error, error_details from rushes.jobs")
    assert tuple(row)[:3] == (2, "bug", "KeyError: 'nothing'")
    assert 'return dict[str, Result]()["nothing"]' in row["error_details"]["traceback"]


async def test_a_transient_failure_is_tried_again(database, stage, start_batch, make_worker):
    tries = []

    async def flaky(job: Job, context: Context) -> Result:
        tries.append(job.attempts)
        if job.attempts < 3:
            raise Transient("not yet")
        return await write_text(job, context)

    stage("flaky", flaky, retries=Retries(max_attempts=3, base=timedelta(milliseconds=1)))
    report = await make_worker("flaky", batch=await start_batch("flaky")).run()
    assert (tries, report.completed) == ([1, 2, 3], 1)


async def test_nothing_is_called_done_that_is_not_there(database, stage, start_batch, make_worker):
    async def empty(_job: Job, context: Context) -> Result:
        path = context.scratch / "empty.txt"
        path.touch()
        return Result(made=[Made("text", path, "text/plain")])

    async def nothing(_job: Job, _context: Context) -> Result:
        return Result()

    stage("empty", empty, makes=frozenset({"text"}), retries=NO_RETRY)
    stage("nothing", nothing, makes=frozenset({"text"}), retries=NO_RETRY)
    for kind in ("empty", "nothing"):
        await make_worker(kind, batch=await start_batch(kind)).run()
    assert [(row[1], row[3]) for row in await jobs(database)] == [
        ("failed", "RuntimeError: the stage 'empty' left empty.txt empty"),
        ("failed", "RuntimeError: the stage 'nothing' made no text"),
    ]


async def test_what_was_made_before_is_used_again(database, stage, start_batch, make_worker):
    stage("write", makes=frozenset({"text"}))
    await make_worker("write", batch=await start_batch("write")).run()
    report = await make_worker("write", batch=await start_batch("write")).run()
    assert (report.completed, report.reused) == (1, 1)
    results = [row["result"] for row in await database.pool.fetch("select result from rushes.jobs order by id")]
    assert [(result["notes"], result.get("reused", False)) for result in results] == [
        (["a note"], False),
        (["a note"], True),
    ]
    assert await database.pool.fetchval("select count(*) from rushes.artifacts") == 1


async def test_what_was_made_before_and_then_damaged_is_made_again(
    database, settings: Settings, stage, start_batch, make_worker
):
    stage("write")
    await make_worker("write", batch=await start_batch("write")).run()
    name = await database.pool.fetchval("select name from rushes.artifacts")
    (settings.artifacts / name).write_text("mapped of url:1")
    report = await make_worker("write", batch=await start_batch("write")).run()
    assert report.reused == 0


async def test_a_makeshift_is_not_used_again(database, stage, start_batch, make_worker):
    async def makeshift(job: Job, context: Context) -> Result:
        return replace(await write_text(job, context), reusable=False)

    async def read(_job: Job, context: Context) -> Result:
        assert context.inputs("text")[0].path.read_text() == "made of url:1"
        return Result()

    stage("makeshift", makeshift)
    stage("read", read)
    for _ in range(2):
        report = await make_worker("makeshift", "read", batch=await start_batch("makeshift", "read")).run()
        assert (report.completed, report.reused) == (2, 0)


async def test_a_fresh_run_uses_nothing_again(database, stage, start_batch, make_worker):
    stage("write")
    await make_worker("write", batch=await start_batch("write")).run()
    report = await make_worker("write", batch=await start_batch("write", reuse=False)).run()
    assert report.reused == 0


async def test_a_new_version_of_a_stage_uses_nothing_of_the_old_one(database, stage, start_batch, make_worker):
    for version in (1, 2):
        stage("write", version=version)
        report = await make_worker("write", batch=await start_batch("write")).run()
        assert report.reused == 0


async def test_a_full_disk_pauses_the_batch_with_the_remedy(database, stage, start_batch, make_worker):
    async def full(_job: Job, _context: Context) -> Result:
        raise OSError(errno.ENOSPC, "No space left on device", "/somewhere")

    stage("full", full)
    report = await make_worker("full", batch=await start_batch("full", items=3), slots=1).run()
    row = await database.pool.fetchrow("select status, pause_reason, pause_remedy, failed from rushes.batches")
    assert report.exit_reason is ExitReason.PAUSED
    assert tuple(row) == (
        "paused", "No space left on device (/somewhere)", "free some space, then run the same command again", 0,
    )  # fmt: skip


async def test_a_lack_of_one_item_fails_that_item(database, stage, start_batch, make_worker):
    async def private(_job: Job, _context: Context) -> Result:
        raise NeedsInput("it is private", remedy="give cookies", scope=Scope.ITEM)

    stage("private", private)
    report = await make_worker("private", batch=await start_batch("private")).run()
    assert report.exit_reason is ExitReason.ENDED
    assert (await jobs(database))[0][1:3] == ("failed", "needs_input")


async def test_a_rate_limit_rests_the_host(database, stage, start_batch, make_worker):
    async def limited(_job: Job, _context: Context) -> Result:
        raise RateLimited("429", retry_after=timedelta(minutes=3))

    stage("limited", limited, fetches=True)
    await start_batch("limited", items=3)
    worker = make_worker("limited", slots=1, bounds=Bounds(empty_timeout=timedelta(seconds=0.1)))
    await worker.run()
    rows = await database.pool.fetch("select distinct status, attempts, lane from rushes.jobs")
    assert [tuple(row) for row in rows] == [("retrying", 0, "example.org")]


async def test_a_job_that_takes_too_long_is_ended(database, stage, start_batch, make_worker):
    async def endless(_job: Job, _context: Context) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    stage("endless", endless, retries=NO_RETRY)
    await make_worker("endless", batch=await start_batch("endless", timeout=timedelta(milliseconds=50))).run()
    assert (await jobs(database))[0][1:] == ("failed", "transient", "it took longer than 0:00:00.050000")


async def test_max_jobs_bounds_a_worker(database, stage, start_batch, make_worker):
    stage("write")
    await start_batch("write", items=5)
    report = await make_worker("write", bounds=Bounds(max_jobs=3)).run()
    assert (report.processed, report.exit_reason) == (3, ExitReason.MAX_JOBS)


async def test_a_bound_of_jobs_keeps_no_kind_from_its_turn(database, stage, make_worker):
    """The first kind has nothing to do, and the bound leaves room for one job at a time."""
    for kind in ("idle", "busy"):
        stage(kind)
    await Queue(database.pool).enqueue([NewJob("busy", video_id="https://example.org/1")] * 2)
    report = await make_worker("idle", "busy", bounds=Bounds(max_jobs=1)).run()
    assert (report.by_kind, report.exit_reason) == ({"busy": 1}, ExitReason.MAX_JOBS)


async def test_an_empty_queue_ends_a_worker(database, stage, make_worker):
    stage("write")
    report = await make_worker("write", bounds=Bounds(empty_timeout=timedelta(seconds=0.1))).run()
    assert (report.processed, report.success_rate, report.exit_reason) == (0, None, ExitReason.EMPTY)


async def test_max_runtime_stops_claiming_and_lets_work_end(database, stage, start_batch, make_worker):
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(job: Job, context: Context) -> Result:
        began.set()
        await go_on.wait()
        return await write_text(job, context)

    stage("slow", slow)
    await start_batch("slow", items=3)
    bounds = Bounds(max_runtime=timedelta(seconds=0.3))
    working = asyncio.create_task(make_worker("slow", slots=1, bounds=bounds).run())
    await began.wait()
    await asyncio.sleep(0.5)  # past the bound: that nothing more is claimed is what is tested
    go_on.set()
    report = await working
    assert (report.processed, report.exit_reason) == (1, ExitReason.MAX_RUNTIME)


async def test_a_stopped_worker_gives_back_what_runs_uncounted(database, stage, start_batch, make_worker):
    began = asyncio.Event()

    async def endless(_job: Job, _context: Context) -> Result:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    stage("endless", endless)
    await start_batch("endless", items=2)
    worker = make_worker("endless", slots=1)
    working = asyncio.create_task(worker.run())
    await began.wait()
    worker.stop(grace=timedelta(0))
    report = await working
    assert (report.processed, report.released, report.exit_reason) == (0, 1, ExitReason.TERMINATED)
    rows = await database.pool.fetch("select distinct status, attempts from rushes.jobs")
    assert [tuple(row) for row in rows] == [("queued", 0)]


async def test_running_work_may_end_within_the_grace(database, stage, start_batch, make_worker):
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(job: Job, context: Context) -> Result:
        began.set()
        await go_on.wait()
        return await write_text(job, context)

    stage("slow", slow)
    await start_batch("slow", items=2)
    worker = make_worker("slow", slots=1)
    working = asyncio.create_task(worker.run())
    await began.wait()
    worker.stop(grace=timedelta(seconds=30))
    go_on.set()
    report = await working
    assert (report.completed, report.released) == (1, 0)


async def test_a_cancelled_job_ends_and_says_nothing(database: Database, stage, start_batch, make_worker):
    ended = asyncio.Event()

    async def endless(_job: Job, _context: Context) -> Result:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    stage("endless", endless)
    batch = await start_batch("endless")
    working = asyncio.create_task(make_worker("endless", batch=batch).run())

    async def at_work() -> bool:
        return bool(await database.pool.fetchval("select true from rushes.jobs where status = 'processing'"))

    await until(at_work)
    async with database.pool.acquire() as connection:
        await control.cancel_batch(connection, batch)
    await ended.wait()
    report = await working
    assert (report.processed, report.released, report.exit_reason) == (0, 0, ExitReason.ENDED)


async def test_progress_is_stored_while_a_stage_runs(database: Database, stage, start_batch, make_worker):
    go_on = asyncio.Event()

    async def telling(job: Job, context: Context) -> Result:
        await context.progress(0.25, "a quarter")
        await go_on.wait()
        return await write_text(job, context)

    stage("telling", telling)
    working = asyncio.create_task(make_worker("telling", batch=await start_batch("telling")).run())

    async def stored() -> bool:
        return bool(
            await database.pool.fetchval("select true from rushes.jobs where progress = 0.25 and note = 'a quarter'")
        )

    await until(stored)
    go_on.set()
    assert (await working).completed == 1


async def test_cut_connections_lose_nothing(database: Database, settings: Settings, stage, start_batch, make_worker):
    async def cutting(job: Job, context: Context) -> Result:
        async with database.dedicated() as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
                " and datname = current_database()"
            )
        return await write_text(job, context)

    stage("cutting", cutting)
    batch = await start_batch("cutting", items=6)
    report = await make_worker("cutting", batch=batch, slots=1).run()
    async with database.dedicated() as connection:
        status = await connection.fetchval("select status from rushes.batches")
    assert (status, report.failed) == ("completed", 0)


async def test_a_dead_attempts_files_are_there_for_the_next(database: Database, stage, start_batch, make_worker):
    found = []

    async def resuming(job: Job, context: Context) -> Result:
        partial = context.scratch / "partial"
        found.append(partial.exists())
        partial.touch()
        if job.attempts == 1:
            raise Transient("cut off")
        return await write_text(job, context)

    stage("resuming", resuming, retries=Retries(base=timedelta(milliseconds=1)))
    await make_worker("resuming", batch=await start_batch("resuming")).run()
    assert found == [False, True]


async def test_a_user_s_own_kind_of_job_needs_no_batch(database: Database, stage, make_worker):
    stage("write")
    await Queue(database.pool).enqueue(
        [NewJob("write", payload={"url": "https://example.org/a"}), NewJob("write", video_id="nobody-knows-it")]
    )
    await make_worker("write", bounds=Bounds(empty_timeout=timedelta(seconds=0.1))).run()
    assert [row[1:] for row in await jobs(database)] == [
        ("completed", None, None),
        ("failed", "permanent", "no such video: 'nobody-knows-it'"),
    ]


async def test_what_a_job_without_an_item_makes_never_passes_for_a_video_s(database, stage, start_batch, make_worker):
    stage("write")
    poison = NewJob("write", payload={"url": "https://elsewhere.example/"}, video_id="url:1")
    await Queue(database.pool).enqueue([poison])
    await make_worker("write", bounds=Bounds(empty_timeout=timedelta(seconds=0.1))).run()
    report = await make_worker("write", batch=await start_batch("write")).run()
    assert (report.completed, report.reused) == (1, 0)
