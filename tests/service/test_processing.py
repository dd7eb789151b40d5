"""Processing by the call: whose turn it is, what a failure means, what a pause, a limit and an interruption do."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

import rushes
from rushes import QueueService
from rushes.queue import limits

from .conftest import come_due, failing, value


def test_the_highest_priority_goes_first_whatever_its_type_then_the_oldest(service: QueueService, stage):
    stage("download", "transform", "publish")
    for video, kind, priority in [
        ("a", "transform", 0),
        ("b", "download", 0),
        ("c", "publish", 5),
        ("d", "transform", 5),
    ]:
        service.enqueue_job(video, kind, priority)
    assert [job.video_id for job in service.get_pending_jobs()] == ["c", "d", "a", "b"]
    assert [job.video_id for job in service.process_batch(10)] == ["c", "d", "a", "b"]


def test_a_failure_stops_no_batch_and_waits_for_its_backoff(service: QueueService, stage):
    stage("good")
    stage("bad", run=failing)
    service.enqueue_job("a", "bad")
    service.enqueue_job("b", "good")
    bad, good = service.process_batch(5)
    assert (bad.status, bad.attempts, bad.error_message, bad.error_class) == ("retrying", 1, "not now", "transient")
    assert bad.started_at is not None
    assert bad.queued_at - bad.started_at >= timedelta(seconds=1)
    assert good.status == "completed"


def test_backoff_is_a_second_doubled_with_each_attempt_and_the_last_one_fails(service: QueueService, stage, sql):
    stage("bad", run=failing)
    job = service.enqueue_job("a", "bad", 0, 4)
    waits = []
    for _ in range(3):
        tried = service.process_next_job()
        assert tried is not None
        assert tried.started_at is not None
        waits.append((tried.queued_at - tried.started_at).total_seconds())
        come_due(sql)
    last = service.process_next_job()
    assert [int(wait) for wait in waits] == [1, 2, 4]
    assert last is not None
    assert (last.id, last.status, last.attempts) == (job.id, "failed", 4)
    assert service.get_failed_jobs(max_attempts_reached=True) == [last]


def test_backoff_is_what_the_job_says(service: QueueService, stage):
    stage("bad", run=failing)
    service.enqueue_job("a", "bad", backoff=timedelta(minutes=3), backoff_cap=timedelta(minutes=2))
    tried = service.process_next_job()
    assert tried is not None
    assert tried.started_at is not None
    assert int((tried.queued_at - tried.started_at).total_seconds()) == 120


def test_what_is_due_runs_without_a_worker_beside_it(service: QueueService, stage, sql):
    stage("bad", run=failing)
    service.enqueue_job("a", "bad")
    service.process_next_job()
    assert service.process_next_job() is None
    come_due(sql)
    again = service.process_next_job()
    assert again is not None
    assert again.attempts == 2


def test_what_is_due_is_made_ready_by_hand(service: QueueService, stage, sql):
    stage("bad", run=failing)
    job = service.enqueue_job("a", "bad")
    service.process_next_job()
    assert service.process_retrying_jobs() == []
    come_due(sql)
    assert [(ready.id, ready.status) for ready in service.process_retrying_jobs()] == [(job.id, "queued")]


def test_a_retry_by_hand_works_after_the_attempts_are_used_up(service: QueueService, stage):
    stage("bad", run=failing)
    job = service.enqueue_job("a", "bad", max_attempts=1)
    service.process_next_job()
    stage("bad")
    assert service.retry_job(job.id).attempts == 0
    again = service.process_next_job()
    assert again is not None
    assert (again.status, again.error_message) == ("completed", None)
    with pytest.raises(rushes.UsageError, match=rf"job {job.id} is completed: only what has failed or was cancelled"):
        service.retry_job(job.id)


def test_a_pause_ends_a_batch_between_two_jobs(db: rushes.Connection, service: QueueService, stage):
    async def pausing(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        await rushes.Queue(db).pause()
        return rushes.Result()

    stage("pausing", run=pausing)
    for video in "abc":
        service.enqueue_job(video, "pausing")
    assert [job.video_id for job in service.process_batch(3)] == ["a"]
    assert service.is_paused()
    assert service.process_next_job() is None
    service.resume()
    assert [job.video_id for job in service.process_batch(3)] == ["b"]


def test_a_pause_of_one_type_lets_the_others_go_on(service: QueueService, stage):
    stage("download", "transform")
    service.enqueue_job("a", "download", priority=10)
    service.enqueue_job("a", "transform")
    service.pause("download")
    assert (service.is_paused(), service.is_paused("download"), service.is_paused("transform")) == (False, True, False)
    assert [job.job_type for job in service.process_batch(3)] == ["transform"]
    service.resume()
    assert not service.is_paused("download")


def test_only_types_that_this_process_has_are_processed(service: QueueService):
    job = service.enqueue_job("a", "a_stage_of_somebody_else")
    assert service.process_next_job() is None
    assert [one.id for one in service.get_pending_jobs()] == [job.id]
    with pytest.raises(rushes.UsageError, match="there is no stage 'a_stage_of_somebody_else'"):
        service.process_next_job("a_stage_of_somebody_else")


async def test_a_lane_s_limit_holds_for_who_processes_by_hand(database, settings, stage):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def waiting(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        begun.set()
        await go_on.wait()
        return rushes.Result()

    stage("slow", run=waiting)
    async with rushes.connect(settings) as db, database.pool.acquire() as connection:
        await limits.limit_lane(connection, "a.example", concurrency=1)
        queue = rushes.Queue(db)
        for _ in range(2):
            await queue.enqueue_job("a", "slow", lane="a.example")
        first = asyncio.create_task(queue.process_next_job())
        await begun.wait()
        assert await queue.process_next_job() is None
        go_on.set()
        done = [await first, await queue.process_next_job()]
    assert [job and job.status for job in done] == ["completed", "completed"]


async def test_jobs_are_processed_beside_each_other_each_by_one(database, settings, stage):
    stage("quick")
    async with rushes.connect(settings) as db:
        queue = rushes.Queue(db)
        ids = await queue.enqueue_jobs([rushes.NewJob("quick")] * 20)
        batches = await asyncio.gather(*(queue.process_batch(20) for _ in range(4)))
    assert sorted(job.id for batch in batches for job in batch) == ids
    assert all(job.attempts == 1 for batch in batches for job in batch)


async def test_a_call_that_is_cancelled_gives_its_job_back_uncounted(database, settings, stage):
    begun = asyncio.Event()

    async def endless(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        begun.set()
        await asyncio.Event().wait()
        return rushes.Result()

    stage("endless", run=endless)
    async with rushes.connect(settings) as db:
        queue = rushes.Queue(db)
        job = await queue.enqueue_job("a", "endless")
        call = asyncio.create_task(queue.process_next_job())
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        after = await queue.get_job(job.id)
    assert after is not None
    assert (after.status, after.attempts) == ("queued", 0)


def test_a_job_cancelled_while_it_runs_is_cancelled(service: QueueService, stage):
    begun = threading.Event()

    async def endless(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        begun.set()
        await asyncio.Event().wait()
        return rushes.Result()

    stage("endless", run=endless)
    job = service.enqueue_job("a", "endless")
    found: list[rushes.Job | None] = []
    call = threading.Thread(target=lambda: found.append(service.process_next_job()))
    call.start()
    begun.wait()
    assert [one.id for one in service.get_processing_jobs()] == [job.id]
    assert service.cancel_job(job.id).status == "cancelled"
    call.join()
    assert [one and one.status for one in found] == ["cancelled"]
    with pytest.raises(rushes.UsageError, match="is cancelled: only what waits or runs can be cancelled"):
        service.cancel_job(job.id)


def test_a_long_job_keeps_its_lease(settings, service: QueueService, stage, sql):
    """The lease is prolonged as long as the stage runs: it never has to be as long as the longest job."""

    async def prolonged(job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        await asyncio.to_thread(sql.execute, "update rushes.jobs set lease_until = now() + interval '3 s'")
        while await asyncio.to_thread(value, sql, "select lease_until < now() + interval '30 s' from rushes.jobs"):
            await asyncio.sleep(0.02)
        return rushes.Result()

    stage("long", run=prolonged)
    service.enqueue_job("a", "long")
    job = service.process_next_job()
    assert job is not None
    assert (job.status, job.attempts) == ("completed", 1)


def test_what_a_stage_keeps_is_kept_from_call_to_call_and_closed_at_the_end(database, settings, stage):
    class Model:
        def __init__(self, _settings: rushes.Settings) -> None:
            events.append("loaded")

        async def close(self) -> None:
            events.append("closed")

    events: list[str] = []

    async def using(_job: rushes.Job, context: rushes.Context) -> rushes.Result:
        context.service(Model)
        events.append("used")
        return rushes.Result()

    stage("using", run=using)
    with rushes.connect(settings) as db:
        service = QueueService(db)
        for _ in range(2):
            service.enqueue_job("a", "using")
        service.process_next_job()
        service.process_batch(2)
    assert events == ["loaded", "used", "used", "closed"]
