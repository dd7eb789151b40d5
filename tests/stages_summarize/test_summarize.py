"""The stage `summarize` makes `summary.json`, or says why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rushes.documents import Summary, Transcript, VideoDocument
from rushes.errors import NeedsInput, Permanent, Scope, Transient, UsageError
from rushes.model import Trust
from rushes.settings import Settings
from rushes.stages.base import Result
from rushes.stages.registry import parse_options
from rushes.stages.summarize import SUMMARIZE
from tests.stages_summarize.conftest import Bench, job
from tests.text.conftest import spoken
from tests.text.fake_models import FakeModels, Refusal, honest

LINES = [f"Fact number {number} says that bread of kind {number} needs time and salt." for number in range(12)]
SILENT = Transcript(source="speech", engine="test", speech="none", cues=())
VIDEO = VideoDocument(key="youtube:dQw4w9WgXcQ", title="Bread", duration=60)

Given = Callable[..., Bench]


def read(result: Result) -> Summary:
    (made,) = result.made
    assert (made.kind, made.path.name) == ("summary", "summary.json")
    return Summary.read(made.path)


async def test_it_summarizes_offline_unless_told_otherwise(given: Given):
    result = await SUMMARIZE.run(job(), given(spoken(*LINES), VIDEO))

    summary = read(result)
    assert summary.title == "Bread"
    assert summary.engine == "offline"
    assert result.engine
    assert result.engine.name == "offline"
    assert result.notes == summary.notes


async def test_overview_and_key_points_can_be_searched_with_their_times(given: Given):
    result = await SUMMARIZE.run(job(), given(spoken(*LINES), VIDEO))

    summary = read(result)
    assert list(result.search_text) == [(0.0, summary.overview), *((p.start, p.text) for p in summary.key_points)]


async def test_silence_fails_for_good(given: Given):
    with pytest.raises(Permanent, match="no speech found"):
        await SUMMARIZE.run(job(), given(SILENT, VIDEO))


async def test_too_few_words_fail_with_their_number(given: Given):
    with pytest.raises(Permanent, match="too short to summarize: 3 words were said, at least 25"):
        await SUMMARIZE.run(job(), given(spoken("Only three words."), VIDEO))


async def test_no_transcript_fails_for_good(given: Given):
    with pytest.raises(Permanent, match="no transcript"):
        await SUMMARIZE.run(job(), given(None, VIDEO))


async def test_without_metadata_the_title_known_so_far_is_taken(given: Given):
    assert read(await SUMMARIZE.run(job(), given(spoken(*LINES)))).title == "A talk"


async def test_a_model_of_the_settings_is_asked(given: Given, models: FakeModels):
    models.answer(honest)
    settings = {"model": "openai:gpt-x", "model_url": f"{models.url}/v1", "model_key": "k"}
    context = given(spoken(*LINES), VIDEO, settings=settings)

    result = await SUMMARIZE.run(job(), context)

    assert result.engine
    assert (result.engine.name, result.engine.model) == ("openai", "gpt-x")
    assert (result.engine.input_tokens, result.engine.output_tokens, result.engine.cost) == (120, 30, None)
    assert read(result).title == "A title"
    assert any(note and "openai:gpt-x" in note for _, note in context.reports)


async def test_a_missing_key_pauses_the_batch_before_any_work(given: Given, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    context = given(spoken(*LINES), VIDEO, model="anthropic:claude-x")

    with pytest.raises(NeedsInput, match="ANTHROPIC_API_KEY") as raised:
        await SUMMARIZE.run(job(), context)

    assert raised.value.scope is Scope.ENVIRONMENT
    assert context.reports == []


async def test_a_wrong_key_never_falls_back(given: Given, models: FakeModels):
    models.answer(Refusal(401, {"error": {"message": "bad key"}}))
    context = given(spoken(*LINES), VIDEO, model="openai:gpt-x", model_url=f"{models.url}/v1")

    with pytest.raises(NeedsInput) as raised:
        await SUMMARIZE.run(job(attempts=3), context)

    assert raised.value.scope is Scope.ENVIRONMENT
    assert not list(context.scratch.iterdir())


@pytest.mark.parametrize("attempts", [1, 2])
async def test_a_model_that_is_down_is_tried_again(given: Given, models: FakeModels, attempts: int):
    models.answer(Refusal(500))
    context = given(spoken(*LINES), VIDEO, model="openai:gpt-x", model_url=f"{models.url}/v1")

    with pytest.raises(Transient):
        await SUMMARIZE.run(job(attempts), context)


async def test_at_the_last_attempt_it_falls_back_and_says_so(given: Given, models: FakeModels):
    models.answer(Refusal(500))
    context = given(spoken(*LINES), VIDEO, model="openai:gpt-x", model_url=f"{models.url}/v1")

    result = await SUMMARIZE.run(job(attempts=3), context)

    assert read(result).engine == "offline"
    assert result.notes[0].startswith("Summarized offline, because openai:gpt-x could not be asked")


async def test_the_fall_back_can_be_forbidden(given: Given, models: FakeModels):
    models.answer({"nonsense": 1})
    context = given(spoken(*LINES), VIDEO, model="openai:gpt-x", model_url=f"{models.url}/v1", fallback=False)

    with pytest.raises(Permanent, match="no usable answer"):
        await SUMMARIZE.run(job(attempts=3), context)


async def test_a_stranger_cannot_send_the_operators_key_elsewhere(given: Given, models: FakeModels):
    models.answer(honest)
    settings = {"model": "openai:gpt-x", "model_key": "k"}
    context = given(spoken(*LINES), VIDEO, settings=settings, trust=Trust.UNTRUSTED, model_url=f"{models.url}/v1")

    with pytest.raises(Permanent, match="not the one that is set up here"):
        await SUMMARIZE.run(job(), context)

    assert models.questions == []


async def test_a_stranger_may_use_the_operators_model(given: Given, models: FakeModels):
    models.answer(honest)
    settings = {"model": "openai:gpt-x", "model_url": f"{models.url}/v1", "model_key": "k"}

    result = await SUMMARIZE.run(job(), given(spoken(*LINES), VIDEO, settings=settings, trust=Trust.UNTRUSTED))

    assert read(result).engine == "openai"


async def test_gemini_may_watch_a_silent_youtube_video(given: Given, models: FakeModels):
    models.answer(
        {
            "title": "Seen",
            "overview": "What is seen.",
            "key_points": [{"seconds": 3, "text": "A thing."}],
            "chapters": [{"seconds": 0, "title": "All", "points": []}],
            "topics": [],
        }
    )
    context = given(SILENT, VIDEO, model="google:gemini-x", model_url=models.url, url=True)

    assert read(await SUMMARIZE.run(job(), context)).title == "Seen"


@pytest.mark.parametrize(
    ("option", "value"),
    [("length", "huge"), ("model", "gpt"), ("model_url", "ftp://x"), ("language", "no such one"), ("part_words", "9")],
)
def test_a_wrong_option_is_refused_when_the_batch_is_made(option: str, value: str):
    with pytest.raises(UsageError, match=f"summarize.{option}"):
        parse_options(SUMMARIZE, {option: value})


def test_the_settings_model_is_frozen_with_the_plan(tmp_path: Path):
    settings = Settings.load(home=tmp_path, model="openai:gpt-x", model_url="http://127.0.0.1/v1")

    assert SUMMARIZE.defaults(settings) == {"model": "openai:gpt-x", "model_url": "http://127.0.0.1/v1"}
