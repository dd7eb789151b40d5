"""Runs of workflows: started, found again, looked at."""

from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from rushes.errors import Permanent, UsageError
from rushes.github.client import GitHub, Unsure, read, time_of

INPUT = "rushes_job"
"""The workflow's input that holds the job's number."""

FOUND_WITHIN = timedelta(minutes=1)
"""How long a run may take to show up in the list."""

_SKEW = timedelta(seconds=30)
_UNSURE_SKEW = timedelta(minutes=5)
"""How far the clock here may be wrong, where GitHub has not told its own."""

_POLLS = (1.0, 1.0, 2.0, 3.0)
_POLL = 5.0


@dataclass(frozen=True, slots=True)
class Workflow:
    """Which workflow, and on which branch or tag."""

    repository: str
    """`owner/name`."""
    file: str
    """Its file's name in `.github/workflows`, or its number."""
    ref: str = "main"

    def __post_init__(self) -> None:
        """Raises: UsageError (a name that cannot be one: nothing that is given may lead to another address)."""
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repository, re.ASCII) or {".", ".."} & set(
            self.repository.split("/")
        ):
            raise UsageError(f"repository {self.repository!r}: wanted owner/name")
        if not re.fullmatch(r"\d+|[\w-][\w.-]*\.ya?ml", self.file, re.ASCII):
            raise UsageError(
                f"workflow {self.file!r}: wanted its number or the name of its file in .github/workflows, such as render.yml"
            )

    @property
    def path(self) -> str:
        return f"/repos/{self.repository}/actions/workflows/{self.file}"


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A run as GitHub tells of it."""

    id: str
    attempt: int
    status: str
    """`queued`, `in_progress`, `completed`, `waiting`, …"""
    conclusion: str | None
    """Once it is completed: `success`, `failure`, `cancelled`, …"""
    url: str
    """Its page."""

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it. One that waits for an approval goes on after it."""
        return self.status == "completed" and self.conclusion != "action_required"


class RunNotFound(Permanent):
    """A run was started and cannot be found. Not tried again, since another might then run beside it."""


async def start_run(
    github: GitHub, workflow: Workflow, job_id: int, inputs: Mapping[str, str], *, known: str | None = None
) -> WorkflowRun:
    """Start a run for a job and find out which it is; `known` is an earlier run of the same job.

    GitHub answers with the run's number since February 2026; servers of one's own may be older, and the run is then found
    in the list by its name, which must hold `rushes job N`.

    Raises:
        RunNotFound: it was started, and is not to be found.
        Unsure: it is not known to have started, and none is there: it may be tried again.
        StageError: GitHub refuses.
    """
    body = {"ref": workflow.ref, "inputs": {**inputs, INPUT: str(job_id)}}
    try:
        answer = await _dispatch(github, workflow, body)
    except Unsure:
        since = datetime.now(UTC) - _UNSURE_SKEW
        found = await _find(github, workflow, job_id, since, known)
        if found is None:
            raise
        return found
    if answer.content and (run_id := read(answer).get("workflow_run_id")):
        return WorkflowRun(str(run_id), 1, "queued", None, read(answer)["html_url"])
    found = await _find(github, workflow, job_id, time_of(answer) - _SKEW, known)
    if found is None:
        raise RunNotFound(
            f"{workflow.file} of {workflow.repository} was started for job {job_id}, but no run of it by the name "
            f"`rushes job {job_id}` showed up within {FOUND_WITHIN.total_seconds():.0f} s",
            remedy=f"give the workflow the line `run-name: rushes job ${{{{ inputs.{INPUT} }}}}`; it may be running",
        )
    return found


async def _dispatch(github: GitHub, workflow: Workflow, body: Mapping[str, Any]) -> Any:
    path = f"{workflow.path}/dispatches"
    try:
        return await github.post(path, {**body, "return_run_details": True})
    except Permanent as error:
        # An older server knows no such field, and says so.
        if "return_run_details" not in error.reason:
            raise
        return await github.post(path, body)


async def get_run(github: GitHub, repository: str, run_id: str) -> WorkflowRun:
    """A run as it is now. Raises: StageError."""
    return _run(read(await github.get(_path(repository, run_id))))


async def follow_run(
    github: GitHub, repository: str, run: WorkflowRun, told: Callable[[str], Awaitable[None]], *, every: timedelta
) -> WorkflowRun:
    """Look at a run until it is over, and tell how it stands. An answer without news costs nothing of GitHub's limit."""
    etag = None
    while not run.over:
        await told(f"{run.url}: {run.status}")
        await github.sleep(every.total_seconds())
        answer = await github.get(_path(repository, run.id), etag=etag)
        if answer.status_code != HTTPStatus.NOT_MODIFIED:
            run, etag = _run(read(answer)), answer.headers.get("ETag")
    return run


def _path(repository: str, run_id: str) -> str:
    return f"/repos/{repository}/actions/runs/{run_id}"


async def _find(
    github: GitHub, workflow: Workflow, job_id: int, since: datetime, known: str | None
) -> WorkflowRun | None:
    """The newest run that names the job, once it shows up in the list."""
    waited = 0.0
    waits = itertools.chain(_POLLS, itertools.repeat(_POLL))
    while True:
        found = await _search(github, workflow, job_id, since, known)
        if found or waited >= FOUND_WITHIN.total_seconds():
            return found
        wait = next(waits)
        await github.sleep(wait)
        waited += wait


async def _search(
    github: GitHub, workflow: Workflow, job_id: int, since: datetime, known: str | None
) -> WorkflowRun | None:
    params = {"event": "workflow_dispatch", "created": f">={since:%Y-%m-%dT%H:%M:%SZ}", "per_page": "100"}
    name = re.compile(rf"\brushes job {job_id}\b", re.IGNORECASE)
    async for page in github.pages(f"{workflow.path}/runs", params):
        for run in page["workflow_runs"]:
            names = f"{run.get('display_title') or ''}\n{run.get('name') or ''}"
            if name.search(names) and str(run["id"]) != known:
                return _run(run)
    return None


def _run(body: Mapping[str, Any]) -> WorkflowRun:
    return WorkflowRun(
        str(body["id"]),
        body.get("run_attempt") or 1,
        body.get("status") or "",
        body.get("conclusion"),
        body["html_url"],
    )
