"""The formats of `rushes batch export`, and the one way to write any of them.

Items come from the database as they are read and go out as they are written; what takes long runs in a thread, so a
server goes on answering. It works at any time: items that have not ended are listed with their status.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from contextlib import closing
from enum import StrEnum
from typing import BinaryIO

from rushes.batches.export.names import NameTemplate, slug
from rushes.batches.export.values import ExportedBatch, ExportedItem
from rushes.batches.export.writer import Writer


class Format(StrEnum):
    """What a batch can be exported as."""

    ZIP = "zip"
    """The results folder."""
    MARKDOWN = "md"
    HTML = "html"
    PDF = "pdf"
    JSON = "json"
    JSON_LINES = "jsonl"
    CSV = "csv"
    TEXT = "txt"
    """All transcripts."""
    SRT = "srt"
    """A file of captions; a ZIP of them where the batch has several items."""
    VTT = "vtt"


def file_name(form: Format, batch: ExportedBatch) -> str:
    """What the export's file is best called, such as `talks-of-may.zip`."""
    zipped = form in {Format.SRT, Format.VTT} and not batch.single
    return f"{slug(batch.name, 60) or f'batch-{batch.id}'}.{f'{form}.zip' if zipped else form}"


async def write_export(
    form: Format,
    batch: ExportedBatch,
    items: AsyncIterable[ExportedItem],
    out: BinaryIO,
    *,
    template: NameTemplate | None = None,
) -> None:
    """Write the batch to a binary file, which need not be seekable. `template` names the members of archives.

    Raises: OSError, where the output refuses; UsageError, where the format has nothing to hold or needs an extra. What
    was written before is then no whole export.
    """
    with closing(await asyncio.to_thread(_writer, form, batch, out, template)) as writer:
        async for item in items:
            await asyncio.to_thread(writer.add, item)
        await asyncio.to_thread(writer.finish)


def _writer(form: Format, batch: ExportedBatch, out: BinaryIO, template: NameTemplate | None) -> Writer:
    from rushes.batches.export import archive, pdf, reading, tables

    if form is Format.ZIP:
        return archive.FolderArchive(batch, out, template)
    if form in {Format.SRT, Format.VTT}:
        return archive.captions_export(form, batch, out, template)
    writers: dict[Format, type[Writer]] = {
        Format.MARKDOWN: reading.MarkdownExport,
        Format.HTML: reading.HtmlExport,
        Format.PDF: pdf.PdfExport,
        Format.JSON: tables.JsonExport,
        Format.JSON_LINES: tables.JsonLinesExport,
        Format.CSV: tables.CsvExport,
        Format.TEXT: reading.TextExport,
    }
    return writers[form](batch, out)
