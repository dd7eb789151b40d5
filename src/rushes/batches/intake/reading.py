"""Reads inputs line by line into items, repetitions and lines that cannot be used. Order is kept and nothing vanishes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from rushes.batches.intake.details import Checker, CheckOptions
from rushes.batches.intake.inputs import Argument, Input, readable, resolve
from rushes.batches.intake.kinds import KINDS, Kinds
from rushes.batches.intake.lines import Duplicate, Invalid, Line, Valid
from rushes.batches.intake.rows import Row
from rushes.batches.intake.seen import Seen
from rushes.batches.keys import FileKeys, FileKeysInMemory, file_source
from rushes.errors import UsageError
from rushes.keys import is_address, is_name_of_video, request_in, source_of, source_of_request
from rushes.masking import masked
from rushes.model import NewItem, Source, Takes, Trust
from rushes.shortening import shortened

_SHOWN = 500
"""Characters of a line in reports."""
_ROW_BITS = 40
"""A place is the input's index and its row's number in one integer."""


def read_inputs(
    inputs: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    check_options: CheckOptions | None = None,
    files: FileKeys | None = None,
    trust: Trust = Trust.LOCAL,
    takes: Takes = Takes.VIDEOS,
) -> Iterator[Line]:
    """Read inputs as a stream, in constant memory but for 50 bytes a line that tell repetitions.

    Args:
        inputs: addresses, YouTube ids, files, folders, patterns, lists (`.txt .csv .tsv .json .jsonl`), `-`.
        stdin: what `-` reads; by default this process's own.
        check_options: raises `UsageError` if options that a line gives are not right. By default none are allowed.
        files: remembers the hashes of local files.
        trust: whose the inputs are; paths are read only for `local`.
        takes: what the items are. Texts are files (`.md .txt`) and requests (`ask:…`); a `.txt` is then no list.

    Raises:
        UsageError: an input names nothing (at once), or a list cannot be read or has no valid line (when that shows).
    """
    local = trust is Trust.LOCAL
    kinds = KINDS[takes]
    found = resolve(inputs, stdin=stdin, local=local, kinds=kinds)
    files = FileKeysInMemory() if files is None else files
    return _Reading(found, Checker(check_options), files, kinds, local=local).lines()


class _Reading:
    """One pass over the inputs."""

    def __init__(
        self, inputs: Sequence[Input], checker: Checker, files: FileKeys, kinds: Kinds, *, local: bool
    ) -> None:
        self._kinds = kinds
        self._inputs = inputs
        self._checker = checker
        self._files = files
        self._local = local
        self._seen = Seen()

    def lines(self) -> Iterator[Line]:
        first: Invalid | None = None
        for index, one in enumerate(self._inputs):
            usable = 0
            for row in one.rows():
                line = self._line(index, one, row)
                usable += not isinstance(line, Invalid)
                first = first or (line if isinstance(line, Invalid) else None)
                yield line
            if not usable and one.is_list:
                raise _nothing_in(one, first)
        if not self._seen and first:
            raise UsageError(f"{first.origin}: {first.reason}: {first.text}")

    def _line(self, index: int, one: Input, row: Row) -> Line:
        place = one.place(row.number)
        try:
            item = self._item(row, one.base, place if one.is_list else "")
        except UsageError as error:
            if isinstance(one, Argument) and not is_address(row.text) and self._local:
                raise UsageError(f"{row.text}: {error.reason}") from None
            return Invalid(place, shown(row.text), error.reason)
        earlier = self._seen.add(item.source.key, index << _ROW_BITS | row.number)
        if earlier is not None:
            return Duplicate(place, item.given, self._place(earlier))
        return Valid(len(self._seen), item)

    def _item(self, row: Row, base: Path, origin: str) -> NewItem:
        if row.problem:
            raise UsageError(row.problem)
        source = self._text(row.text, base) if self._kinds.takes is Takes.TEXTS else self._source(row.text, base)
        given = masked(row.text) if _may_tell(row.text, source) else row.text
        if not row.fields:
            return NewItem(source, given, origin=origin)
        details = self._checker.read(row.fields)
        return NewItem(
            source, given, details.reference, details.title, details.priority, details.options, origin=origin
        )

    def _source(self, text: str, base: Path) -> Source:
        if is_address(text):
            return source_of(text)
        if file := self._file(text, base):
            return file
        if is_name_of_video(text):
            return source_of(text)
        if self._local:
            raise UsageError("no such file, and no address: those begin with https://")
        raise UsageError(
            "no address: those begin with https://; files are read only from a command line of their owner"
        )

    def _text(self, text: str, base: Path) -> Source:
        """A file of text, or a request."""
        if request := request_in(text):
            return source_of_request(request)
        if file := self._file(text, base):
            return file
        if is_address(text):
            raise UsageError("an address; wanted is a text file or a request in words (ask:…)")
        raise UsageError("no such file, and no request in words (ask:…)")

    def _file(self, text: str, base: Path) -> Source | None:
        """A file of this machine; None: there is none of that name."""
        if not self._local or not _exists(path := base / os.path.expanduser(text)):  # noqa: PTH111  (a strange ~name is a name)
            return None
        if self._kinds.is_list(path):
            raise UsageError("a list inside a list is not read: give it as an input of its own")
        return file_source(path, self._files)

    def _place(self, place: int) -> str:
        return self._inputs[place >> _ROW_BITS].place(place & (1 << _ROW_BITS) - 1)


def shown(text: str) -> str:
    """A line for reports: not too long, secrets masked, and nothing in it that is no text."""
    return masked(readable(shortened(text, _SHOWN)))


def _may_tell(text: str, source: Source) -> bool:
    """Whether a secret could be in it. Masking takes as long as all else does, and most lists have none."""
    return "@" in text or ("=" in text and not source.key.startswith("youtube:"))


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except (OSError, ValueError):
        return False
    return True


def _nothing_in(one: Input, first: Invalid | None) -> UsageError:
    if first is None:
        return UsageError(f"{one.name}: no line that names a video")
    return UsageError(f"{one.name}: no valid line; the first, {first.origin}: {first.reason}: {first.text}")
