"""The child of `speech`: holds a Whisper model and recognises one file at a time.

Run as `python -m rushes.media.speech_child`. It is asked `{"job", "path", "folder", "language", "hint", "beam",
"threads"}`, tells `{"job", "at", "of", "pieces"}` after each window, and ends a job with `done`, `fault`, `foreign` or
`cancelled`. `{"cancel": job}` is heeded between batches of windows, which take some seconds.
"""

from __future__ import annotations

import resource
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from rushes.children import Message, serve
from rushes.media.audio import RATE, Block, open_sound
from rushes.media.cues import Piece
from rushes.media.faults import EngineFault, MediaFault
from rushes.media.limits import limit
from rushes.media.nonsense import HOPELESS, NO_SPEECH, Heard, believed

BATCH = 2
"""Windows that are recognised together. On two cores 2 take a tenth less time than 1, and 4 as long as 2; a cancellation
waits for them, about a minute of sound."""
RETRIES = (0.0, 0.4, 0.8)
"""Temperatures at which a doubtful window is heard again. Whisper's six take half a minute, and rarely end better."""
MOST_TOKENS = 224
"""Of a window that is heard again: nobody says more in thirty seconds, and nonsense has no end."""
MEMORY = 4 * 1024**3
"""Bytes of data beside the model's: a file that takes more is an attack, or a fault."""
FOREIGN = -0.65
"""Mean log probability below which a model that knows English alone is held to be hearing another language. Measured
with tiny.en: English -0.03 to -0.2, in noise down to -0.45; Spanish -0.8, seven other languages -0.9 to -1.6."""
ENOUGH = 30.0
"""Seconds of speech after which that is judged, so that nobody waits hours to learn it."""
LEAST = 4.0
"""Seconds without which it is not judged at all: two words may be unsure in any language."""


class _Cancelled(Exception):
    pass


class _Foreign(Exception):
    pass


