"""Narration: text to speech by hibari-tts, with the time of every sentence, so that captions can be written exactly.

The model runs in a child process that is kept for as long as its `Narrator` (loading it takes longer than a minute of
speech) and can be killed at any time. The same text gives the same bytes: the noise in a voice has a fixed seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.util
import wave
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rushes.children import Child, ChildDied, Message, serve
from rushes.documents import Cue
from rushes.media.faults import EngineFault, EngineMissing

if TYPE_CHECKING:
    import numpy as np
    from hibari import Hibari
    from numpy.typing import NDArray

Progress = Callable[[int], Awaitable[None]]
"""Told how many passages are spoken."""
ENGINE = "hibari-tts"
SAMPLE_RATE = 24_000
SEED = 1
SENTENCE_PAUSE = 0.30
"""Seconds of silence after a sentence."""
PASSAGE_PAUSE = 0.90
"""Seconds of silence after a passage, during which a slide may change."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One spoken sentence. Seconds from the start of the narration, without the pause that follows."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Passage:
    """What is said without a longer pause, such as the text of one slide. Its end includes the pause that follows."""

    sentences: tuple[Sentence, ...]
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Narration:
    """A spoken text as a WAV file: mono, 16 bit, 24 kHz."""

    path: Path
    passages: tuple[Passage, ...]
    voice: str = ENGINE
    """What speaks."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.passages[-1].end

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return tuple(sentence for passage in self.passages for sentence in passage.sentences)

    @property
    def cues(self) -> tuple[Cue, ...]:
        """What is said when, to write captions of."""
        return tuple(Cue(text=one.text, start=one.start, end=one.end) for one in self.sentences)


class Narrator:
    """A voice that is loaded once and reads as many texts as it is given, one after the other."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls) -> Self:
        """Raises: EngineMissing."""
        if importlib.util.find_spec("hibari") is None:
            raise EngineMissing(
                "There is no narrator: hibari-tts is not installed", remedy="Run `pip install 'rushes[offline]'`."
            )
        return cls(await Child.start_module("rushes.media.narration", name="the narrator"))

    async def narrate(self, passages: Sequence[str], path: Path, progress: Progress | None = None) -> Narration:
        """Read `passages` aloud into the WAV file `path`. A cancelled call kills the child.

        Raises:
            EngineFault: the narrator died, or a passage holds nothing that can be spoken.
        """
        try:
            async with self._turn:
                await self._child.send({"passages": list(passages), "path": str(path)})
                spoken = [await self._next(number, progress) for number in range(1, len(passages) + 1)]
                await self._answer()
        except ChildDied as error:
            raise EngineFault(f"Narration stopped: {error}") from error
        except EngineFault:
            raise  # the child has said its last word on this text
        except BaseException:  # cancelled, or the caller's progress said no
            self._child.kill()  # what it says next would be taken for words on the next text
            raise
        return Narration(path, tuple(spoken))

    async def _next(self, number: int, progress: Progress | None) -> Passage:
        passage = _passage(**await self._answer())
        if progress:
            await progress(number)
        return passage

    async def _answer(self) -> Message:
        answer = await self._child.receive()
        if "fault" in answer:
            raise EngineFault(str(answer["fault"]))
        return answer

    async def close(self) -> None:
        await self._child.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()


def _passage(sentences: list[dict[str, Any]], start: float, end: float) -> Passage:
    return Passage(tuple(Sentence(**sentence) for sentence in sentences), start, end)


class _Recording:
    """A WAV file as it grows, and the clock of what is in it."""

    def __init__(self, path: Path) -> None:
        self._file = wave.open(str(path), "wb")  # noqa: SIM115  (closed by `close`)
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(SAMPLE_RATE)
        self._samples = 0

    @property
    def seconds(self) -> float:
        return round(self._samples / SAMPLE_RATE, 3)

    def add(self, sound: NDArray[np.float32]) -> None:
        self._file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
        self._samples += len(sound)

    def pause(self, seconds: float) -> None:
        import numpy as np

        self.add(np.zeros(round(seconds * SAMPLE_RATE), np.float32))

    def close(self) -> None:
        self._file.close()


def _speak(voice: Hibari, text: str, recording: _Recording) -> Message:
    """Add one passage to the recording and say where its sentences are."""
    start = recording.seconds
    sentences: list[Message] = []
    for sentence in voice.split_sentences(" ".join(text.split())):
        begin = recording.seconds
        for sound in voice.stream(sentence, seed=SEED):
            recording.add(sound)
        if recording.seconds > begin:
            sentences.append({"text": sentence, "start": begin, "end": recording.seconds})
        recording.pause(SENTENCE_PAUSE)
    if not sentences:
        raise ValueError(f"There is nothing to say in {text!r}")
    recording.pause(PASSAGE_PAUSE - SENTENCE_PAUSE)
    return {"sentences": sentences, "start": start, "end": recording.seconds}


def _narrate(voice: Hibari, passages: Sequence[str], path: str, say: Callable[..., None]) -> None:
    """Say where each passage is as soon as it is spoken, and at the end that the file is whole, or what went wrong."""
    try:
        with contextlib.closing(_Recording(Path(path))) as recording:
            for passage in passages:
                say(**_speak(voice, passage, recording))
    except (ValueError, OSError) as error:
        say(fault=str(error))
    else:
        say(done=True)


@functools.cache
def _voice() -> Hibari:
    from hibari import Hibari

    return Hibari()


def _answer(message: Message, say: Callable[..., None]) -> None:
    _narrate(_voice(), message["passages"], message["path"], say)


if __name__ == "__main__":
    serve(_answer)
