"""`rushes queue workflow` and `rushes queue dispatch`, as a person and as a step of a workflow call them."""

from __future__ import annotations

import json

import pytest

from rushes.database import Database
from rushes.model import WorkerId
from rushes.queue import Queue
from tests.main_job.conftest import Rushes, rushes

from .conftest import brought_to, row_of
from .local_github import TOKEN, LocalGitHub

__all__ = ["rushes"]


async def test_a_status_by_hand(database: Database, rushes: Rushes, job: int):
    ended = rushes("queue", "workflow", job, "--status", "completed")
    assert (ended.code, ended.out) == (0, f"job {job}: completed\n")
    assert (await row_of(database, job))["status"] == "completed"


async def test_a_step_of_a_workflow_says_only_how_it_went(database: Database, rushes: Rushes, job: int):
    """Run and attempt are in the environment, so that the step may be repeated."""
    of_github = {"GITHUB_RUN_ID": "30433642", "GITHUB_RUN_ATTEMPT": "1"}
    first = rushes("queue", "workflow", job, "--conclusion", "failure", "--json", **of_github)
    again = rushes("queue", "workflow", job, "--conclusion", "failure", "--json", **of_github)
    told = json.loads(first.out)
    assert (first.code, told["status"], told["attempts"], told["error"]) == (
        0,
        "retrying",
        1,
        "its GitHub workflow: it failed",
    )
    assert (again.code, again.out) == (2, "")
    assert "attempt 1 at its workflow run 30433642 is over already" in again.err
    row = await row_of(database, job)
    assert (row["attempts"], row["github_workflow_run_id"]) == (1, "30433642")


async def test_a_finished_job_refuses(database: Database, queue: Queue, worker: WorkerId, rushes: Rushes):
    job = await brought_to(database, queue, worker, "failed")
    ended = rushes("queue", "workflow", job, "--status", "completed")
    assert ended.code == 2
    assert f"job {job} is failed: a finished job cannot become completed" in ended.err
    assert f"rushes queue retry {job}" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["404", "--status", "completed"], "there is no job 404"),
        (["1", "--status", "success"], "'success': wanted one of queued, processing"),
        (["1", "--conclusion", "completed"], "'completed': wanted one of success"),
        (["1", "--status", "failed", "--conclusion", "failure"], "say either --status or --conclusion"),
    ],
)
def test_wrong_use_is_said(database: Database, rushes: Rushes, arguments: list[str], words: str):
    ended = rushes("queue", "workflow", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


async def test_a_workflow_is_started_by_hand(database: Database, rushes: Rushes, site: LocalGitHub, job: int):
    ended = rushes(
        "queue", "dispatch", job, "--repository", "octo/videos", "--workflow", "render.yml", "--input", "quality=high=er",
        GITHUB_TOKEN=TOKEN, GITHUB_API_URL=site.url,
    )  # fmt: skip
    run = site.runs[0]
    assert (ended.code, ended.out) == (0, f"job {job}: {run['html_url']}\n")
    assert site.dispatches()[0]["inputs"] == {"quality": "high=er", "rushes_job": str(job)}
    assert (await row_of(database, job))["github_workflow_run_id"] == str(run["id"])


async def test_what_github_refuses_is_said_and_changes_nothing(
    database: Database, rushes: Rushes, site: LocalGitHub, job: int
):
    given = ("--repository", "octo/videos", "--workflow", "render.yml", "--input", "size=4", "--api-url", site.url)
    ended = rushes("queue", "dispatch", job, *given, GH_TOKEN=TOKEN)
    assert ended.code == 1
    assert 'Unexpected inputs provided: ["size"]' in ended.err
    assert TOKEN not in ended.err + ended.out
    assert (await row_of(database, job))["status"] == "queued"


@pytest.mark.parametrize(
    ("more", "environment", "words"),
    [
        ([], {}, "GITHUB_TOKEN or GH_TOKEN must hold one"),
        (["--input", "quality"], {"GITHUB_TOKEN": TOKEN}, "'quality': wanted NAME=VALUE"),
        (["--api-url", "http://example.org"], {"GITHUB_TOKEN": TOKEN}, "must be spoken to by https"),
    ],
)
async def test_wrong_use_of_dispatch_is_said(
    database: Database, rushes: Rushes, job: int, more: list[str], environment: dict[str, str], words: str
):
    ended = rushes(
        "queue", "dispatch", job, "--repository", "octo/videos", "--workflow", "render.yml", *more, **environment
    )
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert (await row_of(database, job))["status"] == "queued"
