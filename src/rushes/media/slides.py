"""Slides drawn by Pillow in the packaged typeface.

A slide is a title slide or a heading with points. Whatever its text, it stays on the slide: letters get smaller, words
that are wider than a line are cut, and what is too much for the smallest letters ends in an ellipsis. Characters that the
typeface lacks are left out: it would draw boxes.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rushes.media.fonts import packaged_font, packaged_letters

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

SIZE = (1280, 720)
MARGIN = 112
PAPER, INK, FAINT = "#FBFAF7", "#1C2230", "#6B7280"
_WIDTH = SIZE[0] - 2 * MARGIN
_LINE = 1.28
"""Distance of lines in font sizes."""
_SMALLER = 0.88
"""From one size that is tried to the next."""
_BULLET = 48
_TITLE_HEIGHT, _SUBTITLE_HEIGHT, _HEADING_HEIGHT = 360, 110, 170
_HEADING_TOP, _FOOT = 104, SIZE[1] - 80
_ELLIPSIS = "…"
_MOST = 4_000
"""Characters of a text that are looked at: a slide full of the narrowest letters in the smallest size has fewer."""


@dataclass(frozen=True, slots=True)
class Look:
    """Colours, such as `#2F7FD1`, and the typeface's weight in headings, 100 to 900."""

    accent: str
    paper: str = PAPER
    ink: str = INK
    faint: str = FAINT
    cover: str | None = None
    """The title slide's ground; by default the accent."""
    cover_ink: str | None = None
    """What is written on it; by default in the paper's colour."""
    weight: int = 700


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
class _Block:
    """A text set in a size that fits."""

    font: FreeTypeFont
    lines: tuple[str, ...]

    @property
    def height(self) -> int:
        return round(len(self.lines) * self.font.size * _LINE)

    def write(self, pen: ImageDraw, left: int, top: int, colour: str) -> int:
        """Write the lines downwards; return where the next thing may begin."""
        for number, line in enumerate(self.lines):
            pen.text((left, top + round(number * self.font.size * _LINE)), line, font=self.font, fill=colour)
        return top + self.height


def draw(slide: Slide, look: Look) -> Image:
    """Draw one slide, 1280 by 720. Raises: EngineMissing (no font)."""
    from PIL import Image, ImageDraw

    slide = Slide(_known(slide.title), tuple(map(_known, slide.points)), _known(slide.subtitle), _known(slide.place))
    picture = Image.new("RGB", SIZE, look.paper if slide.points else look.cover or look.accent)
    pen = ImageDraw.Draw(picture)
    if slide.points:
        _draw_points(pen, slide, look)
    else:
        _draw_title(pen, slide, look)
    return picture


def _known(text: str) -> str:
    composed = unicodedata.normalize("NFC", text[:_MOST])
    return "".join(char for char in composed if ord(char) in packaged_letters() or char.isspace())


def _draw_title(pen: ImageDraw, slide: Slide, look: Look) -> None:
    title = _fit(slide.title, (84, 40), look.weight, _WIDTH, _TITLE_HEIGHT)
    subtitle = _fit(slide.subtitle, (36, 26), 400, _WIDTH, _SUBTITLE_HEIGHT)
    ink = look.cover_ink or look.paper
    top = (SIZE[1] - title.height - 44 - subtitle.height) // 2
    pen.rectangle((MARGIN, top - 56, MARGIN + 96, top - 48), fill=ink if look.cover is None else look.accent)
    bottom = title.write(pen, MARGIN, top, ink)
    subtitle.write(pen, MARGIN, bottom + 36, ink)


