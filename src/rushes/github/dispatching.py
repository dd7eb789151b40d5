"""Starting workflows for jobs: either the job belongs to the workflow until a webhook or the workflow itself ends it, or a
stage of a worker waits for the run.

At least once, as everything here: who dies between the start and the record of it leaves a run that nobody knows. Any later
death is mended: the next attempt finds the run again instead of starting another.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from rushes.errors import IllegalTransition, Permanent, Transient, UsageError
from rushes.github.client import API_URL, GitHub, Token
from rushes.github.conclusions import meaning
from rushes.github.place import Connected, on_pool
from rushes.github.runs import INPUT, RunNotFound, Workflow, WorkflowRun, follow_run, get_run, start_run
from rushes.model import Job, JobId, JobStatus
from rushes.queue.workflow_runs import Held, end_attempt, hold_for_run
from rushes.queue.workflows import update_job_from_workflow

if TYPE_CHECKING:
    from rushes.database import Database
    from rushes.github.place import Pool
    from rushes.settings import Settings
    from rushes.stages.base import Context

EVERY = timedelta(seconds=15)
"""How often a run is looked at that somebody waits for."""


async def dispatch_workflow(
    place: Pool | Connected,
    job: Job,
    *,
    repository: str,
    workflow: str,
    token: Token,
    ref: str = "main",
    inputs: Mapping[str, str] | None = None,
    api_url: str = API_URL,
) -> WorkflowRun:
    """Start a workflow for a job, with the job's number as its input `rushes_job`, and link the run to the job.

    A job that waits belongs to the workflow from then on: no worker starts it, and a webhook (`apply_webhook`) or the
    workflow itself (`rushes queue workflow`) ends it. If its last run is still going, that is the answer and none is
    started; if that has ended and its webhook was lost, the job learns of it. When GitHub refuses, the job waits as
    before, without an attempt counted.

    Args:
        place: a `rushes.connect()`, or an asyncpg pool of the queue's database.
        job: which job.
        repository: `owner/name`.
        workflow: the file's name in `.github/workflows`, or the workflow's number.
        token: with the right `Actions: read and write`; or a function that gives one, where they change within the hour.
        ref: the branch or tag.
        inputs: the workflow's other inputs.
        api_url: of a GitHub of one's own, such as `https://github.example.com/api/v3`.

    Raises:
        UsageError: a name cannot be one, or there is no such job.
        IllegalTransition: the job is finished or paused, or somebody else is starting a run for it.
        StageError: GitHub refuses, limits, or cannot be reached; its class says what helps.
    """
    target = Workflow(repository, workflow, ref)

    async def start(pool: Pool) -> WorkflowRun:
        async with GitHub(token, api_url=api_url) as github:
            return await dispatch(pool, github, target, job.id, inputs or {})

    return await on_pool(place, start)


async def run_workflow(
    job: Job,
    context: Context,
    *,
    repository: str,
    workflow: str,
    token: Token,
    ref: str = "main",
    inputs: Mapping[str, str] | None = None,
    api_url: str = API_URL,
    every: timedelta = EVERY,
) -> WorkflowRun:
    """In a stage: start a workflow for the job and wait for its end. Needs no webhook.

    The run's page and state are shown as the job's note. A worker that dies meanwhile costs nothing: the next attempt waits
    for the same run. Arguments as for `dispatch_workflow`, and how often the run is looked at.

    Raises:
        Transient: the run failed, so that the stage is tried again by its own rule.
        Permanent: the run was cancelled in GitHub.
        StageError: as `dispatch_workflow`.
    """
    target = Workflow(repository, workflow, ref)
    pool = (await context.service(_Opened).database()).pool
    async with GitHub(token, api_url=api_url) as github:
        return await run_and_wait(pool, github, target, job.id, inputs or {}, context, every=every)


async def dispatch(
    pool: Pool, github: GitHub, target: Workflow, job_id: JobId, inputs: Mapping[str, str]
) -> WorkflowRun:
    """`dispatch_workflow` by a client that is there already."""
    held, run = await _start(pool, github, target, job_id, inputs)
    if run.over and not held.by_worker:
        await _tell(pool, job_id, run, meaning(run.conclusion).status)
    return run


async def run_and_wait(
    pool: Pool,
    github: GitHub,
    target: Workflow,
    job_id: JobId,
    inputs: Mapping[str, str],
    context: Context,
    *,
    every: timedelta = EVERY,
) -> WorkflowRun:
    """`run_workflow` by a client that is there already."""

    async def told(note: str) -> None:
        await context.progress(None, note)

    _, run = await _start(pool, github, target, job_id, inputs)
    run = await follow_run(github, target.repository, run, told, every=every)
    meant = meaning(run.conclusion)
    if meant.status is JobStatus.COMPLETED:
        return run
    async with pool.acquire() as connection:
        await end_attempt(connection, job_id, run.id, run.attempt)
    if meant.status is JobStatus.CANCELLED:
        raise Permanent(f"its workflow run was cancelled in GitHub: {run.url}")
    raise Transient(f"its workflow run did not succeed: {meant.words} ({run.url})")


async def _start(
    pool: Pool, github: GitHub, target: Workflow, job_id: JobId, inputs: Mapping[str, str]
) -> tuple[Held, WorkflowRun]:
    if INPUT in inputs:
        raise UsageError(f"the input {INPUT} is the job's number and given by itself")
    async with pool.acquire() as connection:
        held = await hold_for_run(connection, job_id)
    if held.started and held.run_id:
        return held, await get_run(github, target.repository, held.run_id)
    try:
        run = await _last_run(pool, github, target, job_id, held.run_id)
        run = run or await start_run(github, target, job_id, inputs, known=held.run_id)
    except RunNotFound:
        # It runs, and may tell of itself by the job's number.
        await _keep(pool, job_id, f"{target.file} of {target.repository} was started; its run is not known")
        raise
    except Exception:
        if not held.by_worker:
            await _give_back(pool, job_id)
        raise
    await _tell(pool, job_id, run, JobStatus.PROCESSING)
    return held, run


async def _last_run(
    pool: Pool, github: GitHub, target: Workflow, job_id: JobId, run_id: str | None
) -> WorkflowRun | None:
    """The run that was started for the job before, if it still goes on or has done the work."""
    if run_id is None:
        return None
    try:
        run = await get_run(github, target.repository, run_id)
    except Permanent:
        return None
    if not run.over or meaning(run.conclusion).status is JobStatus.COMPLETED:
        return run
    async with pool.acquire() as connection:
        await end_attempt(connection, job_id, run.id, run.attempt)
    return None


async def _tell(pool: Pool, job_id: JobId, run: WorkflowRun, status: JobStatus) -> None:
    words = f"{run.url}: {run.conclusion or run.status}"
    async with pool.acquire() as connection:
        await update_job_from_workflow(connection, job_id, status, error=words, run_id=run.id, run_attempt=run.attempt)


async def _keep(pool: Pool, job_id: JobId, note: str) -> None:
    async with pool.acquire() as connection:
        await update_job_from_workflow(connection, job_id, JobStatus.PROCESSING, error=note)


async def _give_back(pool: Pool, job_id: JobId) -> None:
    """Unless somebody has ended it meanwhile."""
    with contextlib.suppress(IllegalTransition):
        async with pool.acquire() as connection:
            await update_job_from_workflow(connection, job_id, JobStatus.QUEUED)


class _Opened:
    """The queue's database, once for all jobs of a worker that wait for workflows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = contextlib.AsyncExitStack()
        self._opening = asyncio.Lock()
        self._database: Database | None = None

    async def database(self) -> Database:
        from rushes.database import open_database

        async with self._opening:
            if self._database is None:
                self._database = await self._stack.enter_async_context(open_database(self._settings))
            return self._database

    async def close(self) -> None:
        await self._stack.aclose()
