"""Asked for by a message or a job instead of a command: the payload says what is wanted, the result tells it whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rushes as library
from rushes.database import Database
from rushes.model import Plan, Step, Trust, Verdict
from rushes.settings import Settings
from rushes.sources.base import Assignment
from rushes.sources.results import ItemResult, result_of
from rushes.sources.whole_items import SLOT, Numbering, WholeItem
from rushes.storage import LocalStorage
from rushes.worker import Worker
from tests.whole_items.conftest import MemorySource

from .conftest import BREAD
from .test_stopping import LONG, children

MESSAGE = {"request_id": "2b0e0f9c-0000-4000-8000-000000000001", "correlation_id": "c1"}


@pytest.fixture
def quiet(tmp_path: Path) -> Settings:
    """Settings of a worker that has no database."""
    return Settings.load(home=tmp_path / "home", storage=str(tmp_path / "artifacts"))


def request(number: int = 1, **payload: Any) -> WholeItem:
    """A message's item: it points at no video."""
    return WholeItem(f"requests/{number}", Plan("generate", (Step("generate"),)), None, {**MESSAGE, **payload})


async def work(settings: Settings, *items: WholeItem) -> list[ItemResult]:
    source = MemorySource(items, settings.artifacts)
    assignments: list[Assignment] = [Numbering(Trust.UNTRUSTED).assignment(item) for item in items]
    await Worker(settings, source, slots={SLOT: 4}).run()
    storage = LocalStorage(settings.artifacts)
    by_job = {outcome.lease.job_id: outcome for outcome in source.outcomes}
    return [result_of(one, by_job[outcome], storage) for one, outcome in zip(assignments, sorted(by_job), strict=False)]


async def test_a_message_with_a_text_is_told_whole(quiet: Settings):
    (result,) = await work(quiet, request(text=BREAD, modalities=["text"], audience="bakers"))

    assert result.status == "completed"
    assert result.title == "Why sourdough rises"
    assert result.text
    assert result.text.startswith("Why sourdough rises\n\nA sourdough starter is a mixture")
    assert result.documents["script"]["sections"][0]["title"] == "The starter"
    assert result.documents["production"]["saved"]["steps"] == ["narration", "slides", "video"]
    assert result.value["saved"]["seconds"] > 0
    assert {artifact["kind"] for artifact in result.artifacts} == {"script", "production"}
    assert result.engine == "offline"


async def test_a_film_is_among_its_artifacts(quiet: Settings):
    (result,) = await work(quiet, request(text=BREAD, modalities=["video"]))

    (film,) = [artifact for artifact in result.artifacts if artifact["kind"] == "film"]
    assert film["media_type"] == "video/mp4"
    assert film["name"].startswith("requests/1/")
    assert (quiet.artifacts / film["name"]).stat().st_size == film["size"] > 50_000


async def test_a_vague_message_fails_with_its_questions_and_no_other_does(quiet: Settings):
    vague, good = await work(
        quiet, request(1, query="tell me about stuff"), request(2, text=BREAD, modalities=["text"])
    )

    assert (vague.status, vague.error_class) == ("failed", "needs_input")
    assert [question.split("?")[0] for question in vague.questions] == [
        "What exactly should it explain",
        "Who is it for, and what do they know already",
    ]
    assert vague.as_json()["questions"] == list(vague.questions)
    assert good.status == "completed"


async def test_a_message_that_is_lost_to_another_stops_at_once(quiet: Settings):
    source = MemorySource([request(text=LONG, seconds=900)], quiet.artifacts)
    running = asyncio.create_task(Worker(quiet, source, slots={SLOT: 1}).run())
    while not any("spoken" in (note or "") for _, _, note in source.beats):
        await asyncio.sleep(0.02)
    source.verdict = Verdict.LOST
    report = await running

    assert (source.outcomes, report.processed) == ([], 0)
    assert not children()


@pytest.fixture
def queue(database: Database, settings: Settings) -> Iterator[library.QueueService]:
    with library.connect(settings) as connected:
        yield library.QueueService(connected)


def test_a_job_of_the_queue_says_what_is_wanted_in_its_payload(queue: library.QueueService):
    queue.enqueue_job("lesson-7", "generate", payload={"text": BREAD, "modalities": ["text"]})
    queue.enqueue_job("lesson-8", "generate", payload={"query": "explain this"})
    queue.enqueue_job("lesson-9", "generate", payload={"text": "Salt.", "modalities": ["song"]})

    done, vague, wrong = queue.process_batch(batch_size=3)

    assert (done.status, done.value["modalities"]) == ("completed", ["text"])
    assert (vague.status, vague.error_class) == ("failed", "needs_input")
    assert vague.error_details
    assert vague.error_details["questions"]
    assert (wrong.status, wrong.error_class) == ("failed", "permanent")
    assert "'text', 'audio' or 'video'" in (wrong.error_message or "")


def test_another_payload_under_the_same_name_is_another_script(queue: library.QueueService):
    video = "https://example.org/talk.mp4"
    for text in ("Salt comes last, as bakers say.", "Steam comes first, as bakers say."):
        queue.enqueue_job(video, "generate", payload={"text": text, "modalities": ["text"]})

    first, second = queue.process_batch(batch_size=2)

    assert (first.status, second.status) == ("completed", "completed")
    assert first.value
    assert second.value, "it was taken for the first one's"