def _draw_points(pen: ImageDraw, slide: Slide, look: Look) -> None:
    pen.rectangle((0, 0, 20, SIZE[1]), fill=look.accent)
    heading = _fit(slide.title, (60, 36), look.weight, _WIDTH, _HEADING_HEIGHT)
    bottom = heading.write(pen, MARGIN, _HEADING_TOP, look.ink) + 52
    for block in _fit_points(slide.points, _FOOT - 40 - bottom):
        size = block.font.size
        middle, half = bottom + size * 0.6, size * 0.175
        pen.ellipse((MARGIN, middle - half, MARGIN + 2 * half, middle + half), fill=look.accent)
        bottom = block.write(pen, MARGIN + _BULLET, bottom, look.ink) + _gap(block)
    foot = _font(24, 400)
    place = foot.getlength(slide.place)
    subtitle = _cut(slide.subtitle, foot, _WIDTH - place - 40)
    pen.text((MARGIN, _FOOT), subtitle, font=foot, fill=look.faint)
    pen.text((SIZE[0] - MARGIN, _FOOT), slide.place, font=foot, fill=look.faint, anchor="ra")


def _fit_points(points: Sequence[str], height: int) -> list[_Block]:
    """All points in the largest letters in which they fit; what does not fit in the smallest is left out at the end."""
    for size in _sizes(40, 22):
        font = _font(size, 400)
        blocks = [_Block(font, tuple(_wrap(point, font, _WIDTH - _BULLET))) for point in points]
        if _height(blocks) <= height:
            return blocks
    while len(blocks) > 1 and _height(blocks) > height:
        blocks.pop()
    return [_fit(" ".join(blocks[0].lines), (22, 22), 400, _WIDTH - _BULLET, height)] if len(blocks) == 1 else blocks


def _height(blocks: Sequence[_Block]) -> int:
    return sum(block.height + _gap(block) for block in blocks)


def _gap(block: _Block) -> int:
    return round(block.font.size * 0.7)


def _fit(text: str, sizes: tuple[int, int], weight: int, width: int, height: int) -> _Block:
    """The text in the largest letters, between two sizes, in which it fits; cut where it does not fit in the smallest."""
    for size in _sizes(*sizes):
        font = _font(size, weight)
        block = _Block(font, tuple(_wrap(text, font, width)))
        if block.height <= height:
            return block
    lines = block.lines[: max(1, int(height / (font.size * _LINE)))]
    return _Block(font, (*lines[:-1], _cut(lines[-1] + _ELLIPSIS * 2, font, width)))


def _sizes(largest: int, smallest: int) -> Iterator[int]:
    size = largest
    while size > smallest:
        yield size
        size = round(size * _SMALLER)
    yield smallest


def _font(size: int, weight: int) -> FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.truetype(str(packaged_font().path), size)
    wanted = {b"Weight": weight, b"Width": 100}
    font.set_variation_by_axes([float(wanted[axis["name"] or b""]) for axis in font.get_variation_axes()])
    return font


def _wrap(text: str, font: FreeTypeFont, width: float) -> list[str]:
    """Break a text into lines no wider than `width` pixels."""
    lines: list[str] = []
    for part in (part for word in text.split() for part in _pieces(word, font, width)):
        if lines and font.getlength(f"{lines[-1]} {part}") <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return lines


def _pieces(word: str, font: FreeTypeFont, width: float) -> Iterator[str]:
    """The word, cut where it is wider than a line."""
    while font.getlength(word) > width:
        count = max(1, _fitting(word, font, width))
        yield word[:count]
        word = word[count:]
    yield word


def _cut(text: str, font: FreeTypeFont, width: float) -> str:
    """One line, ended by an ellipsis where it is too long."""
    if font.getlength(text) <= width:
        return text
    return text[: _fitting(text, font, width, _ELLIPSIS)].rstrip(f" {_ELLIPSIS}") + _ELLIPSIS


def _fitting(text: str, font: FreeTypeFont, width: float, end: str = "") -> int:
    """How many of its first characters are no wider than `width` pixels, with `end` after them."""
    return bisect_right(range(1, len(text) + 1), width, key=lambda count: font.getlength(text[:count] + end))
