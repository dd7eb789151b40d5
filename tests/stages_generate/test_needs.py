"""What is lacking is said at once, with what to do, before anything is asked or paid."""

from __future__ import annotations

from typing import Any

import pytest

from rushes.errors import NeedsInput, Permanent, Scope, UsageError
from rushes.model import Source
from rushes.stages.generate import GENERATE
from rushes.stages.registry import parse_options
from rushes.text.scripts.material import of_text
from rushes.text.scripts.request import ScriptRequest
from rushes.text.scripts.vague import questions

from .conftest import BREAD, Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("explain this", ["What does “this” stand for?", "What exactly should it explain?", "Who is it for"]),
        ("Tell me about stuff", ["What exactly should it explain?", "Who is it for"]),
        ("help with my homework please", ["What exactly should it explain?", "Who is it for"]),
        ("I want to learn about physics", ["Which part of physics", "Who is it for"]),
        ("World history", ["Which part of history", "Who is it for"]),
        ("???????", ["What exactly should it explain?", "Who is it for"]),
    ],
)
async def test_a_vague_request_is_answered_with_questions(desk: Desk, query: str, asked: list[str]):
    with pytest.raises(NeedsInput, match="too vague") as raised:
        await desk.run(query=query)

    assert raised.value.scope is Scope.ITEM
    told: Any = raised.value.details["questions"]
    assert [question.startswith(start) for question, start in zip(told, asked, strict=True)] == [True] * len(asked)
    assert raised.value.remedy
    assert all(question in raised.value.remedy for question in told)


@pytest.mark.parametrize(
    "query",
    ["How do tides work?", "photosynthesis", "Explain Newton's third law using basketball", "why is the sky blue",
     "history of Rome", "music theory", "What is love?", "Wie funktionieren Gezeiten?"],
)  # fmt: skip
async def test_a_short_request_may_be_clear(query: str):
    assert questions(ScriptRequest(query=query)) == ()


async def test_who_it_is_for_is_not_asked_where_that_is_said():
    assert [asked.startswith("Who") for asked in questions(ScriptRequest(query="science", audience="class 9"))] == [
        False
    ]


async def test_with_a_text_no_request_is_vague():
    assert questions(ScriptRequest(query="explain this", material=of_text(BREAD))) == ()


async def test_a_request_alone_needs_a_model_and_says_so(desk: Desk):
    with pytest.raises(NeedsInput, match="a request alone needs a language model") as raised:
        await desk.run(query="How do the tides work?")

    assert raised.value.scope is Scope.ITEM
    assert raised.value.remedy
    assert "generate.text" in raised.value.remedy
    assert "RUSHES_MODEL" in raised.value.remedy


async def test_nothing_at_all_needs_something(desk: Desk):
    with pytest.raises(NeedsInput, match="nothing to make a script of"):
        await desk.run()


GERMAN = "Der Mond zieht an der ganzen Erde, aber er zieht nicht überall gleich. So gibt es jeden Tag zwei Fluten."


async def test_a_text_that_the_voice_cannot_read_is_not_spoken(desk: Desk):
    with pytest.raises(NeedsInput, match="the voice reads English alone") as raised:
        await desk.run(text=GERMAN, modalities="audio")

    assert raised.value.remedy
    assert "--set generate.modalities=text" in raised.value.remedy
    assert not any("narration" in (note or "") for _, note in desk.reports)


async def test_a_passage_without_a_word_that_can_be_said_is_named(desk: Desk):
    text = f"{BREAD}\n## Tokyo\n\n東京です。"

    with pytest.raises(NeedsInput, match="other letters where it says “東京です。”"):
        await desk.run(text=text, modalities="audio")


async def test_it_can_still_be_written(desk: Desk):
    script, _ = await desk.run(text=GERMAN, modalities="text")

    assert script.text == GERMAN


async def test_another_language_is_refused_before_a_model_is_asked(desk: Desk):
    with pytest.raises(NeedsInput, match="in the language de"):
        await desk.run(
            query="How do the tides work?", language="de", model="openai:gpt-x", model_url="http://127.0.0.1:9"
        )


async def test_a_payload_wins_over_options_and_is_checked_alike(desk: Desk):
    script, result = await desk.run(
        payload={"text": BREAD, "modalities": ["text"], "style": "dark", "url": "ignored", "request_id": "ignored"},
        text="Something else.",
        style="warm",
    )

    assert script.title == "Why sourdough rises"
    assert result.value["style"] == "dark"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"query": "abc"}, "query: String should have at least 5 characters"),
        ({"query": "x" * 501}, "query: String should have at most 500 characters"),
        ({"text": "x" * 500_001}, "text: String should have at most 500000 characters"),
        ({"text": 7}, "text: Input should be a valid string"),
        ({"text": "A.", "modalities": ["images"]}, "modalities.0: Input should be 'text', 'audio' or 'video'"),
        ({"text": "A.", "modalities": []}, "modalities: Value should have at least 1 item"),
        ({"text": "A.", "style": "loud"}, "style: Input should be 'clean', 'dark' or 'warm'"),
        ({"text": "A.", "seconds": 10**9}, "seconds: Input should be less than or equal to 3600"),
    ],
)
async def test_a_wrong_payload_fails_for_good_and_names_what_is_wrong(desk: Desk, payload: dict[str, Any], said: str):
    with pytest.raises(Permanent) as raised:
        await desk.run(payload=payload)

    assert said in raised.value.reason
    assert len(raised.value.reason) < 300


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("modalities", "film"),
        ("style", "loud"),
        ("seconds", "3"),
        ("model", "gpt"),
        ("query", "abc"),
        ("language", "?"),
    ],
)
async def test_a_wrong_option_is_refused_when_the_batch_is_made(option: str, value: str):
    with pytest.raises(UsageError, match=f"generate.{option}"):
        parse_options(GENERATE, {option: value})


async def test_a_wrong_value_is_not_repeated_at_length():
    with pytest.raises(UsageError) as raised:
        parse_options(GENERATE, {"text": "x" * 600_000})

    assert len(str(raised.value)) < 400


async def test_the_words_of_an_item_are_its_request(desk: Desk):
    desk.source = Source(desk.source.key, "ask:explain this")

    with pytest.raises(NeedsInput, match="too vague"):
        await desk.run()
