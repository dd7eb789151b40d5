"""Batches: items pass from stage to stage, counts add up, and control by hand holds against settlements."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import Duplicate, Invalid, Line, Valid
from rushes.batches.progress import Progress, read_progress
from rushes.database import Database
from rushes.errors import ErrorClass, UsageError
from rushes.model import BatchId, Facts, Failure, NewItem, Outcome, Source, VideoKey, WorkerId
from rushes.queue import Claimed, Queue, control
from rushes.queue.statements import sql

from .conftest import claim, done, lines, make_batch, plan

PERMANENT = Failure(ErrorClass.PERMANENT, "it is gone", remedy="look elsewhere")
TRANSIENT = Failure(ErrorClass.TRANSIENT, "the network went away")


def failed(claimed: list[Claimed], failure: Failure) -> list[Outcome]:
    return [Outcome(one.lease, failure=failure) for one in claimed]


async def drain(queue: Queue, worker: WorkerId, *kinds: str) -> None:
    while claimed := await claim(queue, worker, *(kinds or ("fetch", "write"))):
        await queue.settle(done(claimed))


async def recount(database: Database, batch: BatchId) -> tuple[int, ...]:
    """The batch's numbers, counted from its items."""
    row = await database.pool.fetchrow(
        "select count(*), count(*) filter (where status = 'completed'), count(*) filter (where status = 'failed'),"
        " count(*) filter (where status = 'cancelled'), count(*) filter (where status = 'skipped') from rushes.items"
        " where batch_id = $1 and skip_reason is distinct from 'expanded'",
        batch,
    )
    assert row is not None
    return tuple(row)


def counts(progress: Progress) -> tuple[int, ...]:
    return progress.total, progress.completed, progress.failed, progress.cancelled, progress.skipped


async def test_the_next_stage_is_queued_when_the_one_before_is_settled(
    database: Database, queue: Queue, worker: WorkerId
):
    await make_batch(database, 3, "fetch", "write")
    await queue.settle(done(await claim(queue, worker, "fetch")))
    followers = await claim(queue, worker, "write")
    assert [(one.job.step, one.job.attempts) for one in followers] == [(1, 1)] * 3


async def test_a_batch_ends_when_its_last_item_does(database: Database, queue: Queue, worker: WorkerId):
    batch = (await make_batch(database, 3)).id
    first = await claim(queue, worker, "fetch")
    await queue.settle([*done(first[:2]), *failed(first[2:], PERMANENT)])
    assert (await read_progress(database.pool, batch)).status == "processing"
    await drain(queue, worker)
    progress = await read_progress(database.pool, batch)
    assert (progress.status, progress.percentage) == ("completed", 100)
    assert counts(progress) == (3, 2, 1, 0, 0) == await recount(database, batch)


async def test_a_batch_without_any_success_has_failed(database: Database, queue: Queue, worker: WorkerId):
    batch = (await make_batch(database, 2)).id
    await queue.settle(failed(await claim(queue, worker), PERMANENT))
    assert (await read_progress(database.pool, batch)).status == "failed"


async def test_events_are_numbered_without_gaps(database: Database, queue: Queue, worker: WorkerId):
    batch = (await make_batch(database, 10)).id
    await drain(queue, worker)
    numbers = [row["number"] for row in await database.pool.fetch("select number from rushes.events order by number")]
    last = await database.pool.fetchval("select last_event from rushes.batches where id = $1", batch)
    assert numbers == list(range(1, last + 1))
    assert last == 20


async def test_two_settlements_at_once_count_everything_once(database: Database, queue: Queue, worker: WorkerId):
    batch = (await make_batch(database, 40, "fetch")).id
    claimed = await claim(queue, worker)
    halves = [done(claimed[:25]), done(claimed[15:])]
    settled = await asyncio.gather(*(queue.settle(half) for half in halves))
    progress = await read_progress(database.pool, batch)
    assert sum(len(one.applied) for one in settled) == 40
    assert counts(progress) == (40, 40, 0, 0, 0)


async def test_found_videos_join_and_the_line_that_stood_for_them_is_not_counted(
    database: Database, queue: Queue, worker: WorkerId
):
    order = Order("feed", plan("scrape", "fetch"))
    batch = (await open_batch(database.pool, order, lines(1, collection=True))).id
    (scraping,) = await claim(queue, worker, "scrape")
    found = tuple(NewItem(Source(VideoKey(f"url:v{n}"), f"https://v/{n}"), f"v{n}") for n in (1, 2, 3))
    await queue.settle(done([scraping], items=found))
    assert counts(await read_progress(database.pool, batch)) == (3, 0, 0, 0, 0)
    places = await database.pool.fetch("select position from rushes.items order by position")
    assert [row["position"] for row in places] == [-1, 1, 2, 3]
    await drain(queue, worker, "fetch")
    progress = await read_progress(database.pool, batch)
    assert (progress.status, counts(progress)) == ("completed", (3, 3, 0, 0, 0))
    assert counts(progress) == await recount(database, batch)


