"""What the arguments of a command mean: files, folders, patterns, lists, addresses. All are looked at before any is read."""

from __future__ import annotations

import difflib
import glob
import itertools
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from rushes.batches.intake.kinds import KINDS, LISTS, MEDIA, TEXTS, Kinds, suffix
from rushes.batches.intake.rows import Row, read_unnamed
from rushes.errors import UsageError
from rushes.keys import is_address, is_name_of_video, request_in
from rushes.model import Takes

STDIN = "-"
_SHEETS = frozenset({".xls", ".xlsx", ".xlsm", ".ods", ".numbers"})
_PATTERN = re.compile(r"[*?\[]")
_SNIFFED = 4096


class Input(Protocol):
    """One argument, or one of the files that a pattern stands for."""

    @property
    def base(self) -> Path:
        """The folder from which its relative paths are."""

    @property
    def is_list(self) -> bool:
        """Whether it holds entries of its own, so that one of them can be wrong while the others are right."""

    @property
    def name(self) -> str: ...

    def rows(self) -> Iterator[Row]: ...

    def place(self, number: int) -> str:
        """Where its row of that number stands, in words."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An address or one file, given by itself."""

    number: int
    text: str
    base: Path = Path()
    is_list: bool = False

    @property
    def name(self) -> str:
        return f"argument {self.number}"

    def rows(self) -> Iterator[Row]:
        yield Row(1, self.text)

    def place(self, number: int) -> str:  # noqa: ARG002  (it has one row)
        return self.name


@dataclass(frozen=True, slots=True)
class Folder:
    """The media files, or the texts, in a folder and below it."""

    name: str
    paths: Sequence[str]
    base: Path = Path()
    is_list: bool = True

    def rows(self) -> Iterator[Row]:
        return (Row(number, path) for number, path in enumerate(self.paths, 1))

    def place(self, number: int) -> str:
        return readable(self.paths[number - 1])


@dataclass(frozen=True, slots=True)
class Listing:
    """A list in a file."""

    name: str
    path: Path
    base: Path
    separator: str
    """Between its name and a number: its entries are known by lines or, in JSON, by their count."""
    is_list: bool = True

    def rows(self) -> Iterator[Row]:
        try:
            with self.path.open("rb") as stream:
                yield from LISTS[suffix(self.path)](stream, self.name)
        except OSError as error:
            raise UsageError(f"{self.name}: cannot be read: {error.strerror}") from None

    def place(self, number: int) -> str:
        return f"{self.name}{self.separator}{number}"


@dataclass(frozen=True, slots=True)
class Standard:
    """A list from standard input."""

    stream: BinaryIO
    name: str = "stdin"
    base: Path = Path()
    is_list: bool = True

    def rows(self) -> Iterator[Row]:
        return read_unnamed(self.stream, self.name)

    def place(self, number: int) -> str:
        return f"{self.name}:{number}"


def resolve(
    inputs: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    local: bool = True,
    kinds: Kinds = KINDS[Takes.VIDEOS],
) -> list[Input]:
    """Look at every argument.

    Args:
        inputs: as given.
        stdin: what `-` reads; by default this process's own.
        local: paths are looked at; otherwise every argument but `-` is taken for an address.
        kinds: which files are items, and which lists.

    Raises:
        UsageError: one names nothing that could be read; the message says which and why.
    """
    if not inputs:
        raise UsageError("no input", remedy="Give an address, a file, a folder, a list, or - for standard input.")
    if inputs.count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    found: list[Input] = []
    for number, text in enumerate(inputs, 1):
        if text == STDIN:
            found.append(Standard(stdin or sys.stdin.buffer))
        elif local and not is_address(text) and not (kinds.takes is Takes.TEXTS and request_in(text)):
            found.extend(_local(number, text, kinds))
        else:
            found.append(Argument(number, text))
    return found


