"""Jobs put in, listed, shown and paused by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rushes.database import Database
from rushes.queue.doorbell import CHANNEL
from tests.queue.conftest import make_batch

from .conftest import History, Rushes


async def test_a_job_is_put_in_with_all_that_was_said(database: Database, rushes: Rushes):
    said = await rushes(
        "queue", "enqueue", "download", "--video", "https://example.org/a.mp4", "--payload", '{"options": {"a": [1]}}',
        "--priority", 8, "--run-at", "2h", "--dedup-key", "k", "--max-attempts", 5, "--timeout", "90m", "--lane",
        "example.org", "--workflow-run", "77", "--json",
    )  # fmt: skip
    assert said.json == {"job": 1, "new": True}
    job = (await rushes("queue", "show", 1, "--json")).json
    expected = {
        "kind": "download", "status": "retrying", "priority": 8, "video_id": "https://example.org/a.mp4",
        "payload": {"options": {"a": [1]}}, "dedup_key": "k", "max_attempts": 5, "timeout": 5400.0, "lane": "example.org",
        "github_workflow_run_id": "77",
    }  # fmt: skip
    assert {name: job[name] for name in expected} == expected
    due = datetime.fromisoformat(job["run_at"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=58) < due < timedelta(hours=2)


async def test_one_job_lives_under_a_key(history: History, rushes: Rushes):
    assert (await rushes("queue", "enqueue", "download", "--dedup-key", "k")).out == "job 1\n"
    again = await rushes("queue", "enqueue", "download", "--dedup-key", "k")
    assert again.out == "job 1: it lives already under this key\n"
    await rushes("queue", "cancel", 1)
    assert (await rushes("queue", "enqueue", "download", "--dedup-key", "k", "--json")).json["new"] is True
    assert await history.left() == {"cancelled": 1, "queued": 1}


async def test_a_kind_that_nobody_here_has_is_said(database: Database, rushes: Rushes):
    said = await rushes("queue", "enqueue", "thumbnail")
    assert (said.code, said.out) == (0, "job 1\n")
    assert "no stage here is called thumbnail" in said.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--payload", "{"], "--payload is no JSON"),
        (["--payload", "[1]"], "wanted an object"),
        (["--priority", "11"], "11 is not from 0 to 10"),
        (["--max-attempts", "0"], "0 is not from 1"),
        (["--run-at", "soon"], "soon is neither a time"),
        (["--run-at", "0001-01-01T00:00+23:00"], "neither a time"),
        (["--timeout", "long"], "not a length of time"),
    ],
)
async def test_a_job_that_cannot_be_is_not_put_in(history: History, rushes: Rushes, options: list[str], said: str):
    refused = await rushes("queue", "enqueue", "download", *options)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert await history.left() == {}


async def test_a_list_goes_on_where_it_ended(history: History, rushes: Rushes):
    await history.add("queued", 5)
    seen: list[int] = []
    page = (await rushes("queue", "list", "--limit", 2, "--json")).json
    while page:
        seen += [job["id"] for job in page]
        page = (await rushes("queue", "list", "--limit", 2, "--before", seen[-1], "--json")).json
    assert seen == [5, 4, 3, 2, 1]
    assert "--before 4" in (await rushes("queue", "list", "--limit", 2)).err
    assert "--before" not in (await rushes("queue", "list", "--limit", 6)).err


async def test_a_batch_is_paused_as_part_of_the_queue(database: Database, rushes: Rushes):
    batch = (await make_batch(database, 2)).id
    assert (await rushes("queue", "pause", "--batch", batch, "--json")).json == {"batch": batch, "paused": True}
    assert (await rushes("queue", "stats", "--json")).json["paused_batches"] == [batch]
    assert (await rushes("queue", "resume", "--batch", batch)).out == f"batch {batch}: resumed\n"
    assert await database.pool.fetchval("select count(*) from rushes.jobs where held") == 0


@pytest.mark.parametrize("command", ["enqueue download", "retry 1", "resume", "prioritize 2 --top"])
async def test_whoever_listens_hears_of_work(database: Database, history: History, rushes: Rushes, command: str):
    """Idle workers look seldom."""
    await history.add("failed")
    await history.add("queued")
    rang = asyncio.Event()
    async with database.pool.acquire() as connection:
        await connection.add_listener(CHANNEL, lambda *_: rang.set())
        assert (await rushes("queue", *command.split())).code == 0
        async with asyncio.timeout(10):
            await rang.wait()
        await connection.reset()
