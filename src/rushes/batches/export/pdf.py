"""PDF: all summaries as one printed document, with contents, bookmarks, page numbers and links into the videos.

It is assembled in memory before it is written, about 35 kB for each summary; every other format holds one item at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

from rushes.batches.export import html, words
from rushes.batches.export.page import Essay, Page, Section, page
from rushes.batches.export.sheet import Sheet
from rushes.batches.export.telling import Told
from rushes.batches.export.values import ExportedBatch, ExportedItem, RejectedLine, Rejection
from rushes.batches.export.writer import Writer
from rushes.shortening import shortened

if TYPE_CHECKING:
    from fpdf import FPDF
    from fpdf.outline import OutlineSection

_ROWS = 36
"""Lines of the table of contents on one page."""
_STILL = 48.0
"""Width of an item's picture in millimetres."""


class PdfExport(Writer):
    """All summaries. Where an item has none, its transcript, or why it has nothing."""

    def __init__(self, batch: ExportedBatch, out: BinaryIO) -> None:
        super().__init__(batch, out)
        name = shortened(words.clean(batch.name))
        self._sheet = Sheet(name, batch.created_at)
        self._states: list[tuple[int, str, str]] = []
        self._begin(name)

    def add(self, item: ExportedItem) -> None:
        shown = page(item, item.documents.load())
        self._states.append((shown.position, shown.title, shown.state))
        self._sheet.keep(math.inf if shown.summarized or shown.transcript or shown.script else 45)
        self._sheet.pdf.start_section(_bookmark(f"{shown.position}. {shown.title}"))
        _item(self._sheet, shown)

    def finish(self) -> None:
        for heading, rejection in (("Invalid lines", Rejection.INVALID), ("Duplicate lines", Rejection.DUPLICATE)):
            _rejected(self._sheet, heading, self.batch.rejected(rejection))
        self.out.write(self._sheet.pdf.output())

    def close(self) -> None:
        self._sheet.close()

    def _begin(self, name: str) -> None:
        """The cover lines and the contents, whose pages are reserved and filled at the end."""
        sheet = self._sheet
        sheet.pdf.add_page()
        sheet.title(name, size=24)
        sheet.gap(2)
        facts = (words.counted(self.batch.total, "video"), self.batch.pipeline, f"batch {self.batch.status}")
        sheet.soft(" · ".join((*facts, f"{self.batch.created_at:%Y-%m-%d}")))
        sheet.gap(8)
        self._reserved = max(math.ceil(self.batch.total / _ROWS), 1)
        sheet.pdf.insert_toc_placeholder(self._contents, pages=self._reserved)

    def _contents(self, pdf: FPDF, outline: list[OutlineSection]) -> None:
        """Fill exactly the reserved pages; items that came too late for them are still among the bookmarks."""
        starts = [section.page_number for section in outline if section.level == 0]
        rows = list(zip(starts, self._states, strict=True))
        for number in range(self._reserved):
            if number:
                pdf.add_page()
            for start, (position, title, state) in rows[number * _ROWS : (number + 1) * _ROWS]:
                columns = ((str(position), 12.0), (title, 118.0), (state, 26.0), (str(start), 14.0))
                self._sheet.row(columns, link=pdf.add_link(page=start))


def _item(sheet: Sheet, shown: Page) -> None:
    _header(sheet, shown)
    if shown.because:
        sheet.gap(3)
        sheet.text(f"{shown.state.capitalize()}: {shown.because}", style="B")
    if shown.remedy:
        sheet.text(shown.remedy)
    for text in shown.overview:
        sheet.gap(2)
        sheet.text(text, size=11.5)
    if shown.essay:
        _essay(sheet, shown.essay)
    if shown.points:
        sheet.heading("Key points")
    for point in shown.points:
        sheet.timed(point.moment, point.text)
    _chapters(sheet, shown.sections)
    if shown.topics:
        sheet.heading("Topics")
        sheet.text(" · ".join(shown.topics))
    if shown.script:
        _script(sheet, shown.script)
    if not shown.summarized:
        _transcript(sheet, shown)
    _made(sheet, shown)


