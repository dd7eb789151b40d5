"""A Gemini model may watch a public YouTube video from its address."""

from __future__ import annotations

from typing import Any

import pytest

from rushes.documents import Template, Transcript
from rushes.errors import Permanent
from rushes.text import online
from rushes.text.asking import Asker
from rushes.text.model_video import NOTE, address
from rushes.text.providers import choose
from rushes.text.request import Request
from tests.text.conftest import video
from tests.text.fake_models import FakeModels, insights

KEY = "youtube:dQw4w9WgXcQ"
SILENT = Transcript(source="speech", engine="test", speech="none", cues=())


def watched(**changed: Any) -> dict[str, Any]:
    return {
        "title": "Seen",
        "overview": "What is seen.",
        "key_points": [{"seconds": 30, "text": "Later."}, {"seconds": 10, "text": "Sooner."}],
        "chapters": [{"seconds": 50, "title": "Two", "points": []}, {"seconds": 3, "title": "One", "points": []}],
        "topics": ["Seeing"],
        **changed,
    }


def request_of(template: Template = "summary") -> Request:
    return Request(SILENT, video(key=KEY, duration=60), template=template)


def asker(models: FakeModels) -> Asker:
    return Asker(choose("google:gemini-x", url=models.url, key="g"))


async def test_the_address_itself_is_sent_and_the_times_are_named_as_the_models(models: FakeModels):
    models.answer(watched())

    summary = await online.watch(request_of(), asker(models), address(KEY) or "")

    parts = models.questions[0].body["contents"][0]["parts"]
    sent = [part["fileData"] for part in parts if "fileData" in part]
    assert ["https://www.youtube.com/watch?v=dQw4w9WgXcQ" in file.values() for file in sent] == [True]
    assert [(chapter.title, chapter.start, chapter.end) for chapter in summary.chapters] == [
        ("One", 0.0, 50.0),
        ("Two", 50.0, 60.0),
    ]
    assert [point.start for point in summary.key_points] == [10, 30]
    assert NOTE in summary.notes


async def test_a_time_after_the_end_is_refused(models: FakeModels):
    models.answer(watched(key_points=[{"seconds": 61, "text": "Never."}]))

    with pytest.raises(Permanent):
        await online.watch(request_of(), asker(models), "https://www.youtube.com/watch?v=dQw4w9WgXcQ")

    assert "60 seconds long" in models.questions[1].text


async def test_insights_are_asked_of_the_video_too(models: FakeModels):
    models.answer(watched(), insights(source_code_url="https://made.up"))

    summary = await online.watch(request_of("insights"), asker(models), address(KEY) or "")

    assert summary.insights
    assert summary.insights.source_code_url == "N/A"
    assert summary.usage
    assert summary.usage.requests == 2


@pytest.mark.parametrize("key", ["file:abc", "url:abc", "youtube:short", "youtube:dQw4w9WgXcQ/../x"])
def test_only_youtube_videos_have_such_an_address(key: str):
    assert address(key) is None
