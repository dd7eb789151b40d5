"""The queue's verbs for programs, asynchronously. `QueueService` has the same for synchronous ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from rushes.errors import DatabaseError, UsageError
from rushes.model import Job, JobId, JobStatus
from rushes.queue import NewJob, control, reading
from rushes.queue.drivers import enqueue_within, read_within
from rushes.queue.jobs import read_job
from rushes.queue.statements import sql
from rushes.queue.upkeep import promote
from rushes.queue.workflows import update_job_from_workflow
from rushes.service.arguments import Details, clamped, new_job, number, with_clamped_priorities, within
from rushes.service.connection import Connection

if TYPE_CHECKING:
    from rushes.queue.connection import Connection as DatabaseConnection
    from rushes.service.resources import Resources

T = TypeVar("T")

SHOWN = 100
"""Jobs in a list, if the caller does not say."""


class Queue:
    """The queue of a `rushes.connect()`. Safe to use from many tasks, and beside other processes.

    Every call raises `UsageError` for wrong arguments and after the connection is closed, and `DatabaseError` if the
    database cannot be reached.
    """

    def __init__(self, db: Connection) -> None:
        if not isinstance(db, Connection):
            raise UsageError(f"db: wanted what rushes.connect() gives, found {type(db).__name__}")
        self._db = db

    async def enqueue_job(
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
        """Add a job, durably: when this returns it is on the disk.

        Args:
            video_id: a known video's key, an address, a file, or whatever your own stage makes of it. Nobody looks at it
                before the job runs.
            job_type: the stage that does it, such as `download`. Workers take jobs of the stages that they know.
            priority: 0 to 10, higher first, and clamped to that; equals run in the order in which they came.
            max_attempts: how often it may run.
            github_workflow_run_id: the run of a GitHub workflow that it belongs to.
            connection: add it in the transaction of this connection of yours: of asyncpg, psycopg 3, or SQLAlchemy (also a
                session). The job exists once you commit, and never if you roll back.
            details: see `rushes.service.arguments.Details`: `payload`, `run_at`, `dedup_key`, `timeout`, `lane`, `backoff`,
                `backoff_cap`, `jitter`.

        Returns:
            The job; with a `dedup_key` of which a job lives, that one.
        """
        job = new_job(video_id, job_type, priority, max_attempts, github_workflow_run_id, details)
        if connection is not None:
            (added,) = await enqueue_within(connection, [job])
            return await read_within(connection, added)
        return await self._ask(lambda resources: resources.queue.enqueue_one(job))

    async def enqueue_jobs(self, jobs: Iterable[NewJob], *, connection: Any = None) -> list[JobId]:
        """Add many jobs in one transaction: all of them or none. Returns their ids in the order given.

        An iterator is read as it is needed, so that a million jobs need no memory but their ids'. With `connection` they
        are added in that connection's transaction, as with `enqueue_job`.
        """
        wanted = with_clamped_priorities(jobs)
        if connection is not None:
            return await enqueue_within(connection, wanted)
        return await self._ask(lambda resources: resources.queue.enqueue(wanted))

    async def process_next_job(self, job_type: str | None = None) -> Job | None:
        """Run the job whose turn it is, of one type or of any that this process has a stage for, to its outcome.

        Returns:
            The job as it is then: `completed`, `retrying`, `failed`. None if none is ready, or the queue is paused.
        """
        return await self._ask(lambda resources: resources.processing.one(job_type))

    async def process_batch(self, batch_size: int, job_type: str | None = None) -> list[Job]:
        """Run up to so many jobs, one after the other. It goes on after failures, and stops when the queue is paused.

        Returns:
            The jobs that were run, as they are then.
        """
        most = within("batch_size", batch_size, 0)
        return await self._ask(lambda resources: resources.processing.many(most, job_type))

    async def process_retrying_jobs(self) -> list[Job]:
        """Make ready what waits for its backoff or its time and is due. Workers do so by themselves. Returns those jobs."""

        async def advance(resources: Resources) -> list[Job]:
            ready: list[Job] = []
            async with resources.database.pool.acquire() as connection:
                while due := await promote(connection):
                    ready += await _read(connection, "select * from rushes.jobs where id = any($1) order by id", due)
            if ready:
                resources.queue.doorbell.ring()
            return ready

        return await self._ask(advance)

    async def get_job(self, job_id: int) -> Job | None:
        """A job, or None if there is none of that number."""
        return await self._ask(lambda resources: resources.queue.get(number(job_id)))

    async def get_pending_jobs(self, limit: int = SHOWN, job_type: str | None = None) -> list[Job]:
        """Queued jobs, in the order in which they will run."""
        return await self._list("pending_jobs", job_type, within("limit", limit, 0))

    async def get_processing_jobs(self, limit: int = SHOWN, job_type: str | None = None) -> list[Job]:
        """Jobs at work, those that started first in front."""
        return await self._list("processing_jobs", job_type, within("limit", limit, 0))

    async def get_failed_jobs(
        self,
        max_attempts_reached: bool | None = None,  # noqa: FBT001  (the argument has its name and place from elsewhere)
        limit: int = SHOWN,
        job_type: str | None = None,
    ) -> list[Job]:
        """Jobs that failed for good, the last in front.

        With `max_attempts_reached=True` only those that used up their attempts; with False only those that failed at once,
        because no retry could help.
        """
        return await self._list("failed_jobs", job_type, max_attempts_reached, within("limit", limit, 0))

    async def get_statistics(
        self, job_type: str | None = None, window: timedelta | None = None, *, by_type: bool = False
    ) -> dict[str, Any]:
        """The queue in numbers, of one type of jobs or all, ever or within a window. Times are seconds.

        `total_jobs`, `queued`, `processing`, `completed`, `failed`, `retrying`, `cancelled`, `success_rate` (per cent),
        `average_processing_time`, `average_wait_time`, `queue_length` and more, as `rushes queue stats` shows them; with
        `by_type`, each type's under `by_kind`. None where there is nothing to go by.
        """
        return await self._ask(lambda resources: reading.statistics(
            resources.database.pool, job_type, window, by_kind=by_type
        ))  # fmt: skip

    async def retry_job(self, job_id: int) -> Job:
        """Run a failed or cancelled job again, with all its attempts before it. Returns it, queued."""
        rule = "only what has failed or was cancelled can run again, and of each key one job"
        return await self._steer(job_id, control.retry_jobs, rule)

    async def cancel_job(self, job_id: int) -> Job:
        """Cancel a job that waits or runs: it is over at once, and whoever runs it is told. Returns it, cancelled."""
        return await self._steer(job_id, control.cancel_jobs, "only what waits or runs can be cancelled")

    async def prioritize(self, job_id: int, priority: int) -> Job:
        """Give a job that waits another priority, clamped to 0 to 10. Returns it."""

        async def change(connection: DatabaseConnection, jobs: list[JobId]) -> int:
            return await control.prioritize_jobs(connection, jobs, clamped(priority))

        return await self._steer(job_id, change, "only what waits has a turn to change")

    async def pause(self, job_type: str | None = None) -> None:
        """Pause the queue, or one type of jobs, for all workers until `resume`: what runs ends, nothing more starts."""
        await self._on_connection(lambda connection: control.pause(connection, job_type or control.WHOLE_QUEUE))

    async def resume(self, job_type: str | None = None) -> None:
        """Let one type of jobs go on; without a type, whatever was paused."""

        async def go_on(resources: Resources) -> None:
            async with resources.database.pool.acquire() as connection:
                for kind in [job_type] if job_type else await control.paused_kinds(connection):
                    await control.resume(connection, kind)
            resources.queue.doorbell.ring()

        await self._ask(go_on)

    async def is_paused(self, job_type: str | None = None) -> bool:
        """Whether the whole queue is paused; with a type, whether that type's jobs are."""
        paused = await self._on_connection(control.paused_kinds)
        return control.WHOLE_QUEUE in paused or job_type in paused

    async def update_job_from_workflow(
        self,
        job_id: int,
        status: JobStatus | str,
        error_message: str | None = None,
        *,
        github_workflow_run_id: str | int | None = None,
        run_attempt: int | None = None,
    ) -> Job:
        """Write what a GitHub workflow says of a job. Returns the job as it is then.

        `completed` and `cancelled` end it; `failed` is a failed attempt, retried while there are more; `processing` takes
        it over, so that no worker starts it; `queued` gives it back.

        Raises:
            IllegalTransition: the job is finished, or another run is at it. Nothing has changed.
        """
        wanted = number(job_id)
        job = await self._on_connection(lambda connection: update_job_from_workflow(
            connection, wanted, status, error=error_message, run_id=github_workflow_run_id, run_attempt=run_attempt
        ))  # fmt: skip
        return _found(job, wanted)

    async def _list(self, statement: str, *arguments: Any) -> list[Job]:
        return await self._on_connection(lambda connection: _read(connection, sql(statement), *arguments))

    async def _steer(
        self, job_id: int, act: Callable[[DatabaseConnection, list[JobId]], Awaitable[int]], rule: str
    ) -> Job:
        wanted = number(job_id)

        async def steer(resources: Resources) -> Job:
            async with resources.database.pool.acquire() as connection:
                done = await act(connection, [wanted])
            job = _found(await resources.queue.get(wanted), wanted)
            if not done:
                raise UsageError(f"job {wanted} is {job.status}: {rule}")
            resources.queue.doorbell.ring()
            return job

        return await self._ask(steer)

    async def _on_connection(self, work: Callable[[DatabaseConnection], Awaitable[T]]) -> T:
        async def lend(resources: Resources) -> T:
            async with resources.database.pool.acquire() as connection:
                return await work(connection)

        return await self._ask(lend)

    async def _ask(self, work: Callable[[Resources], Awaitable[T]]) -> T:
        import asyncpg

        try:
            return await self._db.ask(work)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseError(f"the database: {error or type(error).__name__}") from error


async def _read(connection: DatabaseConnection, statement: str, *arguments: Any) -> list[Job]:
    return [read_job(row) for row in await connection.fetch(statement, *arguments)]


def _found(job: Job | None, wanted: JobId) -> Job:
    if job is None:
        raise UsageError(f"there is no job {wanted}")
    return job
