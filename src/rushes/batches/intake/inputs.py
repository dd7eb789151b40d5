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

from rushes.batches.intake.rows import Reader, Row, read_json, read_jsonl, read_txt, read_unnamed
from rushes.batches.intake.tables import read_csv, read_tsv
from rushes.errors import UsageError
from rushes.keys import is_address, is_name_of_video

STDIN = "-"
LISTS: dict[str, Reader] = {
    ".txt": read_txt,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".json": read_json,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
}
# fmt: off
MEDIA = frozenset(
    {
        ".3g2", ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".amr", ".ape", ".asf", ".avi", ".caf", ".divx",
        ".dv", ".eac3", ".f4v", ".flac", ".flv", ".m2ts", ".m2v", ".m4a", ".m4b", ".m4v", ".mka", ".mkv",
        ".mov", ".mp2", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".oga", ".ogg", ".ogv",
        ".opus", ".rm", ".rmvb", ".ts", ".vob", ".w64", ".wav", ".weba", ".webm", ".wma", ".wmv", ".wtv",
    }
)
# fmt: on
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
    """The media files in a folder and below it."""

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
                yield from LISTS[_suffix(self.path)](stream, self.name)
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


def resolve(inputs: Sequence[str], *, stdin: BinaryIO | None = None, local: bool = True) -> list[Input]:
    """Look at every argument.

    Args:
        inputs: as given.
        stdin: what `-` reads; by default this process's own.
        local: paths are looked at; otherwise every argument but `-` is taken for an address.

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
        elif local and not is_address(text):
            found.extend(_local(number, text))
        else:
            found.append(Argument(number, text))
    return found


def is_list(path: Path) -> bool:
    """Whether a file's name says that it is a list."""
    return _suffix(path) in LISTS


def _local(number: int, text: str) -> list[Input]:
    if os.path.lexists(text):
        return [_path(number, text)]
    if _PATTERN.search(text):
        names = sorted(glob.glob(text, recursive=True), key=_natural)  # noqa: PTH207  (names stay as the pattern has them)
        if not names:
            raise UsageError(f"{text}: no file matches")
        return [_path(number, name) for name in names]
    if is_name_of_video(text):
        return [Argument(number, text)]
    raise UsageError(f"{text}: no such file{_near(Path(text))}", remedy="An address begins with https://.")


def readable(text: str) -> str:
    """A text that can be printed and stored: what is no text in a file's name, and NUL, stand as their codes."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\0")


def _path(number: int, text: str) -> Input:
    path = Path(text)
    if text != readable(text):
        raise UsageError(f"{readable(text)}: the name is not UTF-8", remedy="Rename it.")
    try:
        state = path.stat()
        if stat.S_ISDIR(state.st_mode):
            return _folder(text)
        return _file(number, text, state)
    except OSError as error:
        raise UsageError(f"{text}: cannot be read: {error.strerror}") from None


def _folder(text: str) -> Folder:
    paths = tuple(_media_below(text))
    if not paths:
        raise UsageError(f"{text}: no media file in this folder", remedy=f"Looked for {' '.join(sorted(MEDIA))}.")
    return Folder(text, paths)


def _media_below(folder: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(
            (entry for entry in found if not entry.name.startswith(".")), key=lambda one: _natural(one.name)
        )
    for entry in entries:
        # Links to folders may lead in a circle.
        if entry.is_dir(follow_symlinks=False):
            yield from _media_below(entry.path)
        elif _suffix(Path(entry.name)) in MEDIA and entry.is_file():
            yield entry.path


def _file(number: int, text: str, state: os.stat_result) -> Input:
    path = Path(text)
    if not stat.S_ISREG(state.st_mode):
        raise UsageError(f"{text}: not a regular file", remedy="A list from another program is read by -.")
    if state.st_size == 0:
        raise UsageError(f"{text}: the file is empty")
    if is_list(path):
        return Listing(text, path, path.parent, " item " if _suffix(path) == ".json" else ":")
    if _suffix(path) not in MEDIA:
        _refuse_text(path, text)
    return Argument(number, text)


def _refuse_text(path: Path, text: str) -> None:
    """A list under another name must not pass for a video; what is no text may be a video under another name."""
    if _suffix(path) in _SHEETS:
        raise UsageError(f"{text}: spreadsheets are not read", remedy="Save it as .csv with a column url.")
    with path.open("rb") as stream:
        start = stream.read(_SNIFFED)
    # A character may be cut at the end.
    if b"\0" not in start and "\ufffd" not in start.decode(errors="replace")[:-1]:
        kinds = " ".join(LISTS)
        raise UsageError(
            f"{text}: a text of unknown type {path.suffix!r}", remedy=f"Lists are named {kinds}; others are read by -."
        )


def _suffix(path: Path) -> str:
    return path.suffix.lower()


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
