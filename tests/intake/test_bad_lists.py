"""A list that cannot be used as a whole is refused: which one, which line, what is wrong and what to do."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from rushes.batches.intake import Valid, read_inputs
from rushes.batches.intake.decoding import LINE_LIMIT
from rushes.errors import UsageError

from .conftest import Write, read

A, B = "https://a.example/1", "https://b.example/2"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.txt", b"# only words\n\n", "l.txt: no line that names a video"),
        ("l.txt", b"ftp://x\nhttps://\n", "no valid line; the first, l.txt:1: .*not ftp.*: ftp://x"),
        ("l.txt", f"{A}\n{B}\n".encode("utf-16"), "l.txt, line 1: the text is UTF-16\n  Save it as UTF-8"),
        ("l.txt", f"{A}\n".encode("utf-32"), "the text is UTF-32"),
        ("l.txt", f"{A}\n".encode("utf-16-le"), "l.txt, line 1: a NUL byte"),
        ("l.txt", f"{A}\nhttps://a.example/é\n".encode("latin-1"), r"l.txt, line 2: not UTF-8 \(byte 38 of the file\)"),
        ("l.txt", f"{A}\n{B}\0\n".encode(), r"l.txt, line 2: a NUL byte \(byte 39 of the file\)"),
        ("l.csv", f"url\n{A},é\n".encode("latin-1"), "l.csv, line 2: not UTF-8"),
        ("l.json", f'["{A}",\n"é"]'.encode("latin-1"), r"l.json, line 2: not UTF-8 \(byte 25 of the file\)"),
        ("l.json", b'["a\0"]', "l.json, line 1: a NUL byte"),
        ("l.json", b'["\xc3', "not UTF-8"),
        ("l.csv", b"\n \n", "no header"),
        ("l.csv", f"link;title\n{A};x\n".encode(), "no column 'url', only 'link', 'title'; is 'link' meant"),
        ("l.csv", f"URLs,title\n{A},x\n".encode(), "is 'urls' meant"),
        ("l.csv", f"name,title\n{A},x\n".encode(), "only 'name', 'title'$"),
        ("l.csv", f"url,title,URL\n{A},x,\n".encode(), "two columns 'url'"),
        ("l.csv", b"url,title\n", "l.csv: no line that names a video"),
        ("l.csv", f'url,title\n{A},"open\n{B},x\n'.encode(), "was a quote left open"),
        ("l.csv", f'url,title\n{A},"{"x" * 200_000}"\n'.encode(), "field larger"),
        ("l.tsv", f"url,title\n{A},x\n".encode(), "no column 'url'"),
        ("l.json", f'["{A}", "{B}"'.encode(), "line 1, column 46: no right JSON: wanted a comma"),
        ("l.json", f'["{A}"\n "{B}"]'.encode(), "line 2, column 2: no right JSON: wanted a comma"),
        ("l.json", f'["{A}", oops]'.encode(), "line 1, column 25: no right JSON: Expecting value"),
        ("l.json", f'["{A}"] ["{B}"]'.encode(), "more after its end"),
        ("l.json", f'{{"videos": ["{A}"], "n": 1}}'.encode(), "without an array 'items'; it has 'videos', 'n'"),
        ("l.json", b"{}", "without an array 'items'; it has nothing"),
        ("l.json", b'{"a" 1}', "wanted a name and a colon"),
        ("l.json", b'"text"', "wanted an array"),
        ("l.json", b"[]", "l.json: no line that names a video"),
        ("l.json", b"[" * 100_000, "nested too deeply"),
        ("l.jsonl", b"[" * 100_000, "no valid line.*no right JSON"),
        ("l.json", b'["' + b"x" * (LINE_LIMIT + 100_000) + b'"]', "an entry longer than 1,048,576 characters"),
        ("l.txt", b"#" * (LINE_LIMIT + 1), "l.txt, line 1: longer than 1,048,576 bytes"),
    ],
)
def test_a_list_is_refused_with_line_and_reason(write: Write, name: str, content: bytes, message: str) -> None:
    write(name, content)

    with pytest.raises(UsageError, match=message):
        read(name)


class Endless(io.RawIOBase):
    """Two gigabytes without a line break, counted as they are read."""

    def __init__(self, begin: bytes) -> None:
        self.given = 0
        self._begin = begin

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        piece = self._begin or b"x" * len(view)
        self._begin = b""
        view[: len(piece)] = piece
        self.given += len(piece)
        return len(piece)


@pytest.mark.parametrize("begin", [b"", b'["'])
def test_a_line_of_two_gigabytes_ends_after_the_limit(begin: bytes) -> None:
    endless = Endless(begin)

    with pytest.raises(UsageError, match=r"stdin, line 1.* longer than 1,048,576"):
        list(read_inputs(["-"], stdin=io.BufferedReader(endless)))

    assert endless.given < 2 * LINE_LIMIT


def test_what_was_right_before_the_fault_came_through_so_the_caller_must_undo_it(write: Write) -> None:
    write("l.txt", f"{A}\n".encode() + b"\xff\n")
    lines = read_inputs(["l.txt"])
    assert isinstance(next(lines), Valid)
    with pytest.raises(UsageError, match="line 2"):
        next(lines)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((), "no input"),
        (("-", A, "-"), "only once"),
        (("none.txt",), r"none.txt: no such file; did you mean 'nine.txt'"),
        (("no/where.txt",), r"no such file; there is no folder 'no' either"),
        (("nonexistent",), r"no such file"),
        (("*.webm",), r"\*.webm: no file matches"),
        (("empty.mp4",), "empty.mp4: the file is empty"),
        (("empty.txt",), "empty.txt: the file is empty"),
        (("bare",), r"bare: no media file in this folder"),
        (("sheet.xlsx",), r"spreadsheets are not read\n  Save it as .csv"),
        (("list.urls",), r"a text of unknown type '.urls'\n  Lists are named .txt"),
        (("README",), r"a text of unknown type ''"),
        (("/dev/null",), r"not a regular file"),
        (("ftp://a.example/x",), r"argument 1: .*not ftp.*ftp://a.example/x"),
    ],
)
def test_an_argument_that_names_nothing_is_refused_before_anything_is_read(
    folder: Path, write: Write, inputs: tuple[str, ...], message: str
) -> None:
    for name in ("empty.mp4", "empty.txt"):
        write(name, "")
    write("nine.txt", A)
    write("bare/notes.txt", A)
    write("sheet.xlsx", b"PK\3\4")
    write("list.urls", A)
    write("README", "Grüße " * 2000)

    with pytest.raises(UsageError, match=message):
        read(*inputs, stdin=json.dumps([A]).encode())


def test_a_bad_argument_is_found_before_a_good_one_is_read(write: Write) -> None:
    write("good.txt", A)

    with pytest.raises(UsageError, match="missing"):
        read_inputs(["good.txt", "missing.txt"])


def test_one_list_without_a_valid_line_refuses_the_whole_command(write: Write) -> None:
    write("bad.txt", "https://\n")

    with pytest.raises(UsageError, match=r"bad.txt: no valid line"):
        read(A, "bad.txt")


def test_a_list_of_repetitions_is_a_list(write: Write) -> None:
    write("again.txt", f"{A}\n{A}\n")

    assert len(read(A, "again.txt")) == 3
