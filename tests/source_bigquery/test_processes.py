"""Workers as processes, killed, stopped and started again, at a processor that counts what it is asked."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.programs import Program
from tests.stages_process.local_processor import LocalProcessor, Talk

from .conftest import DATASET, PROJECT, Site
from .programs import begin

Start = Callable[..., Program]


@pytest.fixture
def service() -> Iterator[LocalProcessor]:
    server = LocalProcessor()
    yield server
    server.close()


@pytest.fixture
def start(site: Site, service: LocalProcessor, tmp_path: Path) -> Iterator[Start]:
    """Start a worker with the original program's variables; others as given."""
    started: list[Program] = []

    def run(*arguments: str, **variables: str) -> Program:
        environment = {
            "BIGQUERY_EMULATOR_HOST": site.server.url, "BIGQUERY_PROJECT": PROJECT, "BIGQUERY_DATASET": DATASET,
            "BIGQUERY_TABLE_SOURCE": "items", "BIGQUERY_TABLE_TARGET": "results",
            "URL_PROCESSOR_SERVICE_URL": service.url, "RUSHES_HOME": str(tmp_path / "home"), "RUSHES_BIGQUERY_FLUSH": "0.3",
            **variables,
        }  # fmt: skip
        started.append(begin(environment, *arguments))
        return started[-1]

    yield run
    for program in started:
        if program.process.poll() is None:
            program.signal(signal.SIGKILL)
        program.process.communicate()


def tasks(start: Start, count: int, execution: str, **variables: str) -> list[Program]:
    """All tasks of an execution, as Cloud Run starts them."""
    return [
        start(
            CLOUD_RUN_EXECUTION=execution, CLOUD_RUN_TASK_INDEX=str(index), CLOUD_RUN_TASK_COUNT=str(count),
            CLOUD_RUN_TASK_ATTEMPT="0", **variables,
        )
        for index in range(count)
    ]  # fmt: skip


async def slowly(talk: Talk) -> None:
    await asyncio.sleep(0.05)
    await talk.answer(f"about {talk.visit.address}")


def test_the_original_programs_variables_are_enough(site: Site, start: Start, service: LocalProcessor):
    site.add(*map(str, range(12)))
    code, report = start().end()
    assert (code, report["processed"], report["exit_reason"]) == (0, 12, "empty")
    assert site.statuses() == {"DONE": 12}
    assert {visit.body["name"] for visit in service.visits} == {row["url"] for row in site.items().values()}
    assert site.results()["3"]["context"] == "about https://talks.example.org/3"


def test_killed_tasks_are_followed_by_others_and_every_row_ends(
    site: Site, start: Start, service: LocalProcessor, *, full: bool
):
    rows, count, killed = (2000, 8, 3) if full else (240, 4, 2)
    service.otherwise = slowly
    site.add(*map(str, range(rows)))
    first = tasks(start, count, "tonight")
    first[0].wait_for(lambda: len(service.visits) > rows // 4)
    for program in first[:killed]:
        program.signal(signal.SIGKILL)
    for program in first[killed:]:
        assert program.end()[0] == 0
    for program in tasks(start, count, "tonight"):
        assert program.end()[0] == 0
    assert site.statuses() == {"DONE": rows}
    assert len(site.results()) == rows
    assert max(service.posts().values()) <= 2


def test_overlapping_executions_with_faults_do_nothing_twice(
    site: Site, start: Start, service: LocalProcessor, *, full: bool
):
    rows, count = (2000, 8) if full else (200, 3)
    site.add(*map(str, range(rows)))
    conflict = "Could not serialize access to table films:archive.items due to concurrent update"
    site.server.fail("(?i)update|merge", times=6, reason="invalidQuery", message=conflict)
    site.server.fail("POST|GET", times=12, http=503)
    programs = [*tasks(start, count, "first"), *tasks(start, count, "second")]
    for program in programs:
        code, report = program.end()
        assert code == 0, program.said
        assert report["exit_reason"] in ("empty", "leased")
    assert site.statuses() == {"DONE": rows}
    assert len(site.results()) == rows
    assert set(service.posts().values()) == {1}


def test_sigterm_leaves_results_staged_and_the_rest_pending_in_less_than_ten_seconds(
    site: Site, start: Start, service: LocalProcessor
):
    async def some_hang(talk: Talk) -> None:
        await asyncio.sleep(60 if talk.visit.address.endswith("9") else 0.01)
        await talk.answer("fine")

    service.otherwise = some_hang
    site.add(*map(str, range(400)))
    program = start("--concurrency", "20", RUSHES_BIGQUERY_FLUSH="60", BATCH_SIZE="50")
    program.wait_for(lambda: len(service.visits) > 100)
    began = time.monotonic()
    program.signal(signal.SIGTERM)
    code, report = program.end()
    assert code == 0, program.said
    assert time.monotonic() - began < 10
    assert report["exit_reason"] == "terminated"
    statuses = site.statuses()
    assert statuses["DONE"] == len(site.results()) == report["completed"]
    assert statuses["PENDING"] == 400 - statuses["DONE"]
    assert {row["attempt"] for row in site.items().values() if row["status"] == "PENDING"} <= {None, 0}


def test_an_item_that_kills_its_worker_ends_failed_and_takes_no_other_with_it(site: Site, start: Start, tmp_path: Path):
    site.add(*[f"good{n}" for n in range(6)], "poison")
    log = tmp_path / "runs.log"
    lives: list[tuple[int, str]] = []
    while not lives or lives[-1][0] != 0:
        program = start(
            "--pipeline", "deadly", "--import", "deadly_stage", "--concurrency", "3",
            DEADLY_LOG=str(log), RUSHES_BIGQUERY_FLUSH="60",
        )  # fmt: skip
        lives.append(program.ended())
        assert len(lives) < 6, lives
    runs = Counter(line.rpartition("/")[2] for line in log.read_text().splitlines())
    assert runs.pop("poison") == 3
    assert max(runs.values()) <= 2  # once beside it, once by itself
    assert site.statuses() == {"DONE": 6, "FAILED": 1}
    poison = site.items()["poison"]
    assert poison["attempt"] == 3
    assert "its worker ended while it ran, 3 times" in poison["error"]
    assert site.results()["poison"]["status"] == "FAILED_PROCESSING"


def test_only_posting_needs_no_database_no_media_and_starts_at_once(site: Site, start: Start):
    program = start(PYTHONPROFILEIMPORTTIME="1")
    code, report = program.end()
    assert (code, report["exit_reason"]) == (0, "empty")
    loaded = {line.rpartition("|")[2].strip() for line in program.said.splitlines() if line.startswith("import time:")}
    assert "google.cloud.bigquery" in loaded
    assert not loaded & {"asyncpg", "av", "numpy", "yt_dlp", "faster_whisper", "rushes.database", "rushes.media"}
