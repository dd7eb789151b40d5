"""What a person sees of limits: `rushes queue limit`, and why a batch waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rushes.batches.progress import read_progress
from rushes.cli import main
from rushes.database import Database
from rushes.errors import ErrorClass
from rushes.lanes import lane_named
from rushes.model import BatchId, Failure
from tests.main_job.conftest import Rushes, rushes

from .conftest import Hand, enqueue, limit, limit_kind

__all__ = ["rushes"]


def test_limits_are_set_shown_and_taken_away(database: Database, rushes: Rushes):
    assert rushes("queue", "limit").out == "nothing is limited\n"
    shown = rushes("queue", "limit", "--lane", "https://www.youtu.be/x", "--rate", 0.5).out
    assert shown.splitlines()[1].split() == ["lane", "youtube.com", "0.5", "0", "0"]
    rushes("queue", "limit", "--lane", "YouTube.com", "--concurrency", 2)
    found = rushes("queue", "limit", "--kind", "transcribe", "--concurrency", 1, "--json").json
    assert [(one["what"], one["name"], one["rate"], one["concurrency"]) for one in found] == [
        ("kind", "transcribe", None, 1),
        ("lane", "youtube.com", 0.5, 2),
    ]
    assert "youtube" not in rushes("queue", "limit", "--lane", "youtube.com", "--off").out
    assert rushes("queue", "limit", "--kind", "transcribe", "--off").out == "nothing is limited\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rate", "1"], "--lane HOST or --kind NAME"),
        (["--off"], "--lane HOST or --kind NAME"),
        (["--lane", "a.org", "--kind", "download", "--concurrency", "1"], "say one of them"),
        (["--lane", "a.org"], "--rate, --concurrency, or --off"),
        (["--lane", "a.org", "--off", "--rate", "1"], "without --rate"),
        (["--kind", "download", "--rate", "1"], "a kind has no rate"),
        (["--lane", "a.org", "--rate", "0"], "is not from"),
        (["--lane", "a.org", "--concurrency", "0"], "is not from"),
        (["--lane", "file:///x", "--rate", "1"], "names no host"),
    ],
)
def test_wrong_use_is_told(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str):
    with pytest.raises(SystemExit) as ended:
        main(["queue", "limit", *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_what_is_not_there_is_told(database: Database, rushes: Rushes):
    ended = rushes("queue", "limit", "--lane", "a.org", "--off")
    assert (ended.code, "a.org has no limit" in ended.err) == (2, True)
    ended = rushes("queue", "limit", "--kind", "downlod", "--concurrency", "1")
    assert (ended.code, "download" in ended.err) == (2, True)
    assert rushes("queue", "limit", "--json").json == []


async def test_the_list_counts_what_runs_and_what_waits(database: Database, hand: Hand, rushes: Rushes):
    await limit(hand, concurrency=2)
    await limit_kind(hand, "fetch", 5)
    await enqueue(hand, 4)
    await enqueue(hand, 3, None)
    (one, _) = await hand.claim({"fetch": 2})
    await hand.fail([one], Failure(ErrorClass.RATE_LIMITED, "slow [down]", retry_after=timedelta(hours=1)))
    kind, lane = rushes("queue", "limit", "--json").json
    assert (kind["running"], kind["waiting"]) == (1, 3)
    assert (lane["running"], lane["waiting"], lane["reason"]) == (1, 2, "example.org: slow [down]")
    assert "example.org: slow [down]" in rushes("queue", "limit").out


async def test_a_batch_says_which_limit_it_waits_for(database: Database, hand: Hand):
    batch = BatchId(
        await database.pool.fetchval(
            "insert into rushes.batches (name, pipeline, plan, trust) values ('b', 'p', '{\"steps\": []}', 'local')"
            " returning id"
        )
    )
    await limit(hand, rate=0.5, concurrency=2)
    await limit(hand, "quiet.org", concurrency=2)
    await limit_kind(hand, "write", 1)
    await enqueue(hand, 3, batch_id=batch)
    await enqueue(hand, 1, "quiet.org", batch_id=batch)
    await enqueue(hand, 2, None, kind="write", batch_id=batch)
    assert (await read_progress(database.pool, batch)).waiting == ()
    await hand.claim({"fetch": 1, "write": 1})
    assert (await read_progress(database.pool, batch)).waiting == (
        "example.org is limited to 0.5 a second and 2 at once",
        "write is limited to 1 at once",
    )
    await database.pool.execute(
        "update rushes.lanes set paused_until = now() + interval '1 hour', reason = name || ': slow down'"
    )
    told = (await read_progress(database.pool, batch)).waiting
    assert [reason.partition(",")[0] for reason in told[:2]] == ["example.org: slow down", "quiet.org: slow down"]


@pytest.mark.parametrize(
    ("text", "lane"),
    [
        ("youtube.com", "youtube.com"),
        ("www.Example.org", "example.org"),
        ("m.youtube.com", "youtube.com"),
        ("https://player.vimeo.com/video/1", "vimeo.com"),
        ("My lane", "My lane"),
        ("", None),
        ("file:///talk.mp4", None),
    ],
)
def test_a_lane_is_named_by_its_host_by_an_address_or_by_its_own_name(text: str, lane: str | None):
    assert lane_named(text) == lane
