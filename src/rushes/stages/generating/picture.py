"""What can be seen: slides of a script, and the film that shows each while its passage is spoken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from rushes.documents import Script, Style
from rushes.media.ffmpeg import find_ffmpeg
from rushes.media.narration import Narration
from rushes.media.slideshow import make_poster, paint, shots, slideshow
from rushes.settings import Settings
from rushes.stages.base import Context, Made
from rushes.stages.generating.looks import LOOKS, deck
from rushes.stages.generating.steps import Timer

REPORT_SECONDS = 0.5
"""Between two reports on how far the film is."""


class FilmLab:
    """Encodes one film at a time: FFmpeg takes every core that there is. A worker keeps one."""

    def __init__(self, _settings: Settings) -> None:
        self.turn = asyncio.Lock()

    async def close(self) -> None:
        """Nothing is kept."""


async def slides(script: Script, style: Style, context: Context, timer: Timer) -> list[Path]:
    """Draw the script's slides. Raises: EngineMissing."""
    drawn: list[Path] = []
    pages = list(deck(script))
    folder = context.scratch / "slides"
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    async with timer.running("slides", "draws"):
        async for picture in paint(pages, LOOKS[style], folder):
            drawn.append(picture)
            await timer.report("slides", len(drawn) / len(pages), f"{len(drawn)} of {len(pages)} drawn")
    return drawn


async def film(
    pictures: list[Path], narration: Narration, captions: Path, script: Script, context: Context, timer: Timer
) -> list[Made]:
    """The film, with captions as a text track, and a picture to stand for it. Raises: EngineMissing, EngineFault."""
    output, poster = context.scratch / "video.mp4", context.scratch / "video.jpg"
    ffmpeg = await asyncio.to_thread(find_ffmpeg, context.settings.ffmpeg)
    await timer.report("video", 0.0, "waits for its turn")
    async with context.service(FilmLab).turn, timer.running("video", "encodes"):
        async with _reporting(timer, narration.duration) as progress:
            await slideshow(
                ffmpeg.path, shots(pictures, narration), narration.path, output,
                captions=captions, tags={"title": script.title}, progress=progress,
            )  # fmt: skip
        await asyncio.to_thread(make_poster, pictures[0], poster)
    facts = {"duration": narration.duration}
    return [Made("film", output, "video/mp4", facts), Made("poster", poster, "image/jpeg")]


@contextlib.asynccontextmanager
async def _reporting(timer: Timer, duration: float) -> AsyncIterator[Callable[[float], None]]:
    """A callback that takes down how many seconds are encoded; how far that is, is reported beside the work."""
    reached = 0.0

    def take_down(seconds: float) -> None:
        nonlocal reached
        reached = seconds

    async def report() -> None:
        while True:
            await timer.report("video", reached / duration, f"{reached:.0f} of {duration:.0f} s encoded")
            await asyncio.sleep(REPORT_SECONDS)

    reporter = asyncio.create_task(report(), name="report on a film")
    try:
        yield take_down
    finally:
        reporter.cancel()
        await asyncio.gather(reporter, return_exceptions=True)