async def test_what_a_stage_learns_is_shown(database: Database, queue: Queue, worker: WorkerId):
    await make_batch(database, 1)
    facts = Facts(title="A talk", duration=timedelta(seconds=90), aliases=(VideoKey("vimeo:1"),))
    await queue.settle(done(await claim(queue, worker), facts=facts))
    row = await database.pool.fetchrow(
        "select v.title, v.duration, a.alias from rushes.videos v join rushes.video_aliases a using (key)"
    )
    assert row is not None
    assert tuple(row) == ("A talk", timedelta(seconds=90), "vimeo:1")


async def test_a_video_listed_under_two_addresses_is_worked_at_once(database: Database, queue: Queue, worker: WorkerId):
    batch = (await make_batch(database, 3)).id
    one, other, third = await claim(queue, worker)
    alias = Facts(aliases=(VideoKey("vimeo:1"),))
    await queue.settle([*done([one], facts=alias), *done([third])])
    await queue.settle(done([other], facts=alias))
    row = await database.pool.fetchrow("select status, skip_reason, error from rushes.items where position = 2")
    assert row is not None
    assert tuple(row) == ("skipped", "already_done", "the same video as item 1")
    await drain(queue, worker)
    assert counts(await read_progress(database.pool, batch)) == (3, 2, 0, 0, 1) == await recount(database, batch)


async def test_a_paused_batch_is_not_claimed_until_it_goes_on(database: Database, queue: Queue, worker: WorkerId):
    batch = (await make_batch(database, 3)).id
    running = await claim(queue, worker, limit=1)
    async with database.pool.acquire() as connection:
        assert await control.pause_batch(connection, batch)
        await queue.settle(done(running))
        assert await claim(queue, worker, "fetch", "write") == []
        assert await control.resume_batch(connection, batch)
    assert [one.job.kind for one in await claim(queue, worker, "fetch", "write")] == ["fetch", "fetch", "write"]


async def test_a_lack_of_the_environment_pauses_the_batch_and_fails_no_item(
    database: Database, queue: Queue, worker: WorkerId
):
    batch = (await make_batch(database, 3)).id
    lack = Failure(ErrorClass.NEEDS_INPUT, "no space left", remedy="free some", environment=True)
    await queue.settle(failed(await claim(queue, worker, limit=1), lack))
    progress = await read_progress(database.pool, batch)
    assert (progress.status, progress.pause_reason, progress.pause_remedy) == ("paused", "no space left", "free some")
    assert await claim(queue, worker) == []
    async with database.pool.acquire() as connection:
        await control.resume_batch(connection, batch)
    assert {one.job.attempts for one in await claim(queue, worker)} == {1}


async def test_a_cancelled_batch_is_over_at_once(database: Database, queue: Queue, worker: WorkerId):
    batch = (await make_batch(database, 3)).id
    running = await claim(queue, worker, limit=1)
    async with database.pool.acquire() as connection:
        assert await control.cancel_batch(connection, batch)
        assert not await control.cancel_batch(connection, batch)
    assert len((await queue.settle(done(running))).stale) == 1
    progress = await read_progress(database.pool, batch)
    assert (progress.status, counts(progress)) == ("cancelled", (3, 0, 0, 3, 0))
    assert counts(progress) == await recount(database, batch)


@pytest.mark.parametrize("verb", ["cancel_batch", "pause_batch"])
async def test_control_holds_against_settlements_at_the_same_time(
    database: Database, queue: Queue, worker: WorkerId, verb: str
):
    """Whichever comes first, nothing of the batch can be claimed afterwards."""
    for _ in range(10):
        batch = (await make_batch(database, 8)).id
        claimed = await claim(queue, worker, limit=6)

        async def steer(batch: BatchId = batch) -> None:
            async with database.pool.acquire() as connection:
                await getattr(control, verb)(connection, batch)

        await asyncio.gather(queue.settle(done(claimed[:3])), steer(), queue.settle(done(claimed[3:])))
        assert await claim(queue, worker, "fetch", "write") == []
        progress = await read_progress(database.pool, batch)
        assert counts(progress) == await recount(database, batch)


async def test_failed_items_run_again_from_the_stage_that_failed(database: Database, queue: Queue, worker: WorkerId):
    batch = (await make_batch(database, 2)).id
    await queue.settle(done(await claim(queue, worker)))
    await queue.settle(failed(await claim(queue, worker, "write"), PERMANENT))
    async with database.pool.acquire() as connection:
        assert await control.retry_items(connection, batch, ["transient"]) == 0
        assert await control.retry_items(connection, batch) == 2
    assert await claim(queue, worker, "fetch") == []
    await drain(queue, worker)
    progress = await read_progress(database.pool, batch)
    assert (progress.status, counts(progress)) == ("completed", (2, 2, 0, 0, 0))


