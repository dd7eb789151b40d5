"""Exports for programs: JSON, JSON lines, and CSV for spreadsheets.

JSON lines and CSV have one line for each item, then one for each line of the input that became none, so nothing
vanishes. CSV is UTF-8 with a byte order mark (without it spreadsheets garble every accent) and every cell is quoted
and, where it would start a formula, marked as text by an apostrophe (OWASP, CSV injection).
"""

from __future__ import annotations

import codecs
import csv
import io
from typing import Any, BinaryIO

from rushes.batches.export import records, words
from rushes.batches.export.page import Page, page
from rushes.batches.export.values import ExportedBatch, ExportedItem, Loaded, RejectedLine
from rushes.batches.export.writer import Writer

COLUMNS = (
    *("position", "status", "title", "url", "given", "origin", "key", "reference", "uploader", "published"),
    *("duration", "language", "words", "overview", "key_points", "chapters", "topics", "answer"),
    *("reason", "remedy", "error_class", "engines", "work_seconds", "cost", "notes"),
)
_FORMULA = ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}")
_FORMULA_TOO = ("\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}", "\t", "\r", "\n")


class JsonExport(Writer):
    """One JSON object: the batch, its counts, the items with their documents, and the rejected lines."""

    def __init__(self, batch: ExportedBatch, out: BinaryIO) -> None:
        super().__init__(batch, out)
        head = {"format": records.FORMAT, "batch": records.batch_record(batch), "counts": dict(batch.counts)}
        out.write(records.encode(head).removesuffix(b"\n}\n") + b',\n "items": [')
        self._between = b"\n"

    def add(self, item: ExportedItem) -> None:
        record = records.full_record(item, item.documents.load())
        self.out.write(self._between + records.encode(record, indent=None).rstrip())
        self._between = b",\n"

    def finish(self) -> None:
        rest = records.manifest(self.batch, ())
        lines = {name: rest[name] for name in ("invalid", "duplicates")}
        self.out.write(b"\n ],\n" + records.encode(lines).removeprefix(b"{\n"))


class JsonLinesExport(Writer):
    """One JSON object on each line: items, then rejected lines, which have no position and their kind as status."""

    def add(self, item: ExportedItem) -> None:
        self.out.write(records.encode(records.full_record(item, item.documents.load()), indent=None))

    def finish(self) -> None:
        for line in self.batch.lines:
            record = {"position": None, "status": line.rejection.value, **records.line_record(line)}
            self.out.write(records.encode(record, indent=None))


class CsvExport(Writer):
    """A spreadsheet: one row for each item with its summary, then the rejected lines."""

    def __init__(self, batch: ExportedBatch, out: BinaryIO) -> None:
        super().__init__(batch, out)
        out.write(codecs.BOM_UTF8)
        self._row(dict(zip(COLUMNS, COLUMNS, strict=True)))

    def add(self, item: ExportedItem) -> None:
        self._row(_cells(item, item.documents.load()))

    def finish(self) -> None:
        for line in self.batch.lines:
            self._row(_rejected(line))

    def _row(self, cells: dict[str, Any]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(
            [_cell(cells.get(column)) for column in COLUMNS]
        )
        self.out.write(text.getvalue().encode())


def _cell(value: object) -> str:
    """The value as a spreadsheet may safely show it."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA + _FORMULA_TOO) else text


def _cells(item: ExportedItem, loaded: Loaded) -> dict[str, Any]:
    shown, video = page(item, loaded), loaded.video
    record = records.item_record(item, loaded)
    return {
        **{column: record[column] for column in ("position", "status", "url", "key", "cost", "error_class")},
        **_summary_cells(shown),
        "title": shown.title,
        "given": shown.given,
        "origin": words.clean(item.origin),
        "reference": words.clean(item.reference or ""),
        "uploader": words.clean((video.uploader if video else None) or ""),
        "published": words.clean((video.published if video else None) or ""),
        "duration": record["video_duration"],
        "words": shown.transcript_words if loaded.transcript else None,
        "answer": loaded.answer.text if loaded.answer else None,
        "reason": shown.because,
        "remedy": shown.remedy,
        "engines": "; ".join(f"{stage}: {words.clean(engine)}" for stage, engine in item.engines.items()),
        "work_seconds": round(sum(item.durations.values()), 3) if item.durations else None,
        "notes": "\n".join(shown.notes),
    }


def _summary_cells(shown: Page) -> dict[str, Any]:
    return {
        "language": shown.language,
        "overview": "\n\n".join(shown.overview) if shown.summarized else "",
        "key_points": "\n".join(f"{point.moment.clock} {point.text}" for point in shown.points),
        "chapters": "\n".join(f"{section.moment.clock} {section.title}" for section in shown.sections),
        "topics": "; ".join(shown.topics),
    }


def _rejected(line: RejectedLine) -> dict[str, Any]:
    return {
        "status": line.rejection.value,
        "given": words.clean(line.given),
        "origin": words.place(line),
        "reason": words.clean(line.reason),
    }
