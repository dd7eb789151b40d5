"""Addresses in, transcripts and summaries out: a whole pipeline on this machine, into columns of a table (`--full`)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rushes.demo import demo_channel
from rushes.settings import Settings

from .conftest import DATASET, PROJECT, Site
from .programs import begin


async def test_talks_become_transcripts_summaries_and_chapters(bare: Site, tmp_path: Path, *, full: bool):
    if not full:
        pytest.skip("it records talks, and recognises what is said in them: half a minute")
    bare.make("items", {"id": "STRING", "url": "STRING", "status": "STRING"})
    settings = Settings.load(home=tmp_path / "home")
    async with demo_channel(settings, tmp_path / "channel", tell=lambda _talk: None) as channel:
        for published in channel.talks:
            bare.add(published.talk.slug, url=published.media_url)
        environment = {
            "BIGQUERY_EMULATOR_HOST": bare.server.url, "BIGQUERY_PROJECT": PROJECT, "BIGQUERY_DATASET": DATASET,
            "BIGQUERY_TABLE_SOURCE": "items", "BIGQUERY_TABLE_TARGET": "results", "RUSHES_HOME": str(settings.home),
            "RUSHES_ALLOWED_HOSTS": urlsplit(channel.index_url).netloc,
        }  # fmt: skip
        worker = begin(environment, "--pipeline", "summarize", "--concurrency", "2")
        code, report = await asyncio.to_thread(worker.end)
    assert (code, report["completed"], report["failed"]) == (0, 4, 1), worker.said
    results = bare.results()
    tides = results["tides"]
    assert "the sea rises twice a day" in tides["transcript"]
    assert tides["summary"]["chapters"] == tides["chapters"]
    assert tides["duration"] > 60
    assert {artifact["kind"] for artifact in tides["artifacts"]} >= {"media", "transcript", "summary"}
    assert results["lighthouse"]["status"] == "FAILED_PROCESSING"
    assert "cut short" in results["lighthouse"]["error"]
