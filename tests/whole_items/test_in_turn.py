"""Items whose stages are run in turn under one lease, as sources without a queue hand them out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from rushes.errors import ErrorClass, Permanent, Transient
from rushes.model import Engine, Facts, Job, NewItem, Source, Verdict, VideoKey
from rushes.settings import Settings
from rushes.sources.whole_items import SLOT
from rushes.stages.base import Context, Made, Result
from rushes.worker import ExitReason, Worker

from .conftest import MemorySource, item, writes


async def test_each_stage_gets_what_those_before_it_made_and_all_of_it_is_one_outcome(stage, work, quiet: Settings):
    async def count(job: Job, context: Context) -> Result:
        (given,) = context.inputs("text")
        path = context.scratch / "count.txt"
        path.write_text(f"{job.kind} of {context.title}: {len(given.path.read_text())}")
        return Result(made=[Made("count", path, "text/plain")], engine=Engine("b", cost=0.5), value={"letters": 5})

    async def write(job: Job, context: Context) -> Result:
        made = await writes("text", "hello")(job, context)
        return Result(made=made.made, facts=Facts(title="a talk"), notes=["from a"], engine=Engine("a", cost=0.25))

    stage("write", write, makes=frozenset({"text"}))
    stage("count", count, needs=frozenset({"text"}))
    source, report = await work(item("write", "count"))

    (outcome,) = source.outcomes
    assert [artifact.kind for artifact in outcome.produced.artifacts] == ["text", "count"]
    last = quiet.artifacts / outcome.produced.artifacts[-1].name
    assert last.read_text() == "count of a talk: 5"
    assert last.is_relative_to(quiet.artifacts / "memory/url:1")
    assert outcome.produced.value == {"letters": 5}
    assert outcome.produced.notes == ("from a",)
    assert outcome.produced.engine == Engine("b", cost=0.75)
    assert (report.processed, report.by_kind, report.exit_reason) == (1, {"test": 1}, ExitReason.ENDED)


async def test_a_second_delivery_skips_what_is_made(stage, work):
    runs = []

    async def fails_once(job: Job, context: Context) -> Result:
        runs.append("second")
        if runs.count("second") == 1:
            raise Transient("the line went dead")
        return await writes("loud", "HELLO")(job, context)

    async def counted(job: Job, context: Context) -> Result:
        runs.append("first")
        return await writes("text", "hello")(job, context)

    stage("first", counted)
    stage("second", fails_once, needs=frozenset({"text"}))
    source, _ = await work(item("first", "second"))
    assert source.outcomes[0].failure.error_class is ErrorClass.TRANSIENT

    source, _ = await work(item("first", "second"))
    assert source.outcomes[0].produced.artifacts[0].kind == "text"
    assert runs == ["first", "second", "second"]

    source, report = await work(item("first", "second"))
    assert source.outcomes[0].produced.reused
    assert (runs, report.reused) == (["first", "second", "second"], 1)


async def test_a_checkpoint_whose_file_was_changed_does_not_count(stage, work, quiet: Settings):
    stage("first", writes("text", "hello"))
    stage("second", writes("loud", "HELLO"), needs=frozenset({"text"}))
    source, _ = await work(item("first", "second"))
    (quiet.artifacts / source.outcomes[0].produced.artifacts[0].name).write_text("something else")
    source, _ = await work(item("first", "second"))
    assert not source.outcomes[0].produced.reused
    assert (quiet.artifacts / source.outcomes[0].produced.artifacts[0].name).read_text() == "hello"


async def test_a_stage_that_fails_ends_its_item_and_no_other(stage, work):
    async def picky(job: Job, context: Context) -> Result:
        if context.source.key == "url:2":
            raise Permanent("not this one")
        return await writes("text", "hello")(job, context)

    stage("picky", picky)
    stage("after", writes("loud", "HELLO"))
    source, report = await work(*(item("picky", "after", key=f"url:{n}") for n in range(1, 5)))
    assert (report.completed, report.failed) == (3, 1)
    assert [one.failure.message for one in source.outcomes if one.failure] == ["not this one"]


async def test_what_stands_for_many_videos_fails_with_a_way_out(stage, work):
    async def lists(_job: Job, _context: Context) -> Result:
        found = NewItem(Source(VideoKey("url:9"), "https://example.org/9"), "9")
        return Result(items=[found])

    stage("lists", lists)
    stage("after", writes("loud", "HELLO"))
    source, _ = await work(item("lists", "after"))
    assert source.outcomes[0].failure.error_class is ErrorClass.PERMANENT
    assert "many videos" in source.outcomes[0].failure.message


async def test_progress_is_that_of_the_whole_item(stage, quiet: Settings):
    reached = asyncio.Event()

    async def slow(_job: Job, context: Context) -> Result:
        await context.progress(0.5, "half of it")
        await reached.wait()
        return Result()

    stage("first", writes("text", "hello"))
    stage("slow", slow)
    source = MemorySource([item("first", "slow")], quiet.artifacts)
    running = asyncio.create_task(Worker(quiet, source, slots={SLOT: 1}).run())
    while not any(note == "slow: half of it" for _, _, note in source.beats):
        await asyncio.sleep(0.02)
    reached.set()
    await running
    assert source.beats[-1][1:] == (0.75, "slow: half of it")


async def test_a_lost_item_is_stopped_in_whichever_stage_it_is(stage, quiet: Settings):
    began = asyncio.Event()

    async def endless(_job: Job, _context: Context) -> Result:
        began.set()
        await asyncio.Event().wait()
        return Result()

    stage("first", writes("text", "hello"))
    stage("endless", endless)
    source = MemorySource([item("first", "endless")], quiet.artifacts)
    running = asyncio.create_task(Worker(quiet, source, slots={SLOT: 1}).run())
    await began.wait()
    source.verdict = Verdict.LOST
    report = await running
    assert (source.outcomes, report.processed) == ([], 0)


async def test_an_item_may_take_so_long_and_no_longer(stage, work):
    async def endless(_job: Job, _context: Context) -> Result:
        await asyncio.Event().wait()
        return Result()

    stage("first", writes("text", "hello"))
    stage("endless", endless)
    source, _ = await work(item("first", "endless", timeout=timedelta(milliseconds=50)))
    assert source.outcomes[0].failure.error_class is ErrorClass.TRANSIENT
    assert "longer than 0:00:00.050000" in source.outcomes[0].failure.message


async def test_a_stage_that_stands_one_at_a_time_gets_one_at_a_time(stage, work):
    at_once = most = 0

    async def alone(_job: Job, _context: Context) -> Result:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return Result()

    stage("first", writes("text", "hello"))
    stage("alone", alone, concurrency=1)
    await work(*(item("first", "alone", key=f"url:{n}") for n in range(8)), slots=8)
    assert most == 1