def _local(number: int, text: str, kinds: Kinds) -> list[Input]:
    if os.path.lexists(text):
        return [_path(number, text, kinds)]
    if _PATTERN.search(text):
        names = sorted(glob.glob(text, recursive=True), key=_natural)  # noqa: PTH207  (names stay as the pattern has them)
        if not names:
            raise UsageError(f"{text}: no file matches")
        return [_path(number, name, kinds) for name in names]
    if is_name_of_video(text):
        return [Argument(number, text)]
    remedy = (
        "An address begins with https://." if kinds.takes is Takes.VIDEOS else "A request in words is given as ask:…"
    )
    raise UsageError(f"{text}: no such file{_near(Path(text))}", remedy=remedy)


def readable(text: str) -> str:
    """A text that can be printed and stored: what is no text in a file's name, and NUL, stand as their codes."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\0")


def _path(number: int, text: str, kinds: Kinds) -> Input:
    path = Path(text)
    if text != readable(text):
        raise UsageError(f"{readable(text)}: the name is not UTF-8", remedy="Rename it.")
    try:
        state = path.stat()
        if stat.S_ISDIR(state.st_mode):
            return _folder(text, kinds)
        return _file(number, text, state, kinds)
    except OSError as error:
        raise UsageError(f"{text}: cannot be read: {error.strerror}") from None


def _folder(text: str, kinds: Kinds) -> Folder:
    paths = tuple(_items_below(text, kinds))
    if not paths:
        looked_for = " ".join(sorted(kinds.files))
        raise UsageError(f"{text}: no {kinds.noun} in this folder", remedy=f"Looked for {looked_for}.")
    return Folder(text, paths)


def _items_below(folder: str, kinds: Kinds) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(
            (entry for entry in found if not entry.name.startswith(".")), key=lambda one: _natural(one.name)
        )
    for entry in entries:
        # Links to folders may lead in a circle.
        if entry.is_dir(follow_symlinks=False):
            yield from _items_below(entry.path, kinds)
        elif kinds.is_item(Path(entry.name)) and entry.is_file():
            yield entry.path


def _file(number: int, text: str, state: os.stat_result, kinds: Kinds) -> Input:
    path = Path(text)
    if not stat.S_ISREG(state.st_mode):
        raise UsageError(f"{text}: not a regular file", remedy="A list from another program is read by -.")
    if state.st_size == 0:
        raise UsageError(f"{text}: the file is empty")
    if kinds.is_list(path):
        return Listing(text, path, path.parent, " item " if suffix(path) == ".json" else ":")
    if not kinds.is_item(path):
        _refuse(path, text, kinds)
    return Argument(number, text)


def _refuse(path: Path, text: str, kinds: Kinds) -> None:
    if kinds.takes is Takes.VIDEOS:
        _refuse_text(path, text)
        return
    video = "A script of what a video says: --pipeline summarize+generate" if suffix(path) in MEDIA else None
    raise UsageError(f"{text}: no text by its name: those end in {' '.join(sorted(kinds.files))}", remedy=video)


def _refuse_text(path: Path, text: str) -> None:
    """A list under another name must not pass for a video; what is no text may be a video under another name."""
    if suffix(path) in _SHEETS:
        raise UsageError(f"{text}: spreadsheets are not read", remedy="Save it as .csv with a column url.")
    with path.open("rb") as stream:
        start = stream.read(_SNIFFED)
    # A character may be cut at the end.
    if b"\0" not in start and "\ufffd" not in start.decode(errors="replace")[:-1]:
        remedy = f"Lists are named {' '.join(LISTS)}; others are read by -."
        if suffix(path) in TEXTS:
            remedy += " To make a script of a text: --pipeline generate"
        raise UsageError(f"{text}: a text of unknown type {path.suffix!r}", remedy=remedy)


def _natural(name: str) -> tuple[list[str | int], str]:
    """`talk 2` before `talk 10`."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _near(path: Path) -> str:
    try:
        names = [name.name for name in itertools.islice(path.parent.iterdir(), 10_000)]
    except OSError:
        return f"; there is no folder {str(path.parent)!r} either"
    near = difflib.get_close_matches(path.name, names, 1)
    return f"; did you mean {str(path.with_name(near[0]))!r}?" if near else ""
