"""The demo of messages: a real worker at a subscription, real talks, and the verdict on what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from rushes.cli import demo_pubsub
from rushes.database import Database
from rushes.demo import Channel
from rushes.demo.messages import DemoMessages
from rushes.testing.pubsub import PubSubServer


async def test_every_message_ends_as_it_should(
    channel: Channel, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RUSHES_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RUSHES_STORAGE", str(tmp_path / "artifacts"))
    # Captions need no recognition of speech, which other tests have.
    few = [each for each in channel.talks if each.talk.captions or each.talk.broken_off]
    with PubSubServer() as server:
        messages = DemoMessages(server, replace(channel, talks=tuple(few)))
        messages.publish()
        assert not messages.as_expected()
        assert await asyncio.to_thread(messages.work, database.url) == 0
        assert messages.as_expected()
        rows = {row["about"]: row for row in demo_pubsub._rows(messages)}
    assert len(few) == 2
    assert [row["status"] for about, row in rows.items() if about.startswith(("summarize", "transcribe", "the same"))] == [
        "completed", "completed", "failed"
    ]  # fmt: skip
    assert all(row["dead_letter"] and row["reason"] for row in rows.values() if row["expected"] != "completed")
    (summary,) = [row for about, row in rows.items() if about == "the same request once more"]
    assert few[0].talk.title in summary["text"]
