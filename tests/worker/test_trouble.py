"""What a worker does when things go wrong around it: outages, outcomes that cannot be written, leases that come back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from rushes.database import Database
from rushes.errors import Permanent
from rushes.model import BatchId, Facts, Job, Lease, Outcome, Retries
from rushes.queue import Claimed, Queue
from rushes.settings import Settings
from rushes.sources.base import Assignment
from rushes.sources.postgres import QueueSource
from rushes.stages.base import Context, Made, Options, Result
from rushes.worker import Bounds, ExitReason, Worker, runtime

from .conftest import write_text

SOON = timedelta(seconds=0.1)


def worker_of(settings: Settings, source: QueueSource, kind: str, bounds: Bounds | None = None) -> Worker:
    return Worker(settings, source, slots={kind: 4}, bounds=bounds)


async def test_text_that_no_database_holds_fails_no_other_item(database: Database, stage, start_batch, make_worker):
    async def hostile(job: Job, context: Context) -> Result:
        await context.progress(0.5, "half \x00 done \ud800")
        if context.source.key == "url:1":
            raise Permanent("a name with \x00 and \udcff in it")
        made = await write_text(job, context)
        return Result(made=made.made, facts=Facts(title="a \x00 title \ud800"), search_text=[(0.0, "said \x00\udfff")])

    stage("hostile", hostile)
    report = await make_worker("hostile", batch=await start_batch("hostile", items=3)).run()
    assert (report.completed, report.failed) == (2, 1)
    titles = await database.pool.fetch("select title from rushes.items where status = 'completed'")
    assert {row["title"] for row in titles} == {"a � title �"}


async def test_what_cannot_be_written_down_is_that_item_s_bug(database: Database, stage, start_batch, make_worker):
    async def unspeakable(job: Job, context: Context) -> Result:
        made = await write_text(job, context)
        if context.source.key == "url:1":
            return Result(made=[Made("text", made.made[0].path, "text/plain", {"what": object()})])
        return made

    stage("unspeakable", unspeakable, retries=Retries(max_attempts=1))
    report = await make_worker("unspeakable", batch=await start_batch("unspeakable", items=3)).run()
    assert report.exit_reason is ExitReason.ENDED
    rows = await database.pool.fetch("select status, error_class from rushes.items order by position")
    assert [tuple(row) for row in rows] == [("failed", "bug"), ("completed", None), ("completed", None)]


async def test_a_worker_told_to_stop_ends_though_its_source_is_away(
    database: Database, settings: Settings, stage, start_batch, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(runtime, "FLUSH_SECONDS", 0.1)
    began = asyncio.Event()

    class Away(QueueSource):
        async def settle(self, outcomes: Sequence[Outcome]) -> Sequence[Lease]:  # noqa: ARG002  (the protocol's)
            raise ConnectionError("the server is away")

    async def endless(_job: Job, _context: Context) -> Result:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    stage("endless", endless)
    stage("quick")
    for kind in ("endless", "quick"):
        await start_batch(kind)
        source = Away(database.pool, Queue(database.pool))
        worker = worker_of(settings, source, kind)
        working = asyncio.create_task(worker.run())
        if kind == "endless":
            await began.wait()
        else:
            while worker._settling.idle:
                await asyncio.sleep(0.01)
        worker.stop(grace=timedelta(0))
        assert (await working).exit_reason is ExitReason.TERMINATED


async def test_an_outage_is_no_empty_queue(database: Database, settings: Settings, stage, start_batch):
    class Flaky(QueueSource):
        outages = 3

        async def claim(self, slots: Mapping[str, int]) -> Sequence[Assignment]:
            if self.outages:
                self.outages -= 1
                await asyncio.sleep(SOON.total_seconds())
                raise ConnectionError("the server is away")
            return await super().claim(slots)

    stage("write")
    await start_batch("write")
    source = Flaky(database.pool, Queue(database.pool))
    report = await worker_of(settings, source, "write", Bounds(empty_timeout=SOON)).run()
    assert (report.completed, report.exit_reason) == (1, ExitReason.EMPTY)


async def test_a_connection_that_breaks_after_a_claim_costs_no_attempt(
    database: Database, settings: Settings, stage, start_batch
):
    class Breaking(QueueSource):
        broken = False

        async def _assign(self, claimed: Sequence[Claimed]) -> list[Assignment]:
            if not self.broken:
                self.broken = True
                raise ConnectionError("cut")
            return await super()._assign(claimed)

    stage("write")
    batch = await start_batch("write", items=3)
    source = Breaking(database.pool, Queue(database.pool), batch=batch)
    assert (await worker_of(settings, source, "write").run()).completed == 3
    assert await database.pool.fetchval("select max(attempts) from rushes.jobs") == 1


async def test_a_job_that_comes_back_while_it_runs_is_not_claimed_again_and_again(
    database: Database, settings: Settings, stage, start_batch, monkeypatch: pytest.MonkeyPatch
):
    """The lease ran out, and the run that has lost it takes its time to end."""
    claims: list[int] = []
    stuck, go_on = asyncio.Event(), asyncio.Event()

    class Counting(QueueSource):
        async def claim(self, slots: Mapping[str, int]) -> Sequence[Assignment]:
            got = await super().claim(slots)
            claims.extend(one.job.id for one in got)
            return got

    async def slow_to_end(job: Job, context: Context) -> Result:
        if not stuck.is_set():
            try:
                stuck.set()
                await asyncio.Event().wait()
            finally:
                await go_on.wait()
        return await write_text(job, context)

    stage("slow_to_end", slow_to_end)
    batch: BatchId = await start_batch("slow_to_end")
    working = asyncio.create_task(
        worker_of(settings, Counting(database.pool, Queue(database.pool), batch=batch), "slow_to_end").run()
    )
    await stuck.wait()
    await database.pool.execute("update rushes.jobs set lease_until = now() - interval '1 s', status = 'queued'")
    while len(claims) < 2:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)  # that nothing more is claimed is what is tested
    assert len(claims) == 2
    go_on.set()
    assert (await working).completed == 1


class SpeechOptions(Options):
    source: str = "captions"


async def test_an_item_s_own_options_say_what_is_fetched_for_it(database: Database, stage, start_batch, make_worker):
    asked = []

    async def fetch(job: Job, context: Context) -> Result:
        asked.append(context.wanted)
        return await write_text(job, context)

    stage("fetch", fetch)
    stage("hear", options=SpeechOptions, wants=lambda options: frozenset({options.source}))
    batch = await start_batch("fetch", "hear")
    await database.pool.execute("""update rushes.items set options = '{"hear": {"source": "audio"}}'::jsonb""")
    await make_worker("fetch", "hear", batch=batch).run()
    assert asked == [frozenset({"audio"})]


async def test_a_worker_runs_its_stage_of_a_plan_whose_other_stages_it_does_not_know(
    database: Database, stage, start_batch, make_worker
):
    from rushes.stages import registry

    stage("fetch")
    stage("elsewhere")
    await start_batch("fetch", "elsewhere")
    del registry._decorated["elsewhere"]
    report = await make_worker("fetch", bounds=Bounds(empty_timeout=SOON)).run()
    assert (report.completed, report.failed) == (1, 0)
