"""Starting workflows at a GitHub on loopback: what is sent, what the job becomes, and what GitHub refuses."""

from __future__ import annotations

import asyncio
import re

import pytest

from rushes.database import Database
from rushes.errors import IllegalTransition, NeedsInput, Permanent, UsageError
from rushes.github import RunNotFound, WorkflowRun, apply_webhook, dispatch_workflow, handle_webhook
from rushes.github.client import GitHub
from rushes.github.runs import Workflow
from rushes.model import JobId, WorkerId
from rushes.queue import Queue, control
from tests.queue.conftest import make_batch

from .conftest import KIND, RENDER, Naps, brought_to, row_of, start, tell
from .deliveries import SECRET, of_run, packed
from .local_github import TOKEN, LocalGitHub


async def test_a_workflow_is_started_with_the_jobs_number(
    database: Database, queue: Queue, site: LocalGitHub, worker: WorkerId, job: JobId
):
    found = await queue.get(job)
    assert found
    run = await dispatch_workflow(
        database.pool, found, repository="octo/videos", workflow="render.yml", inputs={"quality": "high"}, token=TOKEN,
        api_url=site.url,
    )  # fmt: skip
    assert site.dispatches() == [{"ref": "main", "inputs": {"quality": "high", "rushes_job": str(job)}}]
    row = await row_of(database, job)
    assert (row["github_workflow_run_id"], row["status"], row["attempts"]) == (run.id, "processing", 1)
    assert row["note"] == f"{site.url}/octo/videos/actions/runs/{run.id}: queued"
    assert await queue.claim(worker, {KIND: 1}, host="here") == []


async def test_what_is_sent_is_what_github_asks_for(database: Database, site: LocalGitHub, github: GitHub, job: JobId):
    await start(database, github, job)
    (visit,) = site.visits
    assert (visit.method, visit.path) == ("POST", "/repos/octo/videos/actions/workflows/render.yml/dispatches")
    assert visit.headers["Accept"] == "application/vnd.github+json"
    assert visit.headers["X-GitHub-Api-Version"] == "2022-11-28"


async def test_from_dispatch_to_webhook(database: Database, site: LocalGitHub, github: GitHub, job: JobId):
    run = await start(database, github, job)
    update = handle_webhook(*packed("workflow_run", of_run("completed", "success", run=int(run.id))), [SECRET])
    assert update
    (applied,) = await apply_webhook(database.pool, update)
    assert (applied.job.id, applied.job.status) == (job, "completed")


@pytest.mark.parametrize("old", ["tells_run", "knows_run_details"])
async def test_where_github_does_not_tell_the_run_it_is_found_by_name(
    database: Database, site: LocalGitHub, github: GitHub, job: JobId, naps: Naps, old: str
):
    """It shows up in the list after a while, among others, and not on the first page."""
    setattr(site, old, False)
    site.lists_until_shown, site.page_size = 3, 1
    site.add_run(f"rushes job {job}1")
    site.add_run("rushes job, of another kind")
    run = await start(database, github, job)
    assert run.id == str(site.runs[0]["id"])
    assert site.runs[0]["display_title"] == f"rushes job {job}"
    assert naps.taken == [1, 1, 2]
    assert (await row_of(database, job))["github_workflow_run_id"] == run.id


async def test_a_run_that_never_shows_up_is_not_started_twice(
    database: Database, site: LocalGitHub, github: GitHub, job: JobId, naps: Naps
):
    site.tells_run, site.flows["render.yml"].run_name = False, "render"
    with pytest.raises(RunNotFound, match=re.escape("run-name: rushes job ${{ inputs.rushes_job }}")):
        await start(database, github, job)
    assert 60 <= sum(naps.taken) <= 70
    assert (await row_of(database, job))["status"] == "processing"
    with pytest.raises(IllegalTransition):
        await start(database, github, job)
    assert len(site.dispatches()) == 1
    told = await tell(database, job, "completed", run_id=site.runs[0]["id"])
    assert told
    assert told.status == "completed"


async def test_two_that_start_at_once_start_one_run(database: Database, site: LocalGitHub, github: GitHub, job: JobId):
    results = await asyncio.gather(*(start(database, github, job) for _ in range(5)), return_exceptions=True)
    assert len(site.dispatches()) == len(site.runs) == 1
    assert all(isinstance(one, WorkflowRun | IllegalTransition) for one in results)


async def test_a_job_at_work_in_a_run_is_not_given_another(
    database: Database, site: LocalGitHub, github: GitHub, job: JobId
):
    run = await start(database, github, job)
    assert (await start(database, github, job)).id == run.id
    assert len(site.runs) == 1


