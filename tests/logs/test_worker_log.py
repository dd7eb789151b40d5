"""What a worker says: the real command on a real queue, in both forms."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from rushes.cli import worker_log
from rushes.cli.worker_log import WorkerLog
from rushes.errors import ErrorClass
from rushes.model import Failure, Job, Outcome, Produced, Trust
from rushes.settings import Settings
from rushes.sources.base import Assignment
from rushes.sources.whole_items import SLOT, Numbering
from rushes.stages.base import Context, Result
from rushes.worker import Worker
from tests.whole_items.conftest import MemorySource, item

from .conftest import HERE, Work

Enqueue = Callable[..., Awaitable[None]]
CLOUD_RUN = {
    "CLOUD_RUN_JOB": "nightly", "CLOUD_RUN_EXECUTION": "nightly-x7", "CLOUD_RUN_TASK_INDEX": "2",
    "CLOUD_RUN_TASK_COUNT": "8", "CLOUD_RUN_TASK_ATTEMPT": "1", "GOOGLE_CLOUD_PROJECT": "films",
    "TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}  # fmt: skip


async def test_on_cloud_run_every_line_is_an_entry_with_its_labels(enqueue: Enqueue, work: Work):
    await enqueue("fine", "permanent", "fine")
    ended = work("--concurrency", "3", **CLOUD_RUN)
    assert (ended.code, ended.out) == (0, "")
    started, failed, last = ended.entries
    assert started["version"]
    assert started["bounds"] == {"empty_timeout_seconds": 0.2}
    assert started["concurrency"] == {"moody": 3}
    labels = {"source": "queue", "execution": "nightly-x7", "task": "2", "attempt": "1"}
    assert failed["logging.googleapis.com/labels"] == {**labels, "job": "2"}
    assert last["logging.googleapis.com/labels"] == labels
    assert last["logging.googleapis.com/trace"] == "projects/films/traces/0af7651916cd43dd8448eb211c80319c"
    assert last["severity"] == "INFO"
    report = last["report"]
    assert (report["completed"], report["failed"], report["exit_reason"]) == (2, 1, "empty")


async def test_a_failed_item_is_told_with_class_reason_and_remedy(enqueue: Enqueue, work: Work):
    await enqueue("permanent")
    (failed,) = work(RUSHES_LOG_FORMAT="json").about("item_failed")
    assert failed["severity"] == "ERROR"
    assert failed["error_class"] == "permanent"
    assert failed["reason"] == "not https://***@example.org/x?token=***"
    assert failed["remedy"] == "take another"
    assert failed["message"] == f"job 1 failed for good: permanent: {failed['reason']} (take another)"


async def test_an_attempt_that_is_not_the_last_is_a_warning(enqueue: Enqueue, work: Work):
    await enqueue("bug", attempts=2)
    first, last = work("--empty-timeout", "2", RUSHES_LOG_FORMAT="json").about("item_failed")
    assert [one["severity"] for one in (first, last)] == ["WARNING", "ERROR"]
    assert [(one["attempt"], one["last"]) for one in (first, last)] == [(1, False), (2, True)]
    assert "raise ValueError" in last["stack_trace"]
    assert last["serviceContext"]["service"] == "rushes"


async def test_what_is_lacking_here_is_an_error_though_nothing_failed(enqueue: Enqueue, work: Work):
    await enqueue("lack")
    ended = work("--max-runtime", "1", RUSHES_LOG_FORMAT="json")
    told = ended.about("item_failed")
    assert {(one["severity"], one["reason"], one["remedy"]) for one in told} == {
        ("ERROR", "there is no key", "set KEY")
    }
    assert ended.entries[-1]["report"]["failed"] == 0


async def test_items_that_complete_are_only_counted(enqueue: Enqueue, work: Work):
    await enqueue(*["fine"] * 300)
    ended = work("--concurrency", "50", RUSHES_LOG_FORMAT="json")
    assert [entry["event"] for entry in ended.entries] == ["started", "ended"]
    assert ended.entries[-1]["report"]["completed"] == 300


async def test_in_a_file_a_line_has_its_time_and_level(enqueue: Enqueue, work: Work):
    await enqueue("permanent", "bug")
    lines = work().err.splitlines()
    assert all(line[:20].endswith("Z") for line in (lines[0], lines[-1]))
    assert " INFO    rushes " in lines[0]
    assert "works at the database, at once: moody 2; it ends after 0.2 s without work" in lines[0]
    assert any(" ERROR   job 1 failed for good: permanent: not https://***@" in line for line in lines)
    assert any("raise ValueError" in line for line in lines)
    assert "\x1b" not in "".join(lines)
    assert " INFO    empty: 2 processed, 2 failed, success 0 %" in lines[-1]


async def test_with_json_on_stdout_a_person_hears_only_what_went_wrong(enqueue: Enqueue, work: Work):
    await enqueue("fine", "permanent")
    ended = work("--json")
    assert json.loads(ended.out)["completed"] == 1
    (line,) = ended.err.splitlines()
    assert "job 2 failed for good" in line


async def test_on_a_terminal_there_are_colours_and_no_times(enqueue: Enqueue, environment: dict[str, str]):
    await enqueue("permanent")
    ours, theirs = pty.openpty()
    command = ["worker", "--import", "moody_stages", "--kinds", "moody", "--empty-timeout", "0.2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "rushes", *command], cwd=HERE, env=environment | {"TERM": "xterm"}, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
    os.close(ours)
    assert process.wait() == 0
    said = shown.decode()
    assert "\x1b[31mjob 1 failed for good: permanent" in said
    assert said.startswith("rushes ")


async def test_a_worker_goes_on_when_nobody_reads_its_entries(enqueue: Enqueue, environment: dict[str, str]):
    await enqueue("permanent", "fine")
    reading, writing = os.pipe()
    os.close(reading)
    command = ["worker", "--import", "moody_stages", "--kinds", "moody", "--empty-timeout", "0.2", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "rushes", *command], cwd=HERE, env=environment | {"RUSHES_LOG_FORMAT": "json"},
        stdout=subprocess.PIPE, stderr=writing, text=True,
    )  # fmt: skip
    os.close(writing)
    out, _ = process.communicate()
    assert process.returncode == 0
    assert json.loads(out)["completed"] == 1


@pytest.mark.parametrize(("name", "value"), [("RUSHES_LEASE", "soon"), ("RUSHES_LOG_FORMAT", "yaml")])
def test_wrong_configuration_is_one_entry(work: Work, name: str, value: str):
    ended = work(**CLOUD_RUN, **{name: value})
    assert ended.code == 2
    (entry,) = ended.entries
    assert (entry["severity"], entry["event"]) == ("ERROR", "refused")
    assert name in entry["message"]


def test_a_crash_is_one_entry(work: Work):
    ended = work(modules="broken_stages", RUSHES_LOG_FORMAT="json")
    assert ended.code == 1
    (entry,) = ended.entries
    assert (entry["severity"], entry["event"]) == ("CRITICAL", "crashed")
    assert entry["message"] == "ValueError: this module is broken"
    assert "broken_stages.py" in entry["stack_trace"]


def test_a_crash_tells_a_person_all_of_it(work: Work):
    ended = work(modules="broken_stages")
    assert ended.code == 1
    assert ended.err.startswith("Traceback (most recent call last):")


def whole(reference: str | None = "1", correlation_id: str | None = None) -> Assignment:
    """An item of a source that hands out whole ones."""
    return Numbering(Trust.UNTRUSTED).assignment(item("moody", reference=reference, correlation_id=correlation_id))


@pytest.fixture
def heard(stage: Any, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    stage("moody", lambda _job, _context: None)
    caplog.set_level(logging.INFO, logger="rushes")
    return caplog


@pytest.mark.parametrize(
    ("reference", "correlation_id", "labels"),
    [
        ("row-42", None, {"item": "row-42"}),
        ("r-1", "c-1", {"item": "r-1", "correlation_id": "c-1"}),
        (None, None, {"item": "url:1"}),
    ],
)
def test_an_item_has_the_id_that_it_has_where_it_came_from(
    heard, reference: str | None, correlation_id: str | None, labels: dict[str, str]
):
    assignment = whole(reference, correlation_id)
    WorkerLog("pubsub").told(assignment, Outcome(assignment.lease, failure=Failure(ErrorClass.PERMANENT, "no")))
    (record,) = heard.records
    assert record.labels == labels
    assert record.getMessage() == f"item {labels['item']} failed for good: permanent: no"


@pytest.mark.parametrize(
    ("error_class", "attempts", "level"),
    [
        (ErrorClass.TRANSIENT, 2, "WARNING"),
        (ErrorClass.TRANSIENT, 3, "ERROR"),
        (ErrorClass.RATE_LIMITED, 3, "WARNING"),
        (ErrorClass.PERMANENT, 1, "ERROR"),
        (ErrorClass.NEEDS_INPUT, 1, "ERROR"),
    ],
)
def test_the_last_failure_of_an_item_is_the_error(heard, error_class: ErrorClass, attempts: int, level: str):
    assignment = whole()
    assignment = replace(assignment, job=replace(assignment.job, attempts=attempts))
    WorkerLog("bigquery").told(assignment, Outcome(assignment.lease, failure=Failure(error_class, "no")))
    assert [record.levelname for record in heard.records] == [level]


def test_what_completes_is_not_told(heard):
    assignment = whole()
    WorkerLog("bigquery").told(assignment, Outcome(assignment.lease, produced=Produced()))
    assert heard.records == []


def test_an_outage_is_told_once_and_so_is_its_end(heard):
    said = WorkerLog("bigquery")
    for error in (None, OSError("gone"), OSError("gone"), None, None):
        said.trouble(error)
    assert [(record.levelname, record.getMessage()) for record in heard.records] == [
        ("WARNING", "bigquery cannot be reached, waiting: gone"),
        ("INFO", "bigquery is back"),
    ]


async def test_while_it_works_it_says_how_far_it_is(
    stage, quiet: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(worker_log, "PROGRESS_SECONDS", 0.05)
    caplog.set_level(logging.INFO, logger="rushes")
    go_on = asyncio.Event()

    async def gated(_job: Job, context: Context) -> Result:
        if context.source.key == "url:2":
            await go_on.wait()
        return Result()

    stage("gated", gated)
    source = MemorySource([item("gated", key=f"url:{n}") for n in (1, 2)], quiet.artifacts)
    worker, said = Worker(quiet, source, slots={SLOT: 2}), WorkerLog("pubsub")
    async with said.following(worker):
        working = asyncio.create_task(worker.run())
        while not any("1 done, 0 failed" in record.getMessage() for record in caplog.records):
            await asyncio.sleep(0.01)
        go_on.set()
        said.ended(await working)
    progress, last = caplog.records[0], caplog.records[-1]
    assert progress.fields["in_flight"] == 1  # type: ignore[attr-defined]  # an extra of ours
    assert last.fields["report"]["completed"] == 2  # type: ignore[attr-defined]  # the same
