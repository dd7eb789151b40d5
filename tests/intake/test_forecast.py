"""A plan says what a run of the same command would do, from a database where there is one, and makes nothing."""

from __future__ import annotations

import io
import os
import shutil
import wave
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import read_inputs, run_key
from rushes.database import Database
from rushes.forecast import Forecast, Question, forecast
from rushes.model import Facts, Job
from rushes.queue import Queue
from rushes.settings import Settings
from rushes.sources.postgres import QueueSource
from rushes.stages import registry
from rushes.stages.base import Context, Made, Options, Result, Stage
from rushes.worker import Worker

from .conftest import Write

PIPELINE = "take+count"


class CountOptions(Options):
    unit: str = "words"


async def _take(_job: Job, context: Context) -> Result:
    copy = context.scratch / "copy.txt"
    shutil.copyfile(context.source.location, copy)
    return Result([Made("text", copy, "text/plain")], Facts(duration=timedelta(minutes=30)))


async def _count(_job: Job, context: Context) -> Result:
    (text,) = context.inputs("text")
    count = context.scratch / "count.txt"
    count.write_text(f"{len(text.path.read_bytes())} {context.options.unit}")
    return Result([Made("count", count, "text/plain")])


@pytest.fixture(autouse=True)
def _stages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    stages = {
        "take": Stage("take", _take, makes=frozenset({"text"})),
        "count": Stage("count", _count, options=CountOptions, makes=frozenset({"count"}), needs=frozenset({"text"})),
    }
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_decorated", stages)
        yield


async def _has_schema(url: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval("select to_regnamespace('rushes') is not null"))
    finally:
        await connection.close()


@pytest.fixture
def talks(write: Write) -> Path:
    for number in range(4):
        write(f"talks/{number}.mp4", f"talk {number}")
    return Path("talks")


async def _ask(settings: Settings, *inputs: str, options: tuple[str, ...] = (), stdin: bytes = b"") -> Forecast:
    question = Question(inputs, PIPELINE, options)
    return await forecast(settings, question, stdin=io.BytesIO(stdin), progress=lambda _lines: None)


async def _run(settings: Settings, database: Database, *inputs: str) -> None:
    plan = registry.resolve(PIPELINE, settings=settings)
    order = Order("talks", plan, run_key(inputs, plan, Path("rushes-out")))
    opened = await open_batch(database.pool, order, read_inputs(inputs))
    source = QueueSource(database.pool, Queue(database.pool, lease=settings.lease), batch=opened.id)
    report = await Worker(settings, source, slots={"take": 2, "count": 2}).run()
    assert report.success_rate == 100


async def test_on_an_untouched_machine_nothing_is_made(folder: Path, talks: Path) -> None:
    settings = Settings.load(home=folder / "home")

    found = await _ask(
        settings, "talks", "https://youtu.be/dQw4w9WgXcQ", "ftp://x", "-", stdin=b"https://a.example/feed.xml"
    )

    assert (found.report.valid, found.report.invalid) == (6, 1)
    assert (found.estimate.files, found.estimate.urls, found.estimate.collections) == (4, 1, 1)
    assert (found.batch, found.notes) == (None, ())
    assert os.listdir(folder) == ["talks"]  # noqa: PTH208  (a path's own listing is not for coroutines)


async def test_the_length_of_files_is_looked_up_in_them(folder: Path, write: Write) -> None:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "NONE"))
        file.writeframes(bytes(2 * 8000 * 3))
    write("talks/three-seconds.wav", sound.getvalue())
    write("talks/text.mp4", "no video at all")

    found = await _ask(Settings.load(home=folder / "home"), "talks")

    assert (found.report.valid, found.estimate.of_known_duration) == (2, 1)
    assert found.estimate.duration == timedelta(seconds=3)


async def test_what_a_run_made_is_done_and_what_changed_is_not(
    settings: Settings, database: Database, talks: Path, write: Write
) -> None:
    await _run(settings, database, "talks")
    write("talks/1.mp4", "another talk")
    write("talks/9.mp4", "a new talk")

    found = await _ask(settings, "talks")

    take, count = found.estimate.stages["take"], found.estimate.stages["count"]
    assert (take.done, take.items, count.done, count.items) == (3, 2, 3, 2)
    assert found.estimate.all_done == 3
    assert found.batch == 1
    assert found.estimate.of_known_duration == 3
    assert found.estimate.duration == timedelta(minutes=90)


async def test_other_options_leave_done_what_they_do_not_change(
    settings: Settings, database: Database, talks: Path
) -> None:
    await _run(settings, database, "talks")

    found = await _ask(settings, "talks", options=("count.unit=bytes",))

    assert (found.estimate.stages["take"].done, found.estimate.stages["count"].done) == (4, 0)
    assert found.batch is None


async def test_a_file_that_is_gone_from_storage_is_not_done(
    settings: Settings, database: Database, talks: Path
) -> None:
    await _run(settings, database, "talks")
    for path in settings.artifacts.glob("**/*count.txt"):
        path.unlink()

    found = await _ask(settings, "talks")

    assert (found.estimate.stages["take"].done, found.estimate.stages["count"].done) == (4, 0)


async def test_rates_are_those_of_the_runs_here(settings: Settings, database: Database, talks: Path) -> None:
    await _run(settings, database, "talks")
    await database.pool.execute(
        "update rushes.jobs set finished_at = started_at + interval '3 seconds' where kind = 'count'"
    )

    found = await _ask(settings, "talks", options=("count.unit=bytes",))

    count = found.estimate.stages["count"]
    assert count.seconds == pytest.approx(12)
    assert count.rate.basis == "the last 4 runs here"
    assert count.rate.per_hour == pytest.approx(6)


async def test_a_database_out_of_reach_is_said_and_the_plan_goes_on(folder: Path, talks: Path) -> None:
    settings = Settings.load(home=folder / "home", database_url="postgresql://127.0.0.1:1/none")

    found = await _ask(settings, "talks")

    assert found.report.valid == 4
    assert "nothing was looked up in the database" in found.notes[0]


async def test_a_foreign_database_gets_no_tables(
    settings: Settings, database: Database, folder: Path, talks: Path
) -> None:
    await database.pool.execute("create database other")
    other = urlsplit(database.url)._replace(path="/other").geturl()

    found = await _ask(Settings.load(home=folder / "home", database_url=other), "talks")

    assert (found.batch, found.report.valid) == (None, 4)
    assert not await _has_schema(other)
