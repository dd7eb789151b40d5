"""Jobs that workflows speak of, in a real queue, and a GitHub on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from rushes.database import Database
from rushes.errors import ErrorClass
from rushes.github import WorkflowRun
from rushes.github.client import GitHub
from rushes.github.dispatching import dispatch
from rushes.github.runs import Workflow
from rushes.model import Failure, Job, JobId, Outcome, Produced, WorkerId
from rushes.queue import NewJob, Queue, control
from rushes.queue.workflows import update_job_from_workflow

from .local_github import TOKEN, LocalGitHub

KIND = "render"
RENDER = Workflow("octo/videos", "render.yml")


@pytest.fixture
def queue(database: Database) -> Queue:
    return Queue(database.pool)


@pytest.fixture
async def worker(queue: Queue) -> WorkerId:
    return await queue.enter()


async def tell(database: Database, job: int, status: str, **said: Any) -> Job | None:
    """What a workflow says of a job."""
    async with database.pool.acquire() as connection:
        return await update_job_from_workflow(connection, JobId(job), status, **said)


async def row_of(database: Database, job: int) -> dict[str, Any]:
    row = await database.pool.fetchrow("select * from rushes.jobs where id = $1", job)
    assert row is not None
    return dict(row)


async def brought_to(database: Database, queue: Queue, worker: WorkerId, status: str) -> JobId:
    """A job of three attempts that got to a status the usual way."""
    (job,) = await queue.enqueue([NewJob(KIND)])
    if status == "queued":
        return job
    if status == "cancelled":
        async with database.pool.acquire() as connection:
            await control.cancel_jobs(connection, [job])
        return job
    (claimed,) = await queue.claim(worker, {KIND: 1}, host="here")
    error_class = {"retrying": ErrorClass.TRANSIENT, "failed": ErrorClass.PERMANENT}.get(status)
    if error_class:
        await queue.settle([Outcome(claimed.lease, failure=Failure(error_class, "it did not work"))])
    elif status == "completed":
        await queue.settle([Outcome(claimed.lease, produced=Produced())])
    return job


class Naps:
    """Sleeps that take no time, and how long they would have been."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def site() -> Iterator[LocalGitHub]:
    server = LocalGitHub()
    yield server
    server.close()


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def github(site: LocalGitHub, naps: Naps) -> AsyncIterator[GitHub]:
    async with GitHub(TOKEN, api_url=site.url, sleep=naps) as client:
        yield client


@pytest.fixture
async def job(queue: Queue) -> JobId:
    (one,) = await queue.enqueue([NewJob(KIND)])
    return one


async def start(
    database: Database, github: GitHub, job: JobId, target: Workflow = RENDER, **inputs: str
) -> WorkflowRun:
    return await dispatch(database.pool, github, target, job, inputs)
