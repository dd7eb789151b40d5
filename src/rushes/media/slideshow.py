"""Slideshows: pictures shown for given times under a sound track, such as the slides of a narrated talk.

Pictures stand still, so a slideshow has few frames a second and is encoded many times faster than it plays.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.media.containers import input_arguments
from rushes.media.ffmpeg import run_ffmpeg
from rushes.media.recording import SPEECH, tag_arguments
from rushes.media.slides import Look, Slide, draw

if TYPE_CHECKING:
    from rushes.media.narration import Narration

FRAME_RATE = 2
"""Frames a second: a slide changes at the right word, and a minute is encoded in less than one second."""
KEY_FRAMES = 20
"""Frames between two that a player can jump to."""
POSTER_SIZE = (640, 360)


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture and how many seconds it is shown."""

    picture: Path
    seconds: float


async def paint(deck: Sequence[Slide], look: Look, folder: Path) -> AsyncIterator[Path]:
    """Draw slides into `folder`, one after the other, as PNG. Raises: EngineMissing (no font)."""
    for number, slide in enumerate(deck):
        path = folder / f"{number}.png"
        await asyncio.to_thread(_paint, slide, look, path)
        yield path


def _paint(slide: Slide, look: Look, path: Path) -> None:
    draw(slide, look).save(path, compress_level=1)


def make_poster(picture: Path, poster: Path) -> None:
    """A small JPEG of a slide, to stand for the whole."""
    from PIL import Image

    with Image.open(picture) as slide:
        slide.resize(POSTER_SIZE).save(poster, quality=88)


def shots(pictures: Sequence[Path], narration: Narration) -> list[Shot]:
    """Each picture for as long as its passage is spoken."""
    return [
        Shot(picture, passage.end - passage.start)
        for picture, passage in zip(pictures, narration.passages, strict=True)
    ]


async def slideshow(
    ffmpeg: Path,
    shots: Sequence[Shot],
    sound: Path,
    output: Path,
    *,
    captions: Path | None = None,
    tags: Mapping[str, str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Show `shots` one after the other under `sound` and write an MP4 that players can start before they have it all.

    `captions` is a WebVTT file of our own making: it becomes a text track. `progress` is told the seconds that are made.

    Raises:
        EngineFault: FFmpeg failed.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".ffconcat", encoding="utf-8") as script:
        script.writelines(_script(shots))
        script.flush()
        length = sum(shot.seconds for shot in shots)
        arguments = ["-f", "concat", "-safe", "0", "-i", f"file:{script.name}", *input_arguments(sound)]
        arguments += ["-f", "webvtt", "-i", f"file:{captions}"] if captions else []
        arguments += ["-map", "0:v", "-map", "1:a", *(["-map", "2:s"] if captions else []), "-t", f"{length:.3f}"]
        arguments += ["-vf", f"format=yuv420p,fps={FRAME_RATE}", "-g", str(KEY_FRAMES)]
        arguments += ["-c:v", "libx264", "-preset", "superfast", "-tune", "stillimage", "-crf", "24"]
        arguments += [*SPEECH, *(["-c:s", "mov_text"] if captions else []), "-movflags", "+faststart"]
        await run_ffmpeg(ffmpeg, [*arguments, *tag_arguments(tags or {})], output, progress=progress)


def _script(shots: Sequence[Shot]) -> Iterator[str]:
    """FFmpeg's list of pictures. It ignores the duration of the last entry, so that one stands there twice."""
    yield "ffconcat version 1.0\n"
    for shot in shots:
        yield f"file {_quoted(shot.picture)}\nduration {shot.seconds:.3f}\n"
    yield f"file {_quoted(shots[-1].picture)}\n"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