def _header(sheet: Sheet, shown: Page) -> None:
    kind = html.picture_type(shown.thumbnail) if shown.thumbnail else None
    height = _STILL * 9 / 16 + 3 if shown.thumbnail and kind else 0
    with sheet.aside(height):
        top = sheet.pdf.get_y()
        pictured = bool(shown.thumbnail and kind and sheet.picture(shown.thumbnail, width=_STILL))
        sheet.pdf.set_y(top)
        room = _STILL + 6 if pictured else 0
        sheet.soft(" · ".join((f"No. {shown.position}", *shown.byline)), room=room)
        sheet.title(shown.title, size=20 if shown.summarized or shown.transcript or shown.script else 13, room=room)
        if shown.deck:
            sheet.text(shown.deck, size=11.5, room=room)
        if shown.link:
            sheet.soft(shown.link, link=shown.link, room=room)
        elif shown.given != shown.title:
            sheet.soft(shown.given, room=room)


def _essay(sheet: Sheet, essay: Essay) -> None:
    sheet.gap(4)
    sheet.text(essay.title, size=14, style="B")
    for heading, texts in essay.parts:
        sheet.heading(heading)
        _paragraphs(sheet, texts)
    for heading, texts in (("Technologies and services", essay.technologies), ("How it was done", essay.steps)):
        if texts:
            sheet.heading(heading)
            _paragraphs(sheet, (f"{number}. {text}" for number, text in enumerate(texts, start=1)))
    for label, text, link in essay.addresses:
        sheet.soft(f"{label}: {text}", link=link)
    if essay.answers:
        sheet.heading("Questions and answers")
    for each in essay.answers:
        sheet.text(each.question, style="B")
        _paragraphs(sheet, (each.answer,))


def _chapters(sheet: Sheet, sections: tuple[Section, ...]) -> None:
    if sections:
        sheet.heading("Chapters")
    for section in sections:
        sheet.keep(10)
        sheet.pdf.start_section(_bookmark(f"{section.moment.clock} {section.title}"), level=1)
        sheet.timed(section.moment, section.title, style="B")
        for point in section.points:
            sheet.text(f"• {point}", indent=18)


def _script(sheet: Sheet, told: Told) -> None:
    sheet.heading("Script")
    if told.hook:
        sheet.text(told.hook, size=11.5)
    for part in told.parts:
        sheet.gap(2)
        sheet.keep(14)
        sheet.text(f"{part.clock} {part.title}".strip(), style="B")
        sheet.text(part.said)
    if told.takeaways:
        sheet.heading("To take away")
        _paragraphs(sheet, (f"• {text}" for text in told.takeaways))


def _transcript(sheet: Sheet, shown: Page) -> None:
    if shown.transcript:
        sheet.heading("Transcript")
    for passage in shown.transcript:
        if passage.heading:
            sheet.text(passage.heading, style="B", indent=18)
        sheet.timed(passage.moment, passage.text)


def _made(sheet: Sheet, shown: Page) -> None:
    missing = "; ".join(f"{number} {script}" for script, number in sheet.lacks().items())
    notes = (
        [*shown.notes, f"This PDF's font lacks some characters, shown as \ufffd: {missing}."]
        if missing
        else shown.notes
    )
    if shown.made or notes:
        sheet.heading("How this was made")
        for each in shown.made:
            sheet.soft(f"{each.stage}: {each.how}")
        for note in notes:
            sheet.soft(note)
    sheet.gap(8)


def _rejected(sheet: Sheet, heading: str, lines: list[RejectedLine]) -> None:
    if lines:
        sheet.heading(heading)
    for line in lines:
        given = shortened(words.clean(line.given))
        sheet.text(f"{words.place(line)}: {given}", size=9.5)
        sheet.soft(words.clean(line.reason))


def _paragraphs(sheet: Sheet, texts: Iterable[str]) -> None:
    for text in texts:
        sheet.text(text)
        sheet.gap(1)


def _bookmark(text: str) -> str:
    """Bookmarks are drawn by the reader's own fonts: they keep every script."""
    return shortened(text, 120)
