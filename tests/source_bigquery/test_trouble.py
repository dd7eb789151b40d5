"""BigQuery fails in all the ways it has, rights are taken away, hosts ask for rest."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from rushes import NeedsInput, RateLimited, Scope
from rushes.errors import SettingsError
from rushes.model import Job
from rushes.tasks import Task
from rushes.testing.bigquery import BigQueryServer
from rushes.worker import Bounds, ExitReason

from .conftest import Processor, Site

CONFLICT = "Could not serialize access to table films:archive.items due to concurrent update"
QUEUE = "Resources exceeded: Too many DML statements outstanding against table films:archive.items, limit is 20"


async def test_sporadic_503s_change_nothing(site: Site, processor: Processor):
    site.add(*map(str, range(30)))
    for path in ("POST .*/jobs", "GET .*/jobs/", "GET .*/queries/", "POST .*/upload/"):
        site.server.fail(path, times=2, http=503)
    reports = await site.tasks(2, "tonight")
    assert sum(report.processed for report in reports) == 30
    assert set(processor.times.values()) == {1}
    assert site.statuses() == {"DONE": 30}
    assert len(site.results()) == 30


async def test_a_statement_whose_answer_was_lost_is_not_run_twice(site: Site, processor: Processor):
    site.add("a", "b")
    site.server.fail("POST .*/jobs.*update", times=1, http=503, after=True)
    site.server.cut("POST .*/upload/", times=1)
    await site.work()
    assert len([job for job in site.asked("claim") if job.affected_rows]) == 1
    (loads,) = [site.asked("stage")]
    assert sum(job.affected_rows or 0 for job in loads) == 2
    assert site.statuses() == {"DONE": 2}


@pytest.mark.parametrize(("reason", "message"), [("invalidQuery", CONFLICT), ("resourcesExceeded", QUEUE)])
async def test_statements_that_others_were_in_the_way_of_are_run_anew(
    site: Site, processor: Processor, reason, message
):
    site.add(*map(str, range(10)))
    for what in ("update", "merge `films.archive.items`", "merge `films.archive.results`", "__executions"):
        site.server.fail(f"(?i){what}", times=2, reason=reason, message=message)
    reports = await site.tasks(2, "tonight")
    assert sum(report.processed for report in reports) == 10
    assert set(processor.times.values()) == {1}
    assert site.statuses() == {"DONE": 10}
    assert len(site.results()) == 10


async def test_an_outage_is_waited_for_and_said_once(site: Site, processor: Processor, monkeypatch):
    monkeypatch.setattr("rushes.sources.bigquery.service.AGAIN_SECONDS", 0.5)
    site.add(*map(str, range(40)))
    trouble: list[str] = []

    def answer(address: str, _job: Job) -> str:
        if address.endswith("/5"):
            site.server.fail(".", times=None, http=503)
            asyncio.get_running_loop().call_later(3, site.server.heal)
        return "fine"

    processor.answer = answer
    worker = site.worker(slots=2, batch_size=4)
    worker._say = lambda error: trouble.append("away" if error else "back")
    report = await worker.run()
    assert report.processed == 40
    assert "away" in trouble
    assert trouble[-1] == "back"
    assert site.statuses() == {"DONE": 40}


@pytest.mark.parametrize(
    ("reason", "remedy"), [("accessDenied", "roles/bigquery.dataEditor"), ("notFound", "still there")]
)
async def test_rights_or_tables_that_go_pause_the_work_with_what_to_do(
    site: Site, processor: Processor, caplog, reason: str, remedy: str
):
    site.add(*map(str, range(10)))
    site.server.fail("LOAD", times=None, reason=reason, message="no more")
    report = await site.work()
    assert report.exit_reason is ExitReason.PAUSED
    assert "no more" in caplog.text
    assert remedy in caplog.text


async def test_a_statement_that_would_cost_too_much_is_not_run(site: Site, processor: Processor):
    site.add("a")
    with pytest.raises(SettingsError, match="bytes billed") as raised:
        await site.work(bigquery_max_bytes=10 * 2**20)
    assert "RUSHES_BIGQUERY_MAX_BYTES" in str(raised.value)
    assert processor.asked == []


async def test_rows_just_streamed_in_cannot_be_claimed_and_it_says_why(site: Site, processor: Processor, caplog):
    for column in ("owner STRING", "claim STRING", "attempt INT64", "error STRING"):
        site.sql("alter table {items} add column " + column)
    rows = [{"id": "a", "url": "https://x.org/a", "status": "PENDING"}]
    assert not site.client.insert_rows_json("films.archive.items", rows)
    report = await site.work()
    assert report.exit_reason is ExitReason.PAUSED
    assert "90 minutes" in caplog.text


async def test_what_the_whole_environment_lacks_pauses_instead_of_failing_row_by_row(
    site: Site, processor: Processor, caplog
):
    def answer(_address: str, _job: Job) -> str:
        raise NeedsInput("the processor refuses our token", remedy="grant roles/run.invoker", scope=Scope.ENVIRONMENT)

    processor.answer = answer
    site.add(*map(str, range(30)))
    report = await site.work(slots=2)
    assert (report.exit_reason, report.processed) == (ExitReason.PAUSED, 0)
    assert "grant roles/run.invoker" in caplog.text
    assert processor.times.total() <= 4
    assert site.statuses() == {"PENDING": 30}
    assert {row["attempt"] for row in site.items().values()} <= {None, 0}


async def test_a_host_that_asks_for_rest_gets_it_and_nothing_is_counted(site: Site, processor: Processor):
    asked_at: list[float] = []

    def answer(_address: str, _job: Job) -> str:
        asked_at.append(time.monotonic())
        if len(asked_at) == 1:
            raise RateLimited("slowly", retry_after=timedelta(seconds=1))
        return "fine"

    processor.answer = answer
    site.add("a", "b", "c")
    report = await site.work(slots=1)
    assert report.completed == 3
    assert asked_at[1] - asked_at[0] >= 1
    assert {row["attempt"] for row in site.items().values()} == {1}


async def test_a_table_that_takes_no_more_loads_is_asked_less_often_and_nothing_is_lost(
    site: Site, processor: Processor, caplog
):
    site.add(*map(str, range(20)))
    site.server.fail("LOAD", times=2, reason="quotaExceeded", message="too many imports for this table")
    report = await site.work()
    assert report.processed == 20
    assert site.statuses() == {"DONE": 20}
    assert "no more load jobs for now" in caplog.text
    assert sum(job.affected_rows or 0 for job in site.asked("stage")) == 20


async def test_told_to_stop_while_bigquery_hangs_it_ends_in_time(site: Site, processor: Processor, caplog, monkeypatch):
    monkeypatch.setattr("rushes.worker.runtime.KILLED_SECONDS", 4.0)
    site.add(*map(str, range(10)))
    worker = site.worker(slots=2, grace=1)
    stopped: list[float] = []

    def answer(_address: str, _job: Job) -> str:
        if processor.times.total() == 3:
            stopped.append(time.monotonic())
            site.server.delay("GET|POST", timedelta(seconds=30), times=None, where="request")
            worker.stop()
        return "fine"

    processor.answer = answer
    report = await worker.run()
    assert time.monotonic() - stopped[0] < 4
    assert report.exit_reason is ExitReason.TERMINATED
    assert "will be done again" in caplog.text
    site.server.heal()


async def test_told_to_stop_when_it_is_ending_already_it_ends_in_time(
    site: Site, processor: Processor, caplog, monkeypatch
):
    monkeypatch.setattr("rushes.worker.runtime.KILLED_SECONDS", 2.0)
    site.add("a", "b")
    worker = site.worker(bounds=Bounds(max_jobs=1), grace=0)
    with site.server.hold("(?i)merge `films.archive.results`") as hold:
        running = asyncio.create_task(worker.run())
        await asyncio.to_thread(hold.wait)
        worker.stop()
        async with asyncio.timeout(30):
            await running
    assert "the time was over" in caplog.text


async def test_more_tasks_than_a_table_lets_wait(
    server: BigQueryServer, site: Site, processor: Processor, *, full: bool
):
    tasks = 40 if full else 14
    site.add(*map(str, range(tasks * 4)))
    reports = await site.tasks(tasks, "tonight")
    assert sum(report.processed for report in reports) == tasks * 4
    assert set(processor.times.values()) == {1}
    assert site.statuses() == {"DONE": tasks * 4}


async def test_give_backs_of_many_tasks_at_once_get_through(site: Site, processor: Processor):
    site.add(*map(str, range(60)))
    bounds = Bounds(max_jobs=1)
    reports = await asyncio.gather(
        *(site.work(Task("tonight", index, 6), bounds=bounds, slots=1) for index in range(6))
    )
    assert sum(report.processed for report in reports) == 6
    assert site.statuses() == {"DONE": 6, "PENDING": 54}
