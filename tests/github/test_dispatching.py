"""Starting workflows at a GitHub on loopback: what is sent, what the job becomes, and what each of its moods leads to."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from rushes.database import Database
from rushes.errors import (
    ErrorClass,
    IllegalTransition,
    NeedsInput,
    Permanent,
    RateLimited,
    StageError,
    Transient,
    UsageError,
)
from rushes.github import RunNotFound, WorkflowRun, apply_webhook, dispatch_workflow, handle_webhook
from rushes.github.client import GitHub, Unsure
from rushes.github.dispatching import dispatch
from rushes.github.runs import Workflow
from rushes.model import JobId, WorkerId
from rushes.queue import NewJob, Queue, control

from .conftest import KIND, brought_to, row_of, tell
from .deliveries import SECRET, of_run, packed
from .local_github import TOKEN, Fault, LocalGitHub

RENDER = Workflow("octo/videos", "render.yml")


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


LIMITED = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (Fault(429, {"message": "Too many"}, {"Retry-After": "7"}), 7),
        (Fault(403, {"message": LIMITED}, {"Retry-After": "30"}), 30),
        (Fault(403, {"message": LIMITED}), 60),
        (Fault(429), 60),
    ],
)
async def test_a_limit_is_waited_for_as_long_as_it_says(
    database: Database, site: LocalGitHub, github: GitHub, naps: Naps, job: JobId, fault: Fault, wait: float
):
    site.faults.append(fault)
    await start(database, github, job)
    assert naps.taken == [wait]
    assert len(site.runs) == 1


async def test_a_spent_limit_is_waited_for_until_githubs_own_time(
    database: Database, site: LocalGitHub, github: GitHub, job: JobId
):
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1800)}
    site.faults.append(Fault(403, {"message": "API rate limit exceeded"}, reset))
    with pytest.raises(RateLimited) as limited:
        await start(database, github, job)
    assert limited.value.retry_after
    assert 1795 <= limited.value.retry_after.total_seconds() <= 1801
    assert (await row_of(database, job))["status"] == "queued"


async def test_a_403_that_is_no_limit_asks_for_a_better_token(
    database: Database, site: LocalGitHub, github: GitHub, naps: Naps, job: JobId
):
    site.faults.append(Fault(403, {"message": "Resource not accessible by personal access token"}))
    with pytest.raises(NeedsInput, match="Actions: read and write"):
        await start(database, github, job)
    assert naps.taken == []


async def test_limits_without_end_are_given_up(
    database: Database, site: LocalGitHub, github: GitHub, naps: Naps, job: JobId
):
    site.faults += [Fault(429, {}, {"Retry-After": "50"}) for _ in range(9)]
    with pytest.raises(RateLimited):
        await start(database, github, job)
    assert naps.taken == [50, 50]


async def test_a_list_is_asked_for_again_after_faults(
    database: Database, site: LocalGitHub, github: GitHub, naps: Naps, job: JobId
):
    site.tells_run = False
    site.faults += [Fault(502, on="/runs"), Fault(0, on="/runs"), Fault(503, on="/runs")]
    await start(database, github, job)
    assert naps.taken == [1, 2, 4]
    assert len(site.dispatches()) == 1


@pytest.mark.parametrize("fault", [Fault(0, after=True), Fault(502, after=True)])
async def test_a_start_without_an_answer_is_looked_for_and_not_repeated(
    database: Database, site: LocalGitHub, github: GitHub, job: JobId, fault: Fault
):
    site.faults.append(fault)
    run = await start(database, github, job)
    assert len(site.dispatches()) == len(site.runs) == 1
    assert (await row_of(database, job))["github_workflow_run_id"] == run.id


async def test_a_start_without_an_answer_and_without_a_run_may_be_tried_again(
    database: Database, site: LocalGitHub, github: GitHub, job: JobId
):
    site.faults.append(Fault(0, on="/dispatches"))
    with pytest.raises(Unsure) as unsure:
        await start(database, github, job)
    assert unsure.value.error_class is ErrorClass.TRANSIENT
    assert (await row_of(database, job))["status"] == "queued"
    await start(database, github, job)
    assert len(site.runs) == 1


async def test_a_github_that_is_not_there_is_given_time(database: Database, naps: Naps, job: JobId):
    closed = LocalGitHub()
    closed.close()
    async with GitHub(TOKEN, api_url=closed.url, sleep=naps) as github:
        with pytest.raises(Transient, match="cannot be reached"):
            await start(database, github, job)
    assert naps.taken == [1, 2, 4, 8, 16, 32]
    assert (await row_of(database, job))["status"] == "queued"


async def test_a_repository_that_moved_is_said(database: Database, site: LocalGitHub, github: GitHub, job: JobId):
    site.faults.append(Fault(307, {"message": "Moved"}, {"Location": "https://elsewhere.example/"}))
    with pytest.raises(Permanent, match="has moved"):
        await start(database, github, job)
    assert len(site.visits) == 1


async def test_the_token_is_sent_to_no_other_address(database: Database, site: LocalGitHub, github: GitHub, job: JobId):
    """A list whose next page is said to lie elsewhere."""
    other = LocalGitHub()
    site.tells_run = False
    page = {"total_count": 2, "workflow_runs": []}
    site.faults.append(Fault(200, page, {"Link": f'<{other.url}/next>; rel="next"'}, on="/runs"))
    with pytest.raises(Permanent, match="not the API that was given"):
        await start(database, github, job)
    other.close()
    assert other.visits == []


async def test_no_word_of_ours_holds_the_token(
    database: Database, site: LocalGitHub, job: JobId, naps: Naps, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    said: list[Any] = []
    for fault in (Fault(500), Fault(401), Fault(403), Fault(404), Fault(422), Fault(429), Fault(0)):
        async with GitHub(TOKEN, api_url=site.url, sleep=naps) as github:
            site.faults += [fault] * 9
            with pytest.raises(StageError) as error:
                await start(database, github, job)
            said += [repr(github), vars(github), repr(error.value), str(error.value), error.value.details]
            site.faults.clear()
    assert TOKEN not in repr(said)
    assert TOKEN not in caplog.text
    assert caplog.records  # the client under ours does log


@pytest.mark.parametrize("token", ["", "two words", "line\n", "señal"])
def test_a_token_that_is_none_is_refused_without_showing_it(token: str):
    with pytest.raises(UsageError) as error:
        GitHub(token)
    assert token == "" or token not in str(error.value)


@pytest.mark.parametrize(
    "url", ["http://github.example.com/api/v3", "ftp://localhost", "", "https://me:pw@github.example.com"]
)
def test_the_token_goes_only_over_https(url: str):
    with pytest.raises(UsageError):
        GitHub(TOKEN, api_url=url)


@pytest.mark.parametrize(
    ("repository", "file"),
    [("octo", "a.yml"), ("octo/../x", "a.yml"), ("octo/..", "a.yml"), ("octo/videos?", "a.yml"), ("octo/videos", ".."),
     ("octo/videos", "a.yml/../b.yml"), ("octo/videos", "a.txt"), ("octo/videos", "a.yml?x=1")],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(repository: str, file: str):
    with pytest.raises(UsageError):
        Workflow(repository, file)
