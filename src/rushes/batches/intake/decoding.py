"""Bytes to text, with a limit on everything: what is no UTF-8 text ends with the line and byte where that shows."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from rushes.errors import UsageError

LINE_LIMIT = 1 << 20
"""Bytes in a line, and characters in an entry of a JSON array."""
_CHUNK = 1 << 16
# The longer marks first: UTF-32's begins with UTF-16's.
_OTHER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Every line with its ending; byte order marks at its start are left out.

    Raises:
        UsageError: a line is longer than `LINE_LIMIT`, has a NUL byte, or is no UTF-8.
    """
    number, offset = 1, 0
    while line := stream.readline(LINE_LIMIT + 1):
        if len(line) > LINE_LIMIT:
            raise UsageError(f"{name}, line {number}: longer than {LINE_LIMIT:,} bytes: this is no list of addresses")
        if number == 1:
            _refuse_other_mark(line, name)
        if b"\0" in line:
            raise _nul(line, name, number, offset)
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise _not_utf8(name, number, offset + error.start) from None
        yield text.removeprefix("\ufeff")
        number, offset = number + 1, offset + len(line)


def chunks(stream: BinaryIO, name: str) -> Iterator[str]:
    """The whole text in pieces; a byte order mark is left out.

    Raises:
        UsageError: it has a NUL byte, or is no UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    number, offset, data = 1, 0, b"-"
    while data:
        data = stream.read(_CHUNK)
        if offset == 0:
            _refuse_other_mark(data, name)
        if b"\0" in data:
            raise _nul(data, name, number, offset)
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            number += error.object[: error.start].count(b"\n")
            raise _not_utf8(name, number, offset - pending + error.start) from None
        yield text.removeprefix("\ufeff") if offset == 0 else text
        number, offset = number + text.count("\n"), offset + len(data)


def _refuse_other_mark(start: bytes, name: str) -> None:
    for mark, encoding in _OTHER_MARKS:
        if start.startswith(mark):
            raise UsageError(f"{name}, line 1: the text is {encoding}", remedy="Save it as UTF-8.")


def _nul(data: bytes, name: str, number: int, offset: int) -> UsageError:
    at = data.index(0)
    number += data.count(b"\n", 0, at)
    return UsageError(
        f"{name}, line {number}: a NUL byte (byte {offset + at} of the file): this is no UTF-8 text",
        remedy="Lists are plain text. If it is text, save it as UTF-8; a video is given by its own path.",
    )


def _not_utf8(name: str, number: int, offset: int) -> UsageError:
    return UsageError(
        f"{name}, line {number}: not UTF-8 (byte {offset} of the file)", remedy="Save it as UTF-8 (it may be Latin-1)."
    )
