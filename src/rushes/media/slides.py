"""Slides drawn by Pillow in the packaged typeface, and slideshows: pictures shown for given times under a sound track.

A slide is a title slide or a heading with points; one accent colour per talk. Pictures stand still, so a slideshow has
few frames a second and is encoded many times faster than it plays.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.media.containers import input_arguments
from rushes.media.ffmpeg import run_ffmpeg
from rushes.media.fonts import packaged_font

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

SIZE = (1280, 720)
MARGIN = 112
FRAME_RATE = 2
"""Frames a second: a slide changes at the right word, and a minute is encoded in less than one second."""
KEY_FRAMES = 20
"""Frames between two that a player can jump to."""
PAPER, INK, FAINT = "#FBFAF7", "#1C2230", "#6B7280"
_LINE = 1.28
"""Distance of lines in font sizes."""


@dataclass(frozen=True, slots=True)
class Slide:
    """What stands on one slide. Without points it is a title slide."""

    title: str
    points: tuple[str, ...] = ()
    subtitle: str = ""
    """Under the title of a title slide, small at the foot of any other."""
    place: str = ""
    """Which one of how many, at the foot."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture and how many seconds it is shown."""

    picture: Path
    seconds: float


def draw(slide: Slide, accent: str) -> Image:
    """Draw one slide, 1280 by 720. `accent` is a colour such as `#2F7FD1`. Raises: EngineMissing (no font)."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", SIZE, PAPER if slide.points else accent)
    pen = ImageDraw.Draw(picture)
    if slide.points:
        _draw_points(pen, slide, accent)
    else:
        _draw_title(pen, slide)
    return picture


def _draw_title(pen: ImageDraw, slide: Slide) -> None:
    big, small = _font(84, 700), _font(36, 400)
    width = SIZE[0] - 2 * MARGIN
    title, subtitle = _wrap(slide.title, big, width), _wrap(slide.subtitle, small, width)
    height = _height(title, big) + 44 + _height(subtitle, small)
    top = (SIZE[1] - height) // 2
    pen.rectangle((MARGIN, top - 56, MARGIN + 96, top - 48), fill=PAPER)
    bottom = _write(pen, title, (MARGIN, top), big, PAPER)
    _write(pen, subtitle, (MARGIN, bottom + 36), small, PAPER)


def _draw_points(pen: ImageDraw, slide: Slide, accent: str) -> None:
    heading, body, foot = _font(60, 700), _font(40, 400), _font(24, 400)
    width = SIZE[0] - 2 * MARGIN
    pen.rectangle((0, 0, 20, SIZE[1]), fill=accent)
    bottom = _write(pen, _wrap(slide.title, heading, width), (MARGIN, 104), heading, INK) + 52
    for point in slide.points:
        pen.ellipse((MARGIN, bottom + 17, MARGIN + 14, bottom + 31), fill=accent)
        bottom = _write(pen, _wrap(point, body, width - 48), (MARGIN + 48, bottom), body, INK) + 28
    pen.text((MARGIN, SIZE[1] - 80), slide.subtitle, font=foot, fill=FAINT)
    pen.text((SIZE[0] - MARGIN, SIZE[1] - 80), slide.place, font=foot, fill=FAINT, anchor="ra")


def _font(size: int, weight: int) -> FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.truetype(str(packaged_font().path), size)
    wanted = {b"Weight": weight, b"Width": 100}
    font.set_variation_by_axes([float(wanted[axis["name"] or b""]) for axis in font.get_variation_axes()])
    return font


def _wrap(text: str, font: FreeTypeFont, width: int) -> list[str]:
    """Break a text into lines no wider than `width` pixels; a single word may be wider."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _height(lines: Sequence[str], font: FreeTypeFont) -> int:
    return round(len(lines) * font.size * _LINE)


def _write(pen: ImageDraw, lines: Sequence[str], at: tuple[int, int], font: FreeTypeFont, colour: str) -> int:
    """Write lines from `at` downwards; return where the next thing may begin."""
    left, top = at
    for number, line in enumerate(lines):
        pen.text((left, top + _height(lines[:number], font)), line, font=font, fill=colour)
    return top + _height(lines, font)


async def slideshow(
    ffmpeg: Path, shots: Sequence[Shot], sound: Path, output: Path, *, tags: dict[str, str] | None = None
) -> None:
    """Show `shots` one after the other under `sound` and write an MP4 that players can start before they have it all.

    Raises:
        EngineFault: FFmpeg failed.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".ffconcat", encoding="utf-8") as script:
        script.writelines(_script(shots))
        script.flush()
        length = sum(shot.seconds for shot in shots)
        arguments = ["-f", "concat", "-safe", "0", "-i", f"file:{script.name}", *input_arguments(sound)]
        arguments += ["-map", "0:v", "-map", "1:a", "-t", f"{length:.3f}"]
        arguments += ["-vf", f"format=yuv420p,fps={FRAME_RATE}", "-g", str(KEY_FRAMES)]
        arguments += ["-c:v", "libx264", "-preset", "superfast", "-tune", "stillimage", "-crf", "24"]
        arguments += ["-c:a", "aac", "-aac_coder", "fast", "-b:a", "96k", "-movflags", "+faststart"]
        for name, value in (tags or {}).items():
            arguments += ["-metadata", f"{name}={value}"]
        await run_ffmpeg(ffmpeg, arguments, output)


def _script(shots: Sequence[Shot]) -> Iterator[str]:
    """FFmpeg's list of pictures. It ignores the duration of the last entry, so that one stands there twice."""
    yield "ffconcat version 1.0\n"
    for shot in shots:
        yield f"file {_quoted(shot.picture)}\nduration {shot.seconds:.3f}\n"
    yield f"file {_quoted(shots[-1].picture)}\n"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
