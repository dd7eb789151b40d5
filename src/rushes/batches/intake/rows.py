"""The formats of lists of one entry a line and of JSON. Each reader turns bytes into rows.

A fault of one entry makes a row with a problem; a fault of the whole file is a `UsageError` that names its line.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from rushes.batches.intake import json_array
from rushes.batches.intake.decoding import chunks, lines


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a list, before anybody looked at what it says."""

    number: int
    """Its line, or in a JSON array its place, from 1."""
    text: str
    """What it names: an address or a path."""
    fields: Mapping[str, Any] | None = None
    """`id`, `title`, `priority`, and `stage.option`: whatever else it says."""
    problem: str | None = None


Reader = Callable[[BinaryIO, str], Iterator[Row]]


def read_txt(stream: BinaryIO, name: str) -> Iterator[Row]:
    """One a line; blank lines and those that begin with `#` say nothing."""
    return _txt(lines(stream, name))


def read_jsonl(stream: BinaryIO, name: str) -> Iterator[Row]:
    """One JSON text or object a line."""
    return _jsonl(lines(stream, name))


def read_json(stream: BinaryIO, name: str) -> Iterator[Row]:
    """An array of texts or objects, or an object that holds it as `items`."""
    return _numbered(json_array.entries(chunks(stream, name), name))


def read_unnamed(stream: BinaryIO, name: str) -> Iterator[Row]:
    """What comes without a file's name: JSON Lines, a JSON array or plain lines, as its first character says."""
    read = lines(stream, name)
    start: list[str] = []
    for line in read:
        start.append(line)
        if line.strip():
            break
    first = start[-1].lstrip()[:1] if start else ""
    rest = itertools.chain(start, read)
    if first == "[":
        return _numbered(json_array.entries(rest, name))
    return _jsonl(rest) if first in {"{", '"'} else _txt(rest)


def _txt(read: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(read, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield Row(number, text)


def _jsonl(read: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(read, 1):
        text = line.strip()
        if not text:
            continue
        try:
            entry = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield Row(number, text, problem=f"no right JSON: {error}")
        else:
            yield _entry(number, entry)


def _numbered(entries: Iterator[Any]) -> Iterator[Row]:
    return (_entry(number, entry) for number, entry in enumerate(entries, 1))


def _entry(number: int, entry: Any) -> Row:
    if isinstance(entry, str):
        text = entry.strip()
        return Row(number, text, problem=None if text else "an empty text")
    if not isinstance(entry, dict):
        return Row(number, json.dumps(entry), problem="neither a text nor an object")
    url = entry.get("url")
    if not isinstance(url, str) or not url.strip():
        return Row(number, json.dumps(entry, ensure_ascii=False), problem='no "url" that is a text')
    return Row(number, url.strip(), entry)
