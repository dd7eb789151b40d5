"""Several tasks, several executions, and those that die or fall silent: nothing twice, lost, or written over."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from rushes import Transient
from rushes.model import Job, Outcome, Produced
from rushes.sources.base import Assignment
from rushes.sources.bigquery import BigQuerySource
from rushes.sources.whole_items import SLOT
from rushes.tasks import Task
from rushes.worker import Bounds, ExitReason

from .conftest import Processor, Site


async def handed_out(source: BigQuerySource, count: int) -> list[Assignment]:
    """Claim by hand until there are so many."""
    claimed: list[Assignment] = []
    while len(claimed) < count:
        claimed += await source.claim({SLOT: count - len(claimed)})
        await source.wait(1)
    return claimed


async def begun(site: Site, *, execution: str, done: int, of: int) -> tuple[BigQuerySource, list[Assignment]]:
    """An execution that has done some of its items, staged their results, and says nothing from then on."""
    source = site.source(Task(execution))
    await source.__aenter__()
    claimed = await handed_out(source, of)
    await source.settle([Outcome(one.lease, produced=Produced(value="by the first")) for one in claimed[:done]])
    await source._entered().parts.staging.flush()
    await source._loops.end()
    return source, claimed[done:]


async def test_tasks_divide_the_items_among_them_after_one_claim(site: Site, processor: Processor):
    site.add(*map(str, range(80)))
    reports = await site.tasks(4, "tonight")
    assert sum(report.processed for report in reports) == 80
    assert all(report.processed for report in reports), "each has a share"
    assert set(processor.times.values()) == {1}
    assert site.statuses() == {"DONE": 80}
    assert len(site.results()) == 80
    (claim,) = [job for job in site.asked("claim") if job.affected_rows]
    assert claim.affected_rows == 80
    assert len([job for job in site.asked("claim") if not job.error]) == 1, "one for all of them"


async def test_two_executions_at_once_do_nothing_twice(site: Site, processor: Processor):
    site.add(*map(str, range(60)))
    reports = await asyncio.gather(site.tasks(3, "first"), site.tasks(3, "second"))
    assert set(processor.times.values()) == {1}
    assert site.statuses() == {"DONE": 60}
    assert sum(report.processed for tasks in reports for report in tasks) == 60
    assert len(site.results()) == 60


async def test_what_others_are_at_is_left_to_them(site: Site, processor: Processor):
    site.add("a", "b", "c")
    first, _ = await begun(site, execution="first", done=1, of=3)
    report = await site.work(Task("second"))
    assert (report.processed, report.exit_reason) == (0, ExitReason.LEASED)
    assert site.statuses() == {"PROCESSING": 3}
    await first.__aexit__()


async def test_what_an_execution_leaves_is_taken_over_when_its_lease_has_run_out(site: Site, processor: Processor):
    site.add("a", "b", "c")
    await begun(site, execution="first", done=1, of=3)
    site.server.advance(timedelta(minutes=11))
    report = await site.work(Task("second"))
    assert report.processed == 2, "what it had staged is not done again"
    assert site.statuses() == {"DONE": 3}
    contexts = sorted(row["context"] for row in site.results().values())
    assert contexts[-1] == "by the first"
    assert len(contexts) == 3


async def test_what_cannot_be_merged_is_left_alone_and_stops_nobody(site: Site, processor: Processor, caplog):
    site.add("a", "b")
    await begun(site, execution="first", done=1, of=2)
    site.add("c")
    site.server.advance(timedelta(minutes=11))
    site.server.fail("(?i)merge `films.archive.results`", times=1, reason="invalidQuery", message="no such value")
    report = await site.work(Task("second"))
    assert (report.processed, report.exit_reason) == (1, ExitReason.LEASED)
    assert {id_: (row["status"], row["owner"]) for id_, row in site.items().items()} == {
        "a": ("PROCESSING", "first"), "b": ("PROCESSING", "first"), "c": ("DONE", "second"),
    }  # fmt: skip
    assert "the execution first has fallen silent, and what it staged cannot be merged" in caplog.text
    assert "no such value" in caplog.text


async def test_whoever_was_silent_too_long_changes_nothing(site: Site, processor: Processor, caplog):
    processor.answer = lambda _address, _job: "by the second"
    site.add("a", "b", "c")
    first, running = await begun(site, execution="first", done=1, of=3)
    site.server.advance(timedelta(minutes=11))
    await site.work(Task("second"))
    before = site.items(), site.results()

    await first.settle([Outcome(one.lease, produced=Produced(value="too late")) for one in running])
    first._entered().ending.was_lost = True
    await first.__aexit__()
    assert (site.items(), site.results()) == before
    assert "2 results came too late" in caplog.text


async def test_the_same_execution_has_its_items_back_at_once(site: Site, processor: Processor):
    site.add("a", "b", "c")
    await begun(site, execution="tonight", done=1, of=3)
    report = await site.work(Task("tonight"))
    assert report.processed == 2
    assert site.statuses() == {"DONE": 3}
    assert len(site.results()) == 3


async def test_a_worker_waits_for_leases_that_run_out_within_its_bounds(site: Site, processor: Processor, monkeypatch):
    monkeypatch.setattr("rushes.sources.bigquery.feed.POLL_SECONDS", (0.2, 0.2))
    site.add("a", "b")
    await begun(site, execution="first", done=0, of=2)
    waiting = asyncio.create_task(site.work(Task("second"), bounds=Bounds(empty_timeout=timedelta(seconds=60))))
    looks = len(site.asked("look"))
    while len(site.asked("look")) < looks + 2:
        await asyncio.sleep(0.05)
    site.server.advance(timedelta(minutes=11))
    while site.statuses() != {"DONE": 2}:
        await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_rows_that_something_else_marked_stay_as_they_are_and_are_said(site: Site, processor: Processor, caplog):
    site.add("a")
    site.add("b", status="PROCESSING")
    report = await site.work()
    assert report.processed == 1
    assert site.statuses() == {"DONE": 1, "PROCESSING": 1}
    assert "1 items are PROCESSING without an owner" in caplog.text


async def test_a_lease_that_cannot_be_prolonged_ends_what_runs_and_is_taken_up_again(site: Site, processor: Processor):
    stopped: list[str] = []

    async def answer(address: str, job: Job) -> str:
        if not stopped:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                stopped.append(address)
                raise
        return "in the end"

    processor.answer = answer
    site.add("a")
    short = site.settings().model_copy(update={"bigquery_lease": timedelta(seconds=2)})
    source = BigQuerySource(short, site.source()._plan, Task("tonight"))
    running = asyncio.create_task(site.work(source=source))
    while not processor.asked:
        await asyncio.sleep(0.02)
    site.server.fail(
        "merge into|merge `films.archive.items__executions`|__executions", times=None, reason="rateLimitExceeded"
    )
    while not stopped:
        await asyncio.sleep(0.02)
    site.server.heal()
    report = await running
    assert report.completed == 1
    assert site.results()["a"]["context"] == "in the end"


async def test_an_item_that_waits_for_its_next_attempt_goes_back_with_its_count(
    site: Site, processor: Processor, stage
):
    async def run(job: Job, context) -> None:
        await processor.run(job, context)
        raise Transient("later")

    stage("process", run, leaves_files=lambda _job, _options: False)
    site.add("a", "b")
    report = await site.work(bounds=Bounds(max_jobs=2))
    assert report.failed == 2
    assert {(row["status"], row["attempt"], row["error"], row["owner"]) for row in site.items().values()} == {
        ("PENDING", 1, "later", None)
    }
    assert site.results() == {}
