"""GitHub's moods: limits, faults, answers that never come; and the token, which is for GitHub alone."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from rushes.database import Database
from rushes.errors import ErrorClass, NeedsInput, Permanent, RateLimited, StageError, Transient, UsageError
from rushes.github.client import GitHub, Unsure
from rushes.github.runs import Workflow
from rushes.model import JobId

from .conftest import Naps, row_of, start
from .local_github import TOKEN, Fault, LocalGitHub

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


async def test_a_token_that_changes_is_asked_for_each_time(database: Database, site: LocalGitHub, job: JobId):
    """Tokens of a GitHub App last an hour, and a run may last longer."""
    given: list[str] = []

    def token() -> str:
        given.append(TOKEN)
        return TOKEN

    site.tells_run = False
    async with GitHub(token, api_url=site.url) as github:
        await start(database, github, job)
    assert len(given) == len(site.visits) == 2
