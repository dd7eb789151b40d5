"""A killed, interrupted, frozen or terminated process loses nothing and repeats nothing that was finished."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import Valid
from rushes.database import Database
from rushes.model import NewItem, Plan, Source, Step, VideoKey
from tests.programs import Program

from .conftest import runs

Start = Callable[..., Program]
ITEMS = 20


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    path = tmp_path / "list.txt"
    path.write_text("".join(f"https://example.org/{n}\n" for n in range(ITEMS)))
    return path


async def finished(database: Database) -> Counter[tuple[str, str]]:
    """How often each stage of each item was settled as completed, as the events tell."""
    rows = await database.pool.fetch(
        "select i.video_key, e.data ->> 'stage' as stage from rushes.events e join rushes.items i on i.id = e.item_id"
        " where e.kind in ('stage_completed', 'item_completed')"
    )
    return Counter((row["video_key"], row["stage"]) for row in rows)


async def one_job(database: Database, *, attempts: int = 3) -> None:
    item = NewItem(Source(VideoKey("url:1"), "https://example.org/1"), "line")
    await open_batch(database.pool, Order("one", Plan("alpha", (Step("alpha"),))), [Valid(1, item)])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
async def test_the_same_command_goes_on(
    database: Database, start: Start, listing: Path, log: Path, tmp_path: Path, number: signal.Signals
):
    command = ("run", str(listing), "--pipeline", "alpha+beta", "--out", str(tmp_path / "out"), "-c", "3")
    first = start(*command)
    first.wait_for(lambda: len(runs(log)) >= ITEMS)
    first.signal(number)
    code = first.process.wait()
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 130)
    done_before = await finished(database)
    assert 0 < len(done_before) < 2 * ITEMS

    code, report = start(*command).end()
    assert (code, report["status"], report["continued"]) == (0, "completed", True)
    assert report["counts"]["completed"] == ITEMS
    assert set((await finished(database)).values()) == {1}
    ran = Counter((key, kind) for kind, key, _ in runs(log))
    assert all(ran[stage] == 1 for stage in done_before)
    assert len(ran) == 2 * ITEMS
    assert len(list((tmp_path / "out").glob("*/item.json"))) == ITEMS


async def test_a_frozen_worker_s_late_outcome_is_refused(database: Database, start: Start, log: Path):
    await one_job(database)
    lease = {"RUSHES_LEASE": "2", "FAULTS_SECONDS": "3"}
    frozen = start("worker", "--kinds", "alpha", "--empty-timeout", "1", **lease)
    frozen.wait_for(lambda: len(runs(log)) == 1)
    frozen.signal(signal.SIGSTOP)
    code, report = start("worker", "--kinds", "alpha", "--empty-timeout", "4", **lease).end()
    assert (code, report["completed"]) == (0, 1)
    frozen.signal(signal.SIGCONT)
    code, report = frozen.end()
    assert (code, report["completed"], report["failed"]) == (0, 0, 0)
    assert set((await finished(database)).values()) == {1}
    assert await database.pool.fetchval("select count(*) from rushes.artifacts") == 1


async def test_sigterm_gives_back_uncounted_and_exits_0(database: Database, start: Start, log: Path):
    await one_job(database)
    worker = start("worker", "--kinds", "alpha", "--grace", "0.2", FAULTS_SECONDS="600")
    worker.wait_for(lambda: len(runs(log)) == 1)
    worker.signal(signal.SIGTERM)
    code, report = worker.end()
    assert (code, report["exit_reason"], report["released"]) == (0, "terminated", 1)
    row = await database.pool.fetchrow("select status, attempts from rushes.jobs")
    assert row is not None
    assert tuple(row) == ("queued", 0)


async def test_two_runs_at_once_on_one_data_folder_both_work(
    database: Database, start: Start, listing: Path, tmp_path: Path
):
    programs = [start("run", str(listing), "--pipeline", "alpha", "--out", str(tmp_path / name)) for name in ("a", "b")]
    for program in programs:
        code, report = program.end()
        assert (code, report["counts"]["completed"]) == (0, ITEMS)
