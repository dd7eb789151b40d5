"""A stage of a worker that waits for a workflow: the worker, the queue and the stage are the real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from rushes.database import Database
from rushes.github import apply_webhook, handle_webhook, run_workflow
from rushes.model import Job, JobId, Retries
from rushes.queue import NewJob, Queue, control
from rushes.queue.workflow_runs import end_attempt
from rushes.settings import Settings
from rushes.sources.postgres import QueueSource
from rushes.stages import registry
from rushes.stages.base import Context, Result, Stage
from rushes.worker import Bounds, Worker

from .conftest import KIND, row_of
from .deliveries import SECRET, of_run, packed
from .local_github import TOKEN, Fault, LocalGitHub

pytestmark = pytest.mark.timeout(60)
SOON = timedelta(milliseconds=20)


@pytest.fixture(autouse=True)
def stage(site: LocalGitHub) -> Iterator[None]:
    """The stage that the documentation shows."""

    async def render(job: Job, context: Context) -> Result:
        run = await run_workflow(
            job, context, repository="octo/videos", workflow="render.yml", token=TOKEN, api_url=site.url, every=SOON
        )
        return Result(notes=[run.url])

    before = dict(registry._decorated)
    registry.register(Stage(name=KIND, run=render))
    yield
    registry._decorated.clear()
    registry._decorated.update(before)


@pytest.fixture
async def job(queue: Queue) -> JobId:
    (one,) = await queue.enqueue([NewJob(KIND, retries=Retries(base=timedelta(milliseconds=1)))])
    return one


@pytest.fixture
def worker_of(database: Database, settings: Settings) -> Callable[..., Worker]:
    """A worker that ends when it finds nothing, or with `max_jobs` after so many."""

    def make(max_jobs: int | None = None) -> Worker:
        bounds = Bounds(empty_timeout=None if max_jobs else timedelta(seconds=0.2), max_jobs=max_jobs)
        return Worker(settings, QueueSource(database.pool, Queue(database.pool)), slots={KIND: 2}, bounds=bounds)

    return make


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    while not await condition():
        await asyncio.sleep(0.01)


async def started(site: LocalGitHub, count: int = 1) -> None:
    async def shown() -> bool:
        return len(site.runs) >= count

    await until(shown)


async def has(database: Database, job: JobId, **wanted: Any) -> None:
    async def so() -> bool:
        row = await row_of(database, job)
        return all(row[name] == value for name, value in wanted.items())

    await until(so)


async def test_a_stage_waits_for_its_run(
    database: Database, site: LocalGitHub, worker_of: Callable[..., Worker], job: JobId
):
    working = asyncio.create_task(worker_of().run())
    await started(site)
    url = f"{site.url}/octo/videos/actions/runs/{site.runs[0]['id']}"
    await has(database, job, note=f"{url}: queued", status="processing")
    site.runs[0]["status"] = "in_progress"
    await has(database, job, note=f"{url}: in_progress")
    site.end("success")
    await working
    row = await row_of(database, job)
    assert (row["status"], row["attempts"], row["result"]["notes"]) == ("completed", 1, [url])
    assert row["github_workflow_run_id"] == str(site.runs[0]["id"])


async def test_a_run_without_news_costs_nothing_of_the_limit(
    database: Database, site: LocalGitHub, worker_of: Callable[..., Worker], job: JobId
):
    """The second look at the same state is a conditional request."""
    working = asyncio.create_task(worker_of().run())
    await started(site)

    async def looked() -> bool:
        return sum("If-None-Match" in visit.headers for visit in site.visits) > 2

    await until(looked)
    site.end("success")
    await working
    assert (await row_of(database, job))["status"] == "completed"


async def test_a_run_that_fails_is_tried_again_by_the_rule_of_the_job(
    database: Database, site: LocalGitHub, worker_of: Callable[..., Worker], job: JobId
):
    working = asyncio.create_task(worker_of(max_jobs=3).run())
    for number in (1, 2, 3):
        await started(site, number)
        await has(database, job, attempts=number)
        site.end("failure")
    await working
    row = await row_of(database, job)
    assert (row["status"], row["attempts"], len(site.runs)) == ("failed", 3, 3)
    assert "its workflow run did not succeed: it failed" in row["error"]


async def test_a_failure_heard_of_again_by_webhook_counts_once(
    database: Database, queue: Queue, site: LocalGitHub, worker_of: Callable[..., Worker], job: JobId
):
    await database.pool.execute("update rushes.jobs set backoff_base = '1 hour', backoff_cap = '1 hour'")
    working = asyncio.create_task(worker_of().run())
    await started(site)
    site.end("failure")
    await has(database, job, status="retrying")
    update = handle_webhook(*packed("workflow_run", of_run("completed", "failure", run=site.runs[0]["id"])), [SECRET])
    assert update
    (applied,) = await apply_webhook(database.pool, update)
    assert (applied.changed, applied.job.attempts, applied.job.status) == (False, 1, "retrying")
    async with database.pool.acquire() as connection:
        await control.cancel_jobs(connection, [job])
    await working


async def test_a_webhook_that_is_quicker_ends_the_wait(
    database: Database, site: LocalGitHub, worker_of: Callable[..., Worker], job: JobId
):
    working = asyncio.create_task(worker_of().run())
    await started(site)
    await has(database, job, github_workflow_run_id=str(site.runs[0]["id"]))
    update = handle_webhook(*packed("workflow_run", of_run("completed", "success", run=site.runs[0]["id"])), [SECRET])
    assert update
    (applied,) = await apply_webhook(database.pool, update)
    report = await working
    row = await row_of(database, job)
    assert (applied.changed, row["status"], row["attempts"]) == (True, "completed", 1)
    assert report.processed == 0


async def test_a_run_cancelled_in_github_fails_the_job_for_good(
    database: Database, site: LocalGitHub, worker_of: Callable[..., Worker], job: JobId
):
    working = asyncio.create_task(worker_of().run())
    await started(site)
    site.end("cancelled")
    await working
    row = await row_of(database, job)
    assert (row["status"], row["error_class"], len(site.runs)) == ("failed", "permanent", 1)


async def test_the_next_attempt_waits_for_the_same_run(
    database: Database, queue: Queue, site: LocalGitHub, worker_of: Callable[..., Worker], job: JobId
):
    """GitHub refuses to be looked at for a while: the attempt fails, the run goes on."""
    working = asyncio.create_task(worker_of().run())
    await started(site)
    await has(database, job, github_workflow_run_id=str(site.runs[0]["id"]))
    site.faults.append(Fault(401, on="/actions/runs/"))
    await working
    assert (await row_of(database, job))["status"] == "failed"
    async with database.pool.acquire() as connection:
        await control.retry_jobs(connection, [job])
    site.end("success")
    await worker_of().run()
    assert (await row_of(database, job))["status"] == "completed"
    assert len(site.runs) == 1


async def test_who_wakes_late_does_not_take_the_next_run_from_the_job(
    database: Database, site: LocalGitHub, worker_of: Callable[..., Worker], job: JobId
):
    """A process frozen while it waited for the first run sees that fail when the second is at work already."""
    working = asyncio.create_task(worker_of(max_jobs=2).run())
    await started(site)
    await has(database, job, attempts=1, github_workflow_run_id=str(site.runs[0]["id"]))
    site.end("failure")
    await started(site, 2)
    await has(database, job, attempts=2, github_workflow_run_id=str(site.runs[0]["id"]))
    async with database.pool.acquire() as connection:
        await end_attempt(connection, job, str(site.runs[1]["id"]), 1)
    row = await row_of(database, job)
    assert (row["github_workflow_run_id"], row["github_attempts_over"]) == (str(site.runs[0]["id"]), 0)
    site.end("success")
    await working
    assert (await row_of(database, job))["status"] == "completed"