async def test_the_same_run_again_goes_on_with_its_batch(database: Database, queue: Queue, worker: WorkerId):
    first = await make_batch(database, 3, "fetch", run_key="run")
    claimed = await claim(queue, worker)
    await queue.settle([*done(claimed[:1]), *failed(claimed[1:2], PERMANENT)])
    order = Order("test", plan("fetch"), "run")
    again = await open_batch(database.pool, order, lines(5))
    assert (again.id, again.joined, again.added) == (first.id, True, 2)
    assert counts(await read_progress(database.pool, first.id)) == (5, 1, 1, 0, 0)


async def test_the_same_run_again_tries_what_failed_for_a_passing_reason(
    database: Database, queue: Queue, worker: WorkerId
):
    first = await make_batch(database, 2, "fetch", run_key="run")
    for _ in range(3):
        await queue.settle(failed([x for x in await claim(queue, worker) if x.job.video_id == "url:1"], TRANSIENT))
        await database.pool.execute("update rushes.jobs set run_at = now() where status = 'retrying'")
        await queue.tick()
    await database.pool.execute("update rushes.jobs set status = 'queued' where status = 'processing'")
    await queue.settle(failed(await claim(queue, worker), PERMANENT))
    again = await make_batch(database, 2, "fetch", run_key="run")
    assert (again.id, again.retried) == (first.id, 1)


async def test_the_same_run_after_its_batch_has_ended_is_a_new_batch(
    database: Database, queue: Queue, worker: WorkerId
):
    first = await make_batch(database, 2, "fetch", run_key="run")
    await drain(queue, worker, "fetch")
    again = await make_batch(database, 2, "fetch", run_key="run")
    assert again.id != first.id
    assert not again.joined


async def test_two_who_start_the_same_run_at_once_share_its_batch(database: Database):
    opened = await asyncio.gather(*(make_batch(database, 4, run_key="run") for _ in range(4)))
    assert len({one.id for one in opened}) == 1
    assert sorted(one.added for one in opened) == [0, 0, 0, 4]


async def test_lines_that_became_no_item_are_kept(database: Database):
    given: list[Line] = [
        *lines(1),
        Duplicate("list.txt:2", "line 1", "list.txt:1"),
        Invalid("list.txt:3", "???", "no address"),
    ]
    opened = await open_batch(database.pool, Order("test", plan("fetch")), given)
    rows = await database.pool.fetch("select origin, verdict, reason from rushes.lines order by number")
    progress = await read_progress(database.pool, opened.id)
    assert [tuple(row) for row in rows] == [
        ("list.txt:2", "duplicate", "the same video as list.txt:1"),
        ("list.txt:3", "invalid", "no address"),
    ]
    assert (progress.total, progress.duplicates, progress.invalid) == (1, 1, 1)


async def test_an_input_that_turns_out_unusable_creates_nothing(database: Database):
    def broken():
        yield from lines(6000)
        raise UsageError("list.txt:6001: not UTF-8")

    with pytest.raises(UsageError, match="6001"):
        await open_batch(database.pool, Order("test", plan("fetch")), broken())
    for table in ("batches", "items", "jobs", "videos"):
        assert await database.pool.fetchval(f"select count(*) from rushes.{table}") == 0


async def test_the_same_run_on_a_machine_of_another_name_goes_on_with_its_files(
    database: Database, queue: Queue, worker: WorkerId
):
    """A container made anew has another name and the same files."""
    given = [Valid(1, NewItem(Source(VideoKey("file:1"), "/talks/1.mp4"), "/talks/1.mp4"))]
    order = Order("test", plan("fetch", "write"), "run")
    await open_batch(database.pool, order, given)
    await database.pool.execute("update rushes.jobs set host = 'gone'")
    assert (await open_batch(database.pool, order, given)).joined
    assert len(await queue.claim(worker, {"fetch": 1}, host=socket.gethostname())) == 1


async def test_watching_a_large_batch_reads_only_what_runs_or_waits(database: Database):
    batch = (await make_batch(database, 20_000)).id
    await database.pool.execute("update rushes.jobs set status = 'processing', lease_until = now() where id <= 3")
    await database.pool.execute("update rushes.jobs set status = 'retrying', run_at = now() where id between 4 and 6")
    await database.pool.execute("vacuum analyze rushes.jobs")
    for statement in ("at_work", "waiting"):
        plan_of = await database.pool.fetch(f"explain (analyze, costs off, timing off) {sql(statement)}", batch)
        removed = [row[0] for row in plan_of if "Removed by Filter" in row[0] or "Seq Scan on jobs" in row[0]]
        assert removed == []