class Recogniser:
    """One model, one job at a time. Jobs run in a thread, so that a cancellation is heard meanwhile."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._model: Any = None
        self._cancelled: set[int] = set()

    def handle(self, message: Message, say: Callable[..., None]) -> None:
        """Take a job or a cancellation."""
        if "cancel" in message:
            self._cancelled.add(message["cancel"])
            return
        threading.Thread(target=self._work, args=(message, say), name="recognise", daemon=True).start()

    def _work(self, job: Message, say: Callable[..., None]) -> None:
        number = job["job"]
        try:
            self._load(job["folder"], job["threads"])
            _Job(self._model, job, say, lambda: number in self._cancelled).run()
        except _Cancelled:
            say(job=number, cancelled=True)
        except _Foreign:
            say(job=number, foreign=True)
        except MediaFault as fault:
            say(job=number, fault=type(fault).__name__, message=fault.reason)
        except Exception as error:  # noqa: BLE001  (whatever it is, the parent waits for an answer)
            traceback.print_exc()
            say(job=number, fault=EngineFault.__name__, message=f"{type(error).__name__}: {error}")

    def _load(self, folder: str, threads: int) -> None:
        if folder == self._folder:
            return
        from faster_whisper import WhisperModel

        self._model, self._folder = None, None  # the old one's memory, before the new one takes its own
        limit(resource.RLIMIT_DATA, MEMORY + 4 * (Path(folder) / "model.bin").stat().st_size)
        self._model = WhisperModel(
            folder, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        self._folder = folder


class _Job:
    """One file on its way through the model."""

    def __init__(self, model: Any, job: Message, say: Callable[..., None], cancelled: Callable[[], bool]) -> None:
        from faster_whisper import BatchedInferencePipeline

        self._model = model
        self._pipeline = BatchedInferencePipeline(model)
        self._say = say
        self._job = job
        self._cancelled = cancelled
        self._sure_of_language = job["language"] is not None
        self._language = job["language"] if job["language"] in model.supported_languages else None
        self._seconds = 0.0
        self._certainty = 0.0

    def run(self) -> None:
        self._raise_if_cancelled()
        if self._sure_of_language and self._language is None and not self._model.model.is_multilingual:
            raise _Foreign
        sound = open_sound(Path(self._job["path"]))
        end = 0.0
        self._tell(end, sound.duration, ())
        for block in sound.blocks:
            end = block.start + block.samples.size / RATE
            self._recognise(block, sound.duration)
            self._tell(end, sound.duration, ())
        self._require_known_language(LEAST)
        self._say(job=self._job["job"], done={"duration": end, "language": self._language})

    def _recognise(self, block: Block, duration: float | None) -> None:
        for (start, end), first in zip(block.windows, self._hear(block), strict=True):
            heard = self._hear_again(first, block, start, end) if first.doubtful else first
            if first.no_speech < NO_SPEECH:
                self._seconds += end - start
                self._certainty += min(first.certainty, heard.certainty) * (end - start)
            self._require_known_language(ENOUGH)
            self._tell(
                block.start + end,
                duration,
                [_told(piece, block.start + start) for piece in believed(heard, self._job["hint"])],
            )

    def _hear(self, block: Block) -> Iterator[Heard]:
        """Each window by the batched pipeline: the fast way."""
        if not block.windows:
            return
        segments, info = self._pipeline.transcribe(
            block.samples,
            language=self._language,
            beam_size=self._job["beam"],
            batch_size=BATCH,
            hotwords=self._prompt(),
            word_timestamps=True,
            clip_timestamps=[{"start": start, "end": end} for start, end in block.windows],
        )
        self._language = self._language or info.language
        for segment, (start, _) in zip(segments, block.windows, strict=True):
            yield _heard([segment], start)

    def _prompt(self) -> str | None:
        """The title as words said before. In sentences: after a bare title, the model leaves out all punctuation."""
        title = self._job["hint"].strip(" .!?…")
        english = self._language == "en" or not self._model.model.is_multilingual
        return f"Welcome. Today: {title}. Let us begin." if title and english else None

    def _hear_again(self, first: Heard, block: Block, start: float, end: float) -> Heard:
        """One window by the slow way, which goes on to other temperatures until its text is neither unsure nor a loop."""
        self._raise_if_cancelled()
        segments, _ = self._model.transcribe(
            block.samples[int(start * RATE) : int(end * RATE)],
            language=self._language,
            beam_size=self._job["beam"],
            temperature=RETRIES,
            best_of=2,
            max_new_tokens=MOST_TOKENS,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        again = _heard(list(segments), 0.0)
        return again if first.loops or again.certainty > first.certainty else first

    def _require_known_language(self, enough: float) -> None:
        """Raise `_Foreign` if a model of English alone has been unsure of its words for so many seconds."""
        if self._sure_of_language or self._model.model.is_multilingual:
            return
        if self._seconds > enough and self._certainty / self._seconds < FOREIGN:
            raise _Foreign

    def _tell(self, at: float, of: float | None, pieces: Any) -> None:
        self._raise_if_cancelled()
        self._say(job=self._job["job"], at=round(at, 2), of=of, pieces=pieces)

    def _raise_if_cancelled(self) -> None:
        if self._cancelled():
            raise _Cancelled


def _heard(segments: Sequence[Any], origin: float) -> Heard:
    """What the model says of a window, its times from the window's start. `origin` is where its own times begin."""
    pieces = [
        Piece(word.word, word.start - origin, word.end - origin, confidence=float(word.probability))
        for segment in segments
        for word in segment.words or ()
    ]
    return Heard(
        pieces=tuple(pieces),
        certainty=fmean(segment.avg_logprob for segment in segments) if segments else HOPELESS,
        no_speech=min((segment.no_speech_prob for segment in segments), default=1.0),
        repetition=max((segment.compression_ratio for segment in segments), default=0.0),
    )


def _told(piece: Piece, origin: float) -> tuple[str, float, float, float | None]:
    return piece.text, round(origin + piece.start, 3), round(origin + piece.end, 3), piece.confidence


if __name__ == "__main__":
    serve(Recogniser().handle)
