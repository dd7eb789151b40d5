"""The queue's verbs for synchronous programs: each waits for the asynchronous one of the same name."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from rushes.model import Job, JobId, JobStatus
from rushes.queue import NewJob
from rushes.queue.drivers import at_once
from rushes.service.arguments import Details
from rushes.service.queue import SHOWN, Queue

if TYPE_CHECKING:
    from rushes.service.connection import Connection

T = TypeVar("T")


class QueueService:
    """The queue of a `rushes.connect()`. Safe to use from many threads, and beside other processes.

    Every call raises `UsageError` for wrong arguments, after the connection is closed and in a fork of its process, and
    `DatabaseError` if the database cannot be reached.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._queue = Queue(db)

    def enqueue_job(
        self,
        video_id: str | None,
        job_type: str,
        priority: int = 0,
        max_attempts: int = 3,
        github_workflow_run_id: str | int | None = None,
        *,
        connection: Any = None,
        **details: Unpack[Details],
    ) -> Job:
        work = self._queue.enqueue_job(
            video_id, job_type, priority, max_attempts, github_workflow_run_id, connection=connection, **details
        )
        return self._wait(work) if connection is None else at_once(work, connection)

    def enqueue_jobs(self, jobs: Iterable[NewJob], *, connection: Any = None) -> list[JobId]:
        work = self._queue.enqueue_jobs(jobs, connection=connection)
        return self._wait(work) if connection is None else at_once(work, connection)

    def process_next_job(self, job_type: str | None = None) -> Job | None:
        return self._wait(self._queue.process_next_job(job_type))

    def process_batch(self, batch_size: int, job_type: str | None = None) -> list[Job]:
        return self._wait(self._queue.process_batch(batch_size, job_type))

    def process_retrying_jobs(self) -> list[Job]:
        return self._wait(self._queue.process_retrying_jobs())

    def get_job(self, job_id: int) -> Job | None:
        return self._wait(self._queue.get_job(job_id))

    def get_pending_jobs(self, limit: int = SHOWN, job_type: str | None = None) -> list[Job]:
        return self._wait(self._queue.get_pending_jobs(limit, job_type))

    def get_processing_jobs(self, limit: int = SHOWN, job_type: str | None = None) -> list[Job]:
        return self._wait(self._queue.get_processing_jobs(limit, job_type))

    def get_failed_jobs(
        self,
        max_attempts_reached: bool | None = None,  # noqa: FBT001  (as in `Queue`)
        limit: int = SHOWN,
        job_type: str | None = None,
    ) -> list[Job]:
        return self._wait(self._queue.get_failed_jobs(max_attempts_reached, limit, job_type))

    def get_statistics(
        self, job_type: str | None = None, window: timedelta | None = None, *, by_type: bool = False
    ) -> dict[str, Any]:
        return self._wait(self._queue.get_statistics(job_type, window, by_type=by_type))

    def retry_job(self, job_id: int) -> Job:
        return self._wait(self._queue.retry_job(job_id))

    def cancel_job(self, job_id: int) -> Job:
        return self._wait(self._queue.cancel_job(job_id))

    def prioritize(self, job_id: int, priority: int) -> Job:
        return self._wait(self._queue.prioritize(job_id, priority))

    def pause(self, job_type: str | None = None) -> None:
        self._wait(self._queue.pause(job_type))

    def resume(self, job_type: str | None = None) -> None:
        self._wait(self._queue.resume(job_type))

    def is_paused(self, job_type: str | None = None) -> bool:
        return self._wait(self._queue.is_paused(job_type))

    def update_job_from_workflow(
        self,
        job_id: int,
        status: JobStatus | str,
        error_message: str | None = None,
        *,
        github_workflow_run_id: str | int | None = None,
        run_attempt: int | None = None,
    ) -> Job:
        return self._wait(self._queue.update_job_from_workflow(
            job_id, status, error_message, github_workflow_run_id=github_workflow_run_id, run_attempt=run_attempt
        ))  # fmt: skip

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self._db.call(work)


for _name, _verb in vars(QueueService).items():
    if not _name.startswith("_"):
        _verb.__doc__ = getattr(Queue, _name).__doc__
