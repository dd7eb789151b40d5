"""Jobs named by number or chosen by a filter are steered, after a question, in small steps."""

from __future__ import annotations

import os
import pty
import select as io_select
import subprocess
import sys
from pathlib import Path

import pytest

from rushes.database import Database
from rushes.queue import selection
from rushes.queue.reading import Filter
from rushes.queue.selection import select
from tests.queue.conftest import make_batch

from .conftest import History, Rushes


async def test_a_selection_is_retried_and_nothing_else(history: History, rushes: Rushes):
    await history.add("failed", 4, error_class="transient")
    await history.add("failed", 2, error_class="permanent")
    await history.add("cancelled", 3, error_class="transient")
    done = await rushes("queue", "retry", "--status", "failed", "--class", "transient", "--yes", "--json")
    assert done.json == {"selected": 4, "retried": 4}
    assert await history.left() == {"queued": 4, "failed": 2, "cancelled": 3}


async def test_retry_means_what_failed_and_cancel_what_lives(history: History, rushes: Rushes):
    for status in ("queued", "processing", "retrying", "completed", "failed", "cancelled"):
        await history.add(status, 2)
    assert (await rushes("queue", "cancel", "--kind", "download", "--yes")).out == "6 jobs cancelled\n"
    assert (await rushes("queue", "retry", "--kind", "download", "--yes")).out == "2 jobs retried\n"
    assert await history.left() == {"queued": 2, "completed": 2, "cancelled": 8}
    assert (await rushes("queue", "retry", "--status", "cancelled", "--yes")).out == "8 jobs retried\n"


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (["--kind", "transcribe"], {1}),
        (["--class", "bug"], {2}),
        (["--workflow-run", "77"], {3}),
        (["--dedup-key", "k"], {4}),
        (["--older-than", "12h"], {5}),
        (["--older-than", "12h", "--kind", "transcribe"], set()),
        (["--until", "1d"], {5}),
        (["--since", "1d"], {1, 2, 3, 4}),
    ],
)  # fmt: skip
async def test_filters_filter(history: History, rushes: Rushes, options: list[str], chosen: set[int]):
    await history.add("failed", kind="transcribe", error_class="transient")
    await history.add("failed", error_class="bug")
    await history.add("failed", error_class="transient", github_workflow_run_id="77")
    await history.add("failed", error_class="transient", dedup_key="k")
    await history.add("failed", error_class="transient", days=3)
    assert {job["id"] for job in (await rushes("queue", "list", *options, "--json")).json} == chosen
    assert (await rushes("queue", "retry", *options, "--yes", "--json")).json["retried"] == len(chosen)
    assert {job["id"] for job in (await rushes("queue", "list", "--status", "queued", "--json")).json} == chosen


async def test_a_batch_is_chosen_with_its_items(database: Database, rushes: Rushes):
    first, second = await make_batch(database, 3), await make_batch(database, 2)
    assert (await rushes("queue", "cancel", "--batch", first.id, "--yes")).out == "3 jobs cancelled\n"
    rows = await database.pool.fetch("select id, status, cancelled from rushes.batches order by id")
    assert [tuple(row) for row in rows] == [(first.id, "cancelled", 3), (second.id, "pending", 0)]


async def test_jobs_that_wait_get_another_priority(database: Database, history: History, rushes: Rushes):
    for status in ("queued", "retrying", "processing", "completed"):
        await history.add(status)
    assert (await rushes("queue", "prioritize", "--kind", "download", "--top", "--yes")).out == "2 jobs prioritized\n"
    assert (await rushes("queue", "prioritize", 1, "--priority", 7, "--json")).json == {"jobs": [1], "prioritized": 1}
    rows = await database.pool.fetch("select priority from rushes.jobs order by id")
    assert [row["priority"] for row in rows] == [7, 10, 0, 0]


