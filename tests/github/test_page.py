"""What `docs/how-to/github-actions.md` tells a reader to write works, and its tables are the program's."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rushes
from rushes.database import Database
from rushes.github import dispatch_workflow
from rushes.github.conclusions import CONCLUSIONS
from rushes.model import JobStatus
from rushes.queue import NewJob, Queue
from rushes.queue.workflows import TRANSITIONS
from rushes.settings import Settings
from rushes.sources.postgres import QueueSource
from rushes.stages import registry
from rushes.worker import Bounds, Worker
from tests.docs.pages import first_column, python_blocks, section, text_of

from .conftest import row_of
from .deliveries import SECRET, of_run, packed
from .local_github import TOKEN, Flow, LocalGitHub

PAGE = "docs/how-to/github-actions.md"


def yaml_blocks() -> list[Any]:
    yaml = importlib.import_module("yaml")  # it comes without types
    return [
        yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", text_of(PAGE), re.MULTILINE | re.DOTALL)
    ]


@pytest.fixture
def site() -> Iterator[LocalGitHub]:
    """A GitHub that has the page's workflow, and is too old to tell a run's number."""
    workflow, _ = yaml_blocks()
    server = LocalGitHub()
    run_name = re.sub(r"\$\{\{ inputs\.(\w+) \}\}", r"{\1}", workflow["run-name"])
    inputs = workflow[True]["workflow_dispatch"]["inputs"]  # YAML 1.1 reads `on` as a truth
    server.flows["render.yml"] = Flow(inputs=frozenset(inputs), run_name=run_name)
    server.tells_run = False
    yield server
    server.close()


async def test_the_stage_waits_for_the_workflow(
    database: Database, settings: Settings, site: LocalGitHub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    code = python_blocks(PAGE)[0].replace("token=", f'api_url="{site.url}", token=')
    before = dict(registry._decorated)
    exec(compile(code, PAGE, "exec", dont_inherit=True), {"__name__": "rushes_render"})  # noqa: S102  (our own page)
    queue = Queue(database.pool)
    (job,) = await queue.enqueue([NewJob("render")])
    site.ends_at_once = "success"
    try:
        await Worker(settings, QueueSource(database.pool, queue), slots={"render": 1}, bounds=Bounds(max_jobs=1)).run()
    finally:
        registry._decorated.clear()
        registry._decorated.update(before)
    row = await row_of(database, job)
    assert (row["status"], row["result"]["notes"]) == ("completed", [site.runs[0]["html_url"]])
    assert site.dispatches()[-1]["inputs"] == {"quality": "high", "rushes_job": str(job)}


async def test_a_program_starts_it_and_an_endpoint_hears_of_its_end(
    database: Database, settings: Settings, site: LocalGitHub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WEBHOOK_SECRETS", f"new {SECRET.replace(' ', '_')}")
    _, start, endpoint, _ = python_blocks(PAGE)
    words: dict[str, Any] = {}
    exec(compile(endpoint, PAGE, "exec", dont_inherit=True), words)  # noqa: S102  (our own page)
    program = f"async def program(db, job, token, dispatch_workflow):\n{textwrap.indent(start, '    ')}    return run\n"
    exec(program.replace("token=token", f'token=token, api_url="{site.url}"'), words)  # noqa: S102
    async with rushes.connect(settings) as db:
        job = await rushes.Queue(db).enqueue_job(None, "render")
        run = await words["program"](db, job, TOKEN, dispatch_workflow)
        delivery = packed("workflow_run", of_run("completed", "success", run=int(run.id)), SECRET.replace(" ", "_"))
        assert await words["receive"](db, *delivery) == (200, f"job {job.id}: completed")
        assert await words["receive"](db, *delivery) == (
            200, f"job {job.id}: job {job.id} is completed: a finished job cannot become completed from a workflow",
        )  # fmt: skip
        assert await words["receive"](db, *packed("ping", {}, "new")) == (200, "nothing that concerns a job")
        assert (await words["receive"](db, *packed("ping", {}, "wrong")))[0] == 401
        unknown = packed("workflow_run", of_run("completed", "success", run=1), "new")
        assert await words["receive"](db, *unknown) == (200, "no job knows this run")


def test_a_synchronous_program_calls_the_endpoint_too(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WEBHOOK_SECRETS", "new")
    words: dict[str, Any] = {}
    exec(compile(python_blocks(PAGE)[2], PAGE, "exec", dont_inherit=True), words)  # noqa: S102  (our own page)
    with rushes.connect(settings) as db:
        service = rushes.QueueService(db)
        job = service.enqueue_job(video_id=None, job_type="render", github_workflow_run_id=77)
        delivery = packed("workflow_run", of_run("completed", "failure", run=77), "new")
        assert db.call(words["receive"](db, *delivery)) == (200, f"job {job.id}: retrying")
        words = {"service": service, "job": job}
        exec(python_blocks(PAGE)[3], words)  # noqa: S102
        assert words["updated"].status == "completed"


async def test_the_last_step_reports_by_itself(database: Database, server_home: Path):
    queue = Queue(database.pool)
    (job,) = await queue.enqueue([NewJob("render")])
    ((step,),) = [block for block in yaml_blocks() if isinstance(block, list)]
    assert set(step["env"]) == {"JOB", "STATUS", "RUSHES_DATABASE_URL"}
    command = step["run"].partition("&& rushes ")[2]
    for status, becomes in (("failure", "retrying"), ("success", "completed")):
        environment = {**os.environ, "JOB": str(job), "STATUS": status, "RUSHES_HOME": str(server_home)}
        run = f"{sys.executable} -m rushes {command}"
        ended = subprocess.run(["sh", "-c", run], env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        assert (await row_of(database, job))["status"] == becomes


def test_every_end_of_a_run_is_in_the_table():
    told = first_column(section(PAGE, "### The workflow reports back by webhook"))
    assert told == set(CONCLUSIONS)


def test_the_table_of_statuses_is_the_programs():
    rows = re.findall(
        r"^\| ([a-z, ]+) \| (?:`(\w+)`|anything) \|", section(PAGE, "## What may become what"), re.MULTILINE
    )
    told = {(JobStatus(before), asked) for befores, asked in rows for before in befores.split(", ") if asked}
    assert told == {
        (before, asked) for asked, allowed in TRANSITIONS.items() for before in allowed if (before, asked) not in {
            (JobStatus.QUEUED, JobStatus.QUEUED), (JobStatus.RETRYING, JobStatus.RETRYING),  # told what it is already
        }
    }  # fmt: skip
    refused = {before for befores, asked in rows for before in befores.split(", ") if not asked}
    assert refused == set(JobStatus) - {before for allowed in TRANSITIONS.values() for before in allowed}
