"""The calls that a queue service of this shape is known by, as its users write them: only the import line is ours."""

from __future__ import annotations

import threading

import pytest

import rushes
from rushes import QueueService

from .conftest import failing


@pytest.fixture(autouse=True)
def _stages(stage):
    stage("download", "transform")


def test_enqueue_a_job(db: rushes.Connection):
    service = QueueService(db)

    # Enqueue download job with normal priority
    job = service.enqueue_job(
        video_id="video-123",
        job_type="download",
        priority=0,
    )
    assert (job.video_id, job.job_type, job.priority, job.status) == ("video-123", "download", 0, "queued")

    # Enqueue urgent transform job
    job = service.enqueue_job(
        video_id="video-123",
        job_type="transform",
        priority=10,  # Urgent
    )
    assert (job.job_type, job.priority) == ("transform", 10)


def test_process_jobs(service: QueueService):
    for _ in range(7):
        service.enqueue_job("video-123", "download")

    # Process next job
    job = service.process_next_job()
    assert job is not None
    assert job.status == "completed"

    # Process batch of jobs
    jobs = service.process_batch(batch_size=5)
    assert [job.status for job in jobs] == ["completed"] * 5

    # Process specific job type
    job = service.process_next_job(job_type="download")
    assert job is not None
    assert job.job_type == "download"


def test_monitor_queue(service: QueueService, capsys, stage):
    stage("transform", run=failing)
    service.enqueue_job("video-1", "transform", 0, 1)
    service.process_batch(batch_size=5)
    waiting = service.enqueue_job("video-2", "download")

    # Get pending jobs
    pending = service.get_pending_jobs(limit=10)
    assert [job.id for job in pending] == [waiting.id]

    # Get processing jobs
    processing = service.get_processing_jobs()
    assert processing == []

    # Get failed jobs
    failed = service.get_failed_jobs(max_attempts_reached=True)
    assert [(job.video_id, job.error_message) for job in failed] == [("video-1", "not now")]
    assert service.get_failed_jobs() == failed

    # Get queue statistics
    stats = service.get_statistics()
    print(f"Queue length: {stats['queue_length']}")  # noqa: T201  (theirs)
    print(f"Success rate: {stats['success_rate']}%")  # noqa: T201  (theirs)
    print(f"Average processing time: {stats['average_processing_time']}s")  # noqa: T201  (theirs)
    assert capsys.readouterr().out.splitlines()[:2] == ["Queue length: 1", "Success rate: 0.0%"]


def test_retry_failed_jobs(service: QueueService, stage):
    stage("download", run=failing)
    job_id = service.enqueue_job("video-123", "download", max_attempts=1).id
    service.process_next_job()

    # Retry a specific job
    retried = service.retry_job(job_id)
    assert (retried.id, retried.status, retried.attempts) == (job_id, "queued", 0)

    # Process retrying jobs (after backoff delay)
    ready_jobs = service.process_retrying_jobs()
    assert ready_jobs == []


def test_pause_and_resume_the_queue(service: QueueService):
    # Pause queue processing
    service.pause()
    assert service.is_paused()

    # Resume queue processing
    service.resume()

    # Check if paused
    assert not service.is_paused()


def test_batch_processing(service: QueueService):
    service.enqueue_job("video-1", "download", priority=1)
    service.enqueue_job("video-2", "download", priority=9)
    service.enqueue_job("video-3", "transform", priority=10)

    # Process batch of 5 jobs
    jobs = service.process_batch(batch_size=5, job_type="download")
    assert [job.video_id for job in jobs] == ["video-2", "video-1"]


def test_queue_statistics(service: QueueService):
    service.enqueue_job("video-123", "download")
    service.process_next_job()
    service.enqueue_job("video-123", "transform")

    stats = service.get_statistics()
    named = (
        "total_jobs", "queued", "processing", "completed", "failed", "retrying", "success_rate", "average_processing_time",
        "average_wait_time", "queue_length",
    )  # fmt: skip
    assert set(named) <= set(stats)
    counts = {"total_jobs": 2, "queued": 1, "completed": 1, "failed": 0, "success_rate": 100.0, "queue_length": 1}
    assert {name: stats[name] for name in counts} == counts

    # Get statistics for download jobs only
    stats = service.get_statistics(job_type="download")
    assert (stats["total_jobs"], stats["completed"]) == (1, 1)


def test_github_actions(service: QueueService):
    # Enqueue job with workflow run ID
    job = service.enqueue_job(
        video_id="video-123",
        job_type="download",
        github_workflow_run_id="12345678",
    )
    assert job.github_workflow_run_id == "12345678"

    # Update job status from workflow
    updated = service.update_job_from_workflow(
        job_id=job.id,
        status="completed",
    )
    assert (updated.id, updated.status) == (job.id, "completed")


def test_a_background_worker(service: QueueService, stage):
    done = threading.Event()

    async def telling(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        done.set()
        return rushes.Result()

    stage("download", run=telling)
    service.enqueue_job("video-123", "download")
    over = threading.Event()

    def queue_worker(service: QueueService):
        """Background worker to process jobs"""
        while not over.is_set():
            if not service.is_paused():
                job = service.process_next_job()
                if not job:
                    over.wait(5)  # Wait if no jobs
            else:
                over.wait(10)  # Wait longer if paused

    # Start worker thread
    worker = threading.Thread(target=queue_worker, args=(service,))
    worker.daemon = True
    worker.start()

    assert done.wait(60)
    over.set()
    worker.join()
    assert service.get_statistics()["completed"] == 1


def test_the_order_of_arguments_is_theirs(service: QueueService):
    job = service.enqueue_job("video-123", "download", 5, 7, "12345678")
    assert (job.video_id, job.job_type, job.priority, job.max_attempts, job.github_workflow_run_id) == (
        "video-123", "download", 5, 7, "12345678",
    )  # fmt: skip