async def test_a_batch_is_prioritized_with_all_that_is_left_of_it(database: Database, rushes: Rushes):
    batch = (await make_batch(database, 3)).id
    await database.pool.execute("update rushes.jobs set status = 'completed', finished_at = now() where id = 1")
    await database.pool.execute("update rushes.jobs set status = 'processing' where id = 2")
    assert (await rushes("batch", "prioritize", batch, "--priority", 4)).out == f"batch {batch}: priority 4\n"
    rows = await database.pool.fetch("select priority from rushes.jobs order by id")
    assert [row["priority"] for row in rows] == [0, 4, 4]
    (event,) = await database.pool.fetch("select kind, data from rushes.events order by number desc limit 1")
    assert tuple(event) == ("batch_prioritized", {"priority": 4})
    await rushes("batch", "cancel", batch)
    late = await rushes("batch", "prioritize", batch, "--top")
    assert (late.code, late.err) == (2, f"rushes batch: batch {batch}: it had ended already\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("retry", "which jobs?"),
        ("retry --yes", "which jobs?"),
        ("retry 1 --kind download", "which jobs?"),
        ("retry --status queued --yes", "wanted one of failed, cancelled"),
        ("cancel --status completed --yes", "wanted one of queued, processing, retrying"),
        ("prioritize 1", "which priority?"),
        ("prioritize 1 --top --priority 3", "which priority?"),
        ("prioritize 1 --priority 11", "11 is not from 0 to 10"),
        ("prioritize 1 --top", "only what waits"),
        ("cancel --since someday --yes", "someday is neither a time"),
        ("cancel --kind dowload --yes", "did you mean 'download'"),
        ("cancel --kind download", "--yes"),
        ("pause --kind download --batch 1", "say one of them"),
        ("pause --batch 9", "there is no batch 9"),
    ],
)
async def test_what_is_unclear_is_refused(history: History, rushes: Rushes, line: str, said: str):
    await history.add("completed")
    await history.add("queued")
    refused = await rushes("queue", *line.split())
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert await history.left() == {"completed": 1, "queued": 1}


async def test_a_selection_of_none_is_no_error(database: Database, rushes: Rushes):
    assert (await rushes("queue", "retry", "--class", "bug", "--yes")).out == "0 jobs retried\n"


async def test_a_large_selection_goes_in_steps(
    database: Database, history: History, rushes: Rushes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(selection, "PAGE", 7)
    monkeypatch.setattr(selection, "STEP", 9)
    numbers = await history.add("failed", 40)
    async with database.pool.acquire() as connection:
        assert list(await select(connection, Filter(), ["failed", "queued"])) == numbers
    assert (await rushes("queue", "retry", "--status", "failed", "--yes")).out == "40 jobs retried\n"


async def test_what_was_chosen_and_has_changed_since_is_said(history: History, rushes: Rushes, database: Database):
    await history.add("queued", 2)
    await history.add("completed")
    assert (await rushes("queue", "cancel", 1, 2, 3)).out.startswith("2 jobs cancelled; only what waits or runs")


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("y\n", 0, "cancelled"), ("\n", 1, "queued"), ("no\n", 1, "queued")]
)
async def test_at_a_terminal_it_asks(
    history: History, server_home: Path, tmp_path: Path, answer: str, code: int, left: str
):
    await history.add("queued", 3)
    assert _answer(server_home, tmp_path, answer) == (code, True)
    assert await history.left() == {left: 3}


def _answer(home: Path, folder: Path, answer: str) -> tuple[int, bool]:
    """Give an answer at a terminal. Returns the exit code, and whether there was a question of three jobs."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rushes", "queue", "cancel", "--kind", "download"]
    environment = {**os.environ, "RUSHES_HOME": str(home)}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    heard = b""
    while b"[y/N]" not in heard and io_select.select([ours], [], [], 30)[0]:
        heard += os.read(ours, 4096)
    os.write(ours, answer.encode())
    code = process.wait(timeout=30)
    os.close(ours)
    return code, b"3 jobs would be cancelled" in heard
