"""Exports to be read as one document: Markdown, HTML, and plain text of the transcripts.

The table of contents stands first but is known last, so the items wait in a temporary file, which moves to disk when
it grows.
"""

from __future__ import annotations

import shutil
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from rushes.batches.export import html, markdown, words
from rushes.batches.export.page import Page, page, title_of
from rushes.batches.export.values import ExportedBatch, ExportedItem
from rushes.batches.export.writer import Writer
from rushes.media import captions
from rushes.shortening import shortened

_IN_MEMORY = 4_000_000


class MarkdownExport(Writer):
    """All summaries, behind a table of contents that names every item."""

    def __init__(self, batch: ExportedBatch, out: BinaryIO) -> None:
        super().__init__(batch, out)
        out.write(markdown.head_markdown(batch).encode() + b"\n")
        self._bodies = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (closed by close)

    def add(self, item: ExportedItem) -> None:
        shown = page(item, item.documents.load())
        self.out.write(markdown.contents_markdown(shown).encode())
        anchor = f'\n<a id="video-{shown.position}"></a>\n\n'
        self._bodies.write((anchor + markdown.page_markdown(shown, level=2)).encode())

    def finish(self) -> None:
        rejected = markdown.rejected_markdown(self.batch)
        self.out.write(f"\n{rejected}".encode() if rejected else b"")
        self._bodies.seek(0)
        shutil.copyfileobj(self._bodies, self.out)

    def close(self) -> None:
        self._bodies.close()


class HtmlExport(Writer):
    """All summaries as one self-contained page."""

    def __init__(self, batch: ExportedBatch, out: BinaryIO) -> None:
        super().__init__(batch, out)
        head, self._foot = html.document_ends(batch)
        out.write(head.encode())
        self._contents: list[Page] = []
        self._bodies = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (closed by close)

    def add(self, item: ExportedItem) -> None:
        shown = page(item, item.documents.load())
        self._bodies.write(html.document_article(shown).encode())
        self._contents.append(Page(shown.position, shown.title, shown.state, shown.given, because=shown.because))

    def finish(self) -> None:
        self.out.write(html.document_contents(self.batch, self._contents).encode())
        self._bodies.seek(0)
        shutil.copyfileobj(self._bodies, self.out)
        self.out.write(self._foot.encode())

    def close(self) -> None:
        self._bodies.close()


class TextExport(Writer):
    """All transcripts, or a service's answers, as plain text, each under its title; an item without says why."""

    def add(self, item: ExportedItem) -> None:
        loaded = item.documents.load()
        title = f"{item.position}. {title_of(item, loaded)}"
        said = loaded.answer.text if loaded.answer else ""
        text = (captions.to_txt(loaded.transcript) if loaded.transcript else said).strip()
        reason = words.because(item)
        missing = f"({words.state(item)}{f': {reason}' if reason else ''})"
        self.out.write(f"{title}\n{'=' * min(len(title), 80)}\n\n{text or missing}\n\n\n".encode())

    def finish(self) -> None:
        for line in self.batch.lines:
            given = shortened(words.clean(line.given))
            self.out.write(f"{line.rejection}: {words.place(line)}: {given} ({words.clean(line.reason)})\n".encode())
