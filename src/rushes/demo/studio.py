"""Records talks: narration, slides, video, poster and captions. Each is kept under a hash of all that it depends on.

One voice reads the talks in turn; while it reads the next, the last one's video is encoded.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from rushes.demo.talks import Talk
from rushes.media.captions import webvtt
from rushes.media.narration import ENGINE, Narration, Narrator, Sentence
from rushes.media.slides import Look
from rushes.media.slideshow import make_poster, paint, shots, slideshow

RECIPE = f"{ENGINE} 2"
"""Raised when the same talk would now be recorded differently."""
KEPT_SHARE = 0.5
"""How much of the file is left of a talk that was broken off."""


class _Facts(BaseModel):
    """What is known of a recording, beside its files."""

    model_config = ConfigDict(frozen=True)

    duration: float
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """A talk as files in a folder of its own."""

    talk: Talk
    folder: Path
    duration: float
    """Seconds, as the video states it."""
    sentences: tuple[Sentence, ...]
    """What is said when."""

    @property
    def video(self) -> Path:
        return self.folder / "talk.mp4"

    @property
    def poster(self) -> Path:
        return self.folder / "poster.jpg"

    @property
    def captions(self) -> Path | None:
        return self.folder / "captions.vtt" if self.talk.captions else None


async def record(
    talks: Sequence[Talk], folder: Path, ffmpeg: Path, *, tell: Callable[[Talk], None] = lambda _talk: None
) -> list[Recording]:
    """Make the recordings of `talks` that are not in `folder` yet, and return all. `tell` hears of each one made.

    Raises:
        EngineMissing, EngineFault: narration or FFmpeg.
    """
    missing = await asyncio.to_thread(_missing, talks, folder)
    if missing:
        encoding = asyncio.Semaphore(2)
        try:
            async with await Narrator.start() as narrator, asyncio.TaskGroup() as group:
                for talk in missing:
                    group.create_task(_record(talk, folder, ffmpeg, narrator, encoding, tell), name=talk.slug)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
    return [_open(talk, _place(talk, folder)) for talk in talks]


def _missing(talks: Sequence[Talk], folder: Path) -> list[Talk]:
    folder.mkdir(parents=True, exist_ok=True)
    return [talk for talk in talks if not _whole(talk, _place(talk, folder))]


def _place(talk: Talk, folder: Path) -> Path:
    return folder / f"{talk.slug}-{talk.fingerprint(RECIPE)}"


def _open(talk: Talk, place: Path) -> Recording:
    facts = _Facts.model_validate_json((place / "recording.json").read_bytes())
    return Recording(talk, place, facts.duration, facts.sentences)


def _whole(talk: Talk, place: Path) -> bool:
    try:
        recording = _open(talk, place)
    except (OSError, ValueError):
        return False
    files = (recording.video, recording.poster, recording.captions)
    return all(file.is_file() for file in files if file)


def _keep(talk: Talk, making: Path, place: Path) -> None:
    """Give a finished recording its name, unless somebody else made the same one meanwhile."""
    try:
        making.rename(place)
    except OSError:
        if not _whole(talk, place):
            shutil.rmtree(place)
            making.rename(place)


async def _record(
    talk: Talk,
    folder: Path,
    ffmpeg: Path,
    narrator: Narrator,
    encoding: asyncio.Semaphore,
    tell: Callable[[Talk], None],
) -> None:
    """Make one recording in a temporary folder and rename it when it is whole."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-", ignore_cleanup_errors=True) as name:
        making = Path(name) / talk.slug
        making.mkdir()
        narration = await narrator.narrate(talk.passages, Path(name) / "narration.wav")
        async with encoding:
            await _film(talk, narration, making, Path(name), ffmpeg)
        if talk.captions:
            (making / "captions.vtt").write_text(webvtt(narration.cues), encoding="utf-8")
        if talk.broken_off:
            _break_off(making / "talk.mp4")
        facts = _Facts(duration=narration.duration, sentences=narration.sentences)
        (making / "recording.json").write_text(facts.model_dump_json(indent=1), encoding="utf-8")
        _keep(talk, making, _place(talk, folder))
    tell(talk)


async def _film(talk: Talk, narration: Narration, making: Path, scratch: Path, ffmpeg: Path) -> None:
    pictures = [picture async for picture in paint(talk.deck, Look(talk.accent), scratch)]
    await asyncio.to_thread(make_poster, pictures[0], making / "poster.jpg")
    tags = {"title": talk.title, "artist": "The Rushes demo", "date": talk.published.isoformat()}
    await slideshow(ffmpeg, shots(pictures, narration), narration.path, making / "talk.mp4", tags=tags)


def _break_off(video: Path) -> None:
    """Leave the head of the file. It says at its start how long the talk is, and so still promises all of it."""
    os.truncate(video, round(video.stat().st_size * KEPT_SHARE))
