"""A run that is paused by hand, watched, or given a folder that another list wrote to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rushes.batches.progress import Progress
from rushes.cli.display import Pace
from rushes.database import Database
from rushes.model import BatchId, BatchStatus

from .conftest import Rushes, Started


def test_a_run_says_that_the_queue_is_paused_and_goes_on_after(
    database: Database, rushes: Rushes, started: Started, files: Path
):
    assert rushes("queue", "pause").out == "paused: the whole queue\n"
    run = started("run", files)
    assert run.stderr is not None
    for line in run.stderr:
        if "paused by hand" in line:
            assert "rushes queue resume" in line
            break
    else:
        pytest.fail("the run ended without a word about the pause")
    assert rushes("queue", "resume").out == "nothing is paused\n"
    assert "the queue goes on" in run.communicate()[1]
    assert run.returncode == 3


def test_a_batch_paused_by_hand_says_how_it_goes_on(database: Database, rushes: Rushes, started: Started, files: Path):
    rushes("queue", "pause")
    run = started("run", files)
    assert run.stderr is not None
    for line in run.stderr:
        if "paused by hand" in line:
            break
    assert rushes("batch", "pause", 1).out == "batch 1: paused\n"
    said = run.communicate()[1]
    assert run.returncode == 3
    assert "paused: by hand" in said
    watched = rushes("batch", "watch", 1)
    assert watched.code == 3
    assert "rushes batch resume 1" in watched.out
    rushes("queue", "resume")
    assert rushes("batch", "resume", 1, "--json").json == {"batch": 1, "resumed": True}
    assert rushes("worker", "--empty-timeout", 1, "--json").json["processed"] == 5
    assert rushes("batch", "watch", 1).code == 3


def test_jobs_that_cannot_be_steered_are_an_error(database: Database, rushes: Rushes, files: Path):
    rushes("run", files)
    assert "1 job retried" in rushes("queue", "retry", 1).out
    assert "1 job cancelled" in rushes("queue", "cancel", 1, 2).out
    ended = rushes("queue", "cancel", 2)
    assert ended.code == 2
    assert "only what waits or runs" in ended.err


def test_another_list_in_the_same_folder_is_noticed(database: Database, rushes: Rushes, files: Path):
    rushes("run", files)
    other = rushes("run", files / "0.mp4")
    assert "4 items of an earlier list" in other.err
    assert "earlier list" not in rushes("run", files / "0.mp4").err


def _progress(**changed: float) -> Progress:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    empty = Progress(
        id=BatchId(1), name="", pipeline="", status=BatchStatus.PROCESSING, total=100, completed=0, failed=0, cancelled=0,
        skipped=0, invalid=0, duplicates=0, created_at=now, started_at=now, finished_at=None, pause_reason=None,
        pause_remedy=None, at_work=(), retrying=0, waiting=(), done=0.0,
    )  # fmt: skip
    return replace(empty, **changed)  # type: ignore[arg-type]


def test_the_time_left_follows_what_was_done_lately():
    clock = [0.0]
    pace = Pace(lambda: clock[0])
    pace.saw(_progress())
    for second in range(1, 1001):  # nothing happens for long: somebody had paused it
        clock[0] = float(second)
        pace.saw(_progress())
    for second in range(1001, 1201):
        clock[0] = float(second)
        pace.saw(_progress(done=(second - 1000) / 4))
    left = pace.seconds_left(_progress(done=50.0))
    assert left == pytest.approx(200, rel=0.01)


def test_failures_are_no_pace():
    clock = [0.0]
    pace = Pace(lambda: clock[0])
    pace.saw(_progress())
    clock[0] = 60.0
    pace.saw(_progress(done=30.0, failed=30))
    assert pace.seconds_left(_progress(done=30.0, failed=30)) is None
