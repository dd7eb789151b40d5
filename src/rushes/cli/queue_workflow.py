"""`rushes queue workflow` and `rushes queue dispatch`: what a GitHub workflow says of a job, and starting one for it.

What GitHub sets in the environment of a workflow is the default, so that a step of it needs to say little.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.arguments import LARGEST, chosen, database, within
from rushes.cli.output import JsonFlag, print_json, run, safe, stdout
from rushes.errors import UsageError
from rushes.model import Job, JobId, JobStatus

if TYPE_CHECKING:
    from rushes.github import WorkflowRun

JobNumber = Annotated[int, typer.Argument(metavar="JOB", callback=within(1, LARGEST), help="Its number.")]
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
API_URL = "https://api.github.com"


def workflow(
    job: JobNumber,
    *,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help=f"One of {', '.join(JobStatus)}.")] = None,
    conclusion: Annotated[
        str | None, typer.Option(metavar="WORD", help="Instead: GitHub's word, such as success or failure.")
    ] = None,
    error: Annotated[str | None, typer.Option(metavar="TEXT", help="Why it failed, or what it does now.")] = None,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="ID", envvar="GITHUB_RUN_ID", help="The run that says so.")
    ] = None,
    attempt: Annotated[
        int | None,
        typer.Option(metavar="N", envvar="GITHUB_RUN_ATTEMPT", callback=within(1, 1_000_000), help="Of that run."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write what a GitHub workflow says of a job. A failure is tried again while the job has attempts left.

    Examples:
      rushes queue workflow 42 --status completed
      rushes queue workflow 42 --status failed --error "no disk space"
      rushes queue workflow 42 --conclusion failure
    """
    asked, words = _asked(status, conclusion)
    updated = run(_update(JobId(job), asked, error or words, run_id, attempt))
    if as_json:
        print_json(updated)
    else:
        reason = f" — {safe(updated.error)}" if updated.error else ""
        stdout().print(f"job {updated.id}: {updated.status}{reason}")


def _asked(status: str | None, conclusion: str | None) -> tuple[str, str | None]:
    from rushes.github.conclusions import CONCLUSIONS

    if (status is None) == (conclusion is None):
        raise UsageError("say either --status or --conclusion")
    if conclusion is None:
        return chosen("--status", status, JobStatus) or "", None
    chosen("--conclusion", conclusion, CONCLUSIONS)
    meant = CONCLUSIONS[conclusion]
    return meant.status, f"its GitHub workflow: {meant.words}" if meant.words else None


async def _update(job: JobId, status: str, error: str | None, run_id: str | None, attempt: int | None) -> Job:
    from rushes.queue.workflows import update_job_from_workflow

    async with database() as (_, opened), opened.pool.acquire() as connection:
        updated = await update_job_from_workflow(
            connection, job, status, error=error, run_id=run_id, run_attempt=attempt
        )
    if updated is None:
        raise UsageError(f"there is no job {job}", remedy="`rushes queue list` shows those there are")
    return updated


def dispatch(
    job: JobNumber,
    *,
    workflow: Annotated[str, typer.Option(metavar="FILE", help="Its file in .github/workflows, or its number.")],
    repository: Annotated[
        str, typer.Option(metavar="OWNER/NAME", envvar="GITHUB_REPOSITORY", help="Where the workflow is.")
    ],
    ref: Annotated[str, typer.Option(metavar="NAME", help="The branch or tag.")] = "main",
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME=VALUE", help="Another input. Give it as often as needed."),
    ] = None,
    api_url: Annotated[
        str, typer.Option(metavar="URL", envvar="GITHUB_API_URL", help="The API of a GitHub of your own.")
    ] = API_URL,
    as_json: JsonFlag = False,
) -> None:
    """Start a GitHub workflow for a job that waits. The job is the workflow's until that has ended.

    The token is read from GITHUB_TOKEN or GH_TOKEN; it needs the right "Actions: read and write".

    Example: rushes queue dispatch 42 --repository octo/videos --workflow render.yml
    """
    given = dict(_input(one) for one in inputs or [])
    started = run(_dispatch(JobId(job), repository, workflow, ref, given, api_url))
    if as_json:
        print_json({"job": job, "run": started})
    else:
        stdout().print(f"job {job}: {safe(started.url)}")


def _input(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--input {text!r}: wanted NAME=VALUE")
    return name, value


async def _dispatch(
    job: JobId, repository: str, workflow: str, ref: str, inputs: dict[str, str], api_url: str
) -> WorkflowRun:
    from rushes.github.client import GitHub
    from rushes.github.dispatching import dispatch
    from rushes.github.runs import Workflow

    token = next((os.environ[name] for name in TOKENS if os.environ.get(name)), None)
    if token is None:
        raise UsageError(f"there is no token: {' or '.join(TOKENS)} must hold one")
    target = Workflow(repository, workflow, ref)
    async with GitHub(token, api_url=api_url) as github, database() as (_, opened):
        return await dispatch(opened.pool, github, target, job, inputs)
