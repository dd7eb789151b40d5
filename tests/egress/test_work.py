"""Items of strangers at a whole worker: from a message's address to a transcript, and from a feed to its videos."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import Valid
from rushes.database import Database
from rushes.documents import Transcript
from rushes.errors import ErrorClass
from rushes.keys import source_of
from rushes.model import NewItem, Outcome, Plan, Step, Trust
from rushes.queue import Queue
from rushes.settings import Settings
from rushes.sources.postgres import QueueSource
from rushes.sources.whole_items import SLOT, WholeItem
from rushes.stages import registry
from rushes.worker import Worker
from tests.stages_download.conftest import Site
from tests.stages_transcribe.conftest import SPOKEN, spoken  # noqa: F401  (a fixture)
from tests.whole_items.conftest import MemorySource


def plan_of(*stages: str) -> Plan:
    steps = (Step(name, retries=registry.get(name).retries, fetches=registry.get(name).fetches) for name in stages)
    return Plan("test", tuple(steps))


async def delivered(settings: Settings, *addresses: str) -> Sequence[Outcome]:
    """What came of these addresses, as messages that somebody sent."""
    items = [
        WholeItem(f"test/{number}", plan_of("download", "transcribe"), source_of(address))
        for number, address in enumerate(addresses)
    ]
    source = MemorySource(items, settings.artifacts)
    await Worker(settings, source, slots={SLOT: 2}).run()
    return sorted(source.outcomes, key=lambda outcome: outcome.lease.job_id)


@pytest.fixture
def talk(site: Site, spoken: Path, ffmpeg: Path, tmp_path: Path) -> str:  # noqa: F811  (a fixture)
    """A page with a talk. Returns its address."""
    path = tmp_path / "talk.m4a"
    subprocess.run([ffmpeg, "-v", "error", "-i", spoken, "-c:a", "aac", path], check=True)
    site.put("/talk.m4a", path, "audio/mp4")
    return site.put("/page", site.page_of("/talk.m4a"))


async def test_a_strangers_item_of_an_allowed_host_is_transcribed_and_others_fail_for_good(
    site: Site, talk: str, tmp_path: Path
):
    private = site.put("/private", site.page_of("https://10.0.0.1/talk.mp4"))
    settings = Settings(home=tmp_path / "home", allowed_hosts=f"127.0.0.1:{site.server_port}")
    outcomes = await delivered(
        settings, talk, private, "http://169.254.169.254/computeMetadata/v1/", "http://localhost/"
    )
    produced, *failures = outcomes
    assert produced.produced
    (made,) = (one for one in produced.produced.artifacts if one.kind == "transcript")
    assert SPOKEN.partition(". ")[2] in Transcript.read(settings.artifacts / made.name).text
    assert [one.failure and (one.failure.error_class, one.failure.message) for one in failures] == [
        (ErrorClass.PERMANENT, "10.0.0.1: this address is not public (10.0.0.1)"),
        (ErrorClass.PERMANENT, "169.254.169.254: this address is not public (169.254.169.254)"),
        (ErrorClass.PERMANENT, "localhost: this address is not public (127.0.0.1)"),
    ]


async def test_what_a_strangers_list_names_is_a_strangers_too(
    database: Database, settings: Settings, site: Site, media: Any
):
    elsewhere = Site()
    items = "".join(
        f"<item><title>{place.server_port}</title><enclosure url='{address}' type='audio/mp4' length='1'/></item>"
        for place in (site, elsewhere)
        for address in [place.put("/talk.m4a", media("talk.m4a"), "audio/mp4")]
    )
    feed = f"<rss version='2.0'><channel>{items}</channel></rss>"
    address = site.put("/feed.xml", feed, "application/rss+xml")
    order = Order("test", plan_of("scrape", "download"), trust=Trust.UNTRUSTED)
    batch = (await open_batch(database.pool, order, [Valid(1, NewItem(source_of(address), address))])).id

    allowed = settings.model_copy(update={"allowed_hosts": f"127.0.0.1:{site.server_port}"})
    source = QueueSource(database.pool, Queue(database.pool, lease=settings.lease), batch=batch)
    await Worker(allowed, source, slots={"scrape": 1, "download": 2}).run()
    elsewhere.stop()

    rows = await database.pool.fetch("select title, status, error_class, error from rushes.items order by id")
    assert [tuple(row)[1:] for row in rows] == [
        ("skipped", None, None),
        ("completed", None, None),
        ("failed", "permanent", "127.0.0.1: this address is not public (127.0.0.1)"),
    ]
    assert elsewhere.visits == []