async def test_a_lost_webhook_is_made_up_for(database: Database, site: LocalGitHub, github: GitHub, job: JobId):
    await start(database, github, job)
    site.end("success")
    await start(database, github, job)
    assert (await row_of(database, job))["status"] == "completed"


async def test_a_failed_run_is_followed_by_a_new_one(database: Database, site: LocalGitHub, github: GitHub, job: JobId):
    await start(database, github, job)
    site.end("failure")
    await start(database, github, job)
    assert (await row_of(database, job))["status"] == "retrying"
    second = await start(database, github, job)
    row = await row_of(database, job)
    assert (row["github_workflow_run_id"], row["status"], row["attempts"]) == (second.id, "processing", 2)
    assert len(site.runs) == 2


async def test_a_job_that_came_back_while_its_run_goes_on_joins_it(
    database: Database, queue: Queue, site: LocalGitHub, github: GitHub, job: JobId
):
    run = await start(database, github, job)
    await database.pool.execute("update rushes.jobs set lease_until = now() - interval '1 s'")
    await queue.tick()
    assert (await row_of(database, job))["status"] == "queued"
    assert (await start(database, github, job)).id == run.id
    assert len(site.runs) == 1


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
async def test_nothing_is_started_for_a_finished_job(
    database: Database, queue: Queue, worker: WorkerId, site: LocalGitHub, github: GitHub, status: str
):
    job = await brought_to(database, queue, worker, status)
    with pytest.raises(IllegalTransition, match=f"is {status}"):
        await start(database, github, job)
    assert site.visits == []


async def test_there_must_be_such_a_job(database: Database, site: LocalGitHub, github: GitHub):
    with pytest.raises(UsageError, match="there is no job 404"):
        await start(database, github, JobId(404))


async def test_a_job_cancelled_while_its_run_starts_stays_cancelled(
    database: Database, site: LocalGitHub, github: GitHub, naps: Naps, job: JobId
):
    site.tells_run, site.lists_until_shown = False, 2

    async def cancels(_: float) -> None:
        async with database.pool.acquire() as connection:
            await control.cancel_jobs(connection, [job])

    github.sleep = cancels
    with pytest.raises(IllegalTransition, match="is cancelled"):
        await start(database, github, job)
    assert (await row_of(database, job))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("token", "target", "inputs", "error", "words"),
    [
        ("wrong", RENDER, {}, NeedsInput, "does not know the token .*401 Bad credentials"),
        (
            TOKEN,
            Workflow("octo/videos", "gone.yml"),
            {},
            Permanent,
            "no such repository, workflow or run.*gone.yml.*404",
        ),
        (TOKEN, Workflow("octo/other", "render.yml"), {}, Permanent, "no such repository.*octo/other"),
        (TOKEN, Workflow("octo/videos", "render.yml", "gone"), {}, Permanent, "422 No ref found for: gone"),
        (TOKEN, RENDER, {"size": "4"}, Permanent, 'Unexpected inputs provided: ."size".'),
        (TOKEN, RENDER, {"rushes_job": "1"}, UsageError, "rushes_job is the job's number"),
    ],
)
async def test_what_github_refuses_leaves_the_job_waiting(
    database: Database, site: LocalGitHub, job: JobId, token: str, target: Workflow, inputs: dict[str, str],
    error: type[Exception], words: str,
):  # fmt: skip
    async with GitHub(token, api_url=site.url) as github:
        with pytest.raises(error, match=words):
            await start(database, github, job, target, **inputs)
    row = await row_of(database, job)
    assert (row["status"], row["attempts"], row["github_workflow_run_id"]) == ("queued", 0, None)
    assert site.runs == []


async def test_nothing_is_started_for_what_is_paused(
    database: Database, queue: Queue, site: LocalGitHub, github: GitHub, job: JobId
):
    async with database.pool.acquire() as connection:
        for kind, words in ((KIND, "jobs of the kind render are paused"), ("*", "the whole queue is paused")):
            await control.pause(connection, kind)
            with pytest.raises(IllegalTransition, match=f"job {job} waits: {words}"):
                await start(database, github, job)
            await control.resume(connection, kind)
        batch = (await make_batch(database, 1)).id
        await control.pause_batch(connection, batch)
        (held,) = await connection.fetch("select id from rushes.jobs where batch_id = $1", batch)
        with pytest.raises(IllegalTransition, match=f"its batch {batch} is paused\\n.*rushes batch resume {batch}"):
            await start(database, github, held["id"])
    assert site.visits == []
    await start(database, github, job)
    assert len(site.runs) == 1
