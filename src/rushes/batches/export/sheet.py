"""A4 sheets in the packaged font: the few ways in which a PDF here sets text, over fpdf2.

The font has Latin, Greek and Cyrillic letters. What it lacks is shown as � and remembered by script, for the page to
say so.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rushes.batches.export.page import Moment
from rushes.errors import UsageError
from rushes.media.fonts import packaged_font

if TYPE_CHECKING:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

_LINE = 1.45
"""Line height by font size."""
_MILLIMETRES = 25.4 / 72
_MARGIN = 20.0
_INK = (29, 28, 26)
_SOFT = (95, 91, 85)
_ACCENT = (11, 90, 99)
_PAGES = "{pages}"
"""Stands for the number of pages until it is known, and is as wide as any."""
_UNKNOWN = "\ufffd"


class Sheet:
    """A PDF being set, from the top left of its first page."""

    def __init__(self, title: str, made: datetime) -> None:
        self.pdf = _document(title)
        self.pdf.set_creation_date(made)
        self.pdf.set_title(title)
        self._has = _letters(self.pdf)
        self._lacks: dict[str, int] = {}

    def close(self) -> None:
        for font in _truetype(self.pdf):
            font.ttfont.close()

    def lacks(self) -> dict[str, int]:
        """Scripts that the font lacks and how many of their characters were met, since it was last asked."""
        lacks, self._lacks = self._lacks, {}
        return lacks

    def title(self, text: str, *, size: float, room: float = 0) -> None:
        self.text(text, size=size, style="B", line=1.2, room=room)

    def heading(self, text: str) -> None:
        self.gap(5)
        self.keep(24)
        self.text(text.upper(), size=8.5, style="B", colour=_SOFT)
        self.gap(1)

    def text(
        self,
        text: str,
        *,
        size: float = 10.5,
        style: str = "",
        colour: tuple[int, int, int] = _INK,
        link: str | None = None,
        line: float = _LINE,
        indent: float = 0,
        room: float = 0,
    ) -> None:
        """Set a paragraph, `indent` in from the left margin and `room` from the right."""
        self.pdf.set_font("roboto", style, size)
        self.pdf.set_text_color(*colour)
        self.pdf.set_x(_MARGIN + indent)
        self.pdf.multi_cell(
            self.pdf.epw - indent - room,
            size * _MILLIMETRES * line,
            self.known(text),
            align="L",
            link=link,
            new_x="LMARGIN",
            new_y="NEXT",
        )

    def soft(self, text: str, *, size: float = 9, link: str | None = None, room: float = 0) -> None:
        self.text(text, size=size, colour=_ACCENT if link else _SOFT, link=link, room=room)

    def timed(self, moment: Moment, text: str, *, style: str = "") -> None:
        """Set a line with its time, linked into the video, in a column of its own."""
        height = 10.5 * _MILLIMETRES * _LINE
        self.keep(height * 2)
        self.pdf.set_font("roboto", "", 9.5)
        self.pdf.set_text_color(*_ACCENT)
        self.pdf.set_x(_MARGIN)
        self.pdf.cell(18, height, moment.clock, link=moment.link or "", new_x="LMARGIN", new_y="TOP")
        self.text(text, style=style, indent=18)
        self.gap(0.8)

    def row(self, columns: tuple[tuple[str, float], ...], *, link: int | None = None) -> None:
        """Set one line of a table, each cell (text, width in millimetres) cut to its width."""
        self.pdf.set_font("roboto", "", 9.5)
        self.pdf.set_text_color(*_INK)
        self.pdf.set_x(_MARGIN)
        for text, width in columns:
            self.pdf.cell(width, 6, self._fitting(self.known(text), width - 2), link=link or "")
        self.pdf.ln(6)

    def picture(self, picture: bytes, *, width: float) -> bool:
        """Set a picture at the right margin, without moving on. False: it is none that can be shown."""
        from PIL import UnidentifiedImageError
        from PIL.Image import DecompressionBombError

        try:
            self.pdf.image(picture, x=_MARGIN + self.pdf.epw - width, w=width, h=width * 9 / 16, keep_aspect_ratio=True)
        except (UnidentifiedImageError, DecompressionBombError, OSError, ValueError):
            return False
        return True

    @contextmanager
    def aside(self, height: float) -> Iterator[None]:
        """What is set within goes on from here; afterwards the page goes on below, at least `height` further down."""
        self.keep(height)
        page, bottom = self.pdf.page, self.pdf.get_y() + height
        yield
        if self.pdf.page == page:
            self.pdf.set_y(max(self.pdf.get_y(), bottom))

    def gap(self, millimetres: float) -> None:
        self.pdf.ln(millimetres)

    def keep(self, millimetres: float) -> None:
        """Begin a new page, if this one has less left than that and has anything on it."""
        if self.pdf.will_page_break(millimetres) and self.pdf.get_y() > self.pdf.t_margin:
            self.pdf.add_page()

    def known(self, text: str) -> str:
        """The text in letters that the font has; a run of others becomes one �."""
        shown: list[str] = []
        for char in unicodedata.normalize("NFC", text):
            if ord(char) in self._has:
                shown.append(char)
            elif unicodedata.category(char)[0] == "Z":
                shown.append(" ")
            elif unicodedata.category(char) not in {"Cf", "Mn"}:
                script = _script(char)
                self._lacks[script] = self._lacks.get(script, 0) + 1
                if shown[-1:] != [_UNKNOWN]:
                    shown.append(_UNKNOWN)
        return "".join(shown)

    def _fitting(self, text: str, width: float) -> str:
        if self.pdf.get_string_width(text) <= width:
            return text
        while text and self.pdf.get_string_width(text + "…") > width:
            text = text[:-1]
        return text.rstrip() + "…"


@cache
def _script(char: str) -> str:
    """What a reader would call the character's script, by its Unicode name: `Arabic`, `Hangul`, `CJK`."""
    first = unicodedata.name(char, "unnamed").split()[0].split("-")[0]
    if unicodedata.category(char)[0] == "S":
        return "symbols"
    return "Chinese" if first == "CJK" else first.capitalize()


