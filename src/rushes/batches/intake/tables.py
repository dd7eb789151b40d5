"""Lists as tables: CSV and TSV with a header that names a column `url`."""

from __future__ import annotations

import csv
import difflib
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from rushes.batches.intake.decoding import lines
from rushes.batches.intake.rows import Row
from rushes.errors import UsageError

if TYPE_CHECKING:
    from _csv import Reader

_URL = "url"
_OTHER_NAMES = ("link", "href", "address", "uri", "video", "video_url", "source", "file", "path")


def read_csv(stream: BinaryIO, name: str) -> Iterator[Row]:
    """A table whose columns are parted by comma, semicolon or tab, as its header shows."""
    return _read(lines(stream, name), name, ",;\t")


def read_tsv(stream: BinaryIO, name: str) -> Iterator[Row]:
    """A table whose columns are parted by tabs."""
    return _read(lines(stream, name), name, "\t")


def _read(read: Iterator[str], name: str, delimiters: str) -> Iterator[Row]:
    start: list[str] = []
    for line in read:
        start.append(line)
        if line.strip():
            break
    header = start[-1] if start else ""
    table = csv.reader(itertools.chain(start, read), delimiter=max(delimiters, key=header.count), strict=True)
    try:
        yield from _rows(table, _columns(table, name))
    except csv.Error as error:
        raise UsageError(f"{name}, line {table.line_num}: no right CSV: {error}; was a quote left open?") from None


def _columns(table: Reader, name: str) -> list[str]:
    header = next((cells for cells in table if any(cell.strip() for cell in cells)), [])
    columns = [cell.strip() for cell in header]
    known = [column.lower() if "." not in column else column for column in columns]
    if not columns:
        raise UsageError(f"{name}: no header: its first line names the columns, one of them {_URL!r}")
    if _URL not in known:
        raise UsageError(f"{name}, line {table.line_num}: no column {_URL!r}{_hint(columns)}")
    if twice := next((column for column in known if column and known.count(column) > 1), None):
        raise UsageError(f"{name}, line {table.line_num}: two columns {twice!r}")
    return known


def _hint(columns: list[str]) -> str:
    near = difflib.get_close_matches(_URL, [column.lower() for column in columns], 1, cutoff=0.5)
    near += [column for column in columns if column.lower() in _OTHER_NAMES]
    meant = f"; is {near[0]!r} meant? Rename it" if near else ""
    return f", only {', '.join(repr(column) for column in columns[:20])}{meant}"


def _rows(table: Reader, columns: list[str]) -> Iterator[Row]:
    last = table.line_num
    for cells in table:
        # A quoted cell may hold line breaks: a row is known by the line where it begins.
        number, last = last + 1, table.line_num
        if any(cell.strip() for cell in cells):
            yield _row(number, cells, columns)


def _row(number: int, cells: list[str], columns: list[str]) -> Row:
    given = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if cell.strip()}
    text = given.pop(_URL, "")
    if len(cells) > len(columns):
        return Row(number, ",".join(cells), problem=f"{len(cells)} cells, but the header names {len(columns)} columns")
    return Row(number, text, given) if text else Row(number, ",".join(cells), problem=f"nothing under {_URL!r}")