def _document(title: str) -> FPDF:
    """An empty document with fonts, margins, and the page's number at its foot."""
    try:
        from fpdf import FPDF
    except ImportError as error:
        raise UsageError(
            "PDF needs the package fpdf2, which is not installed.",
            remedy="Install it with `pip install 'rushes[video]'`.",
        ) from error

    class Numbered(FPDF):
        def footer(self) -> None:
            self.set_y(-14)
            self.set_font("roboto", "", 8)
            self.set_text_color(*_SOFT)
            self.cell(0, 5, f"{shown}   {self.page_no()} / {_PAGES}", align="C")

    pdf = Numbered(format="A4")
    with TemporaryDirectory() as folder:  # fpdf2 reads fonts from files, and keeps them open
        for style, weight in (("", 400), ("B", 600)):
            cut = Path(folder, f"roboto-{weight}.ttf")
            cut.write_bytes(_weight(weight))
            pdf.add_font("roboto", style, cut)
    letters = _letters(pdf)
    shown = "".join(char for char in title if ord(char) in letters)[:80]
    pdf.set_margins(_MARGIN, 20)
    pdf.c_margin = 0
    pdf.alias_nb_pages(_PAGES)
    pdf.set_auto_page_break(auto=True, margin=20)
    return pdf


@cache
def _weight(weight: int) -> bytes:
    """The packaged variable font at one weight. Kerning is dropped first: nothing here uses it, and it takes seconds."""
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    with TTFont(packaged_font().path) as font:
        for table in ("GPOS", "GSUB", "GDEF"):
            del font[table]
        cut = io.BytesIO()
        instantiateVariableFont(font, {"wght": weight, "wdth": 100}).save(cut)
        return cut.getvalue()


def _truetype(pdf: FPDF) -> list[TTFFont]:
    from fpdf.fonts import TTFFont

    return [font for font in pdf.fonts.values() if isinstance(font, TTFFont)]


def _letters(pdf: FPDF) -> frozenset[int]:
    """What every weight of the font has."""
    return frozenset.intersection(*(frozenset(font.cmap) for font in _truetype(pdf)))
