"""What holds for any input: order is kept, nothing vanishes, memory stays small."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.batches.intake import Duplicate, Invalid, Valid, read_inputs
from rushes.batches.intake.seen import Seen
from rushes.errors import UsageError

LINE = st.one_of(
    st.integers(0, 5).map(lambda number: f"https://example.org/{number}"),
    st.integers(0, 5).map(lambda number: f"https://youtu.be/abcdefghij{number}"),
    st.sampled_from(["", "   ", "# comment", "#", "ftp://x", "https://", "no-such-file.mp4", "https://a b"]),
    st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]), max_size=20),
)


@given(st.lists(LINE, max_size=30), st.sampled_from(["\n", "\r\n"]))
def test_every_line_is_an_item_a_repetition_or_invalid_in_its_order(texts: list[str], ending: str) -> None:
    data = ending.join(["https://first.example/", *texts]).encode()
    if texts and texts[0].lstrip()[:1] == "\ufeff":
        return
    meant = [n for n, text in enumerate(texts, 2) if text.strip() and not text.strip().startswith("#")]

    lines = list(read_inputs(["-"], stdin=io.BytesIO(data)))

    places = [line.item.origin if isinstance(line, Valid) else line.origin for line in lines]
    assert places == [f"stdin:{number}" for number in [1, *meant]]
    assert [line.position for line in lines if isinstance(line, Valid)] == list(
        range(1, 1 + sum(isinstance(line, Valid) for line in lines))
    )
    keys = [line.item.source.key for line in lines if isinstance(line, Valid)]
    assert len(set(keys)) == len(keys)
    before: set[str] = set()
    for line in lines:
        if isinstance(line, Duplicate):
            assert line.repeats in before
        if isinstance(line, Valid):
            before.add(line.item.origin)
        if isinstance(line, Invalid):
            assert line.reason


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for begin in (b"https://first.example/\n", b"[", b"{", b'{"url": "https://a.example"}\n'):
        with contextlib.suppress(UsageError):
            assert list(read_inputs(["-"], stdin=io.BytesIO(begin + data)))


@given(st.lists(st.integers(0, 3000), max_size=4000))
def test_a_key_is_told_with_the_place_where_it_stood_first(numbers: list[int]) -> None:
    seen = Seen()
    first: dict[int, int] = {}

    for place, number in enumerate(numbers):
        assert seen.add(f"url:{number}", place) == first.get(number)
        first.setdefault(number, place)

    assert len(seen) == len(first)


MEASURE = """
import resource, sys
from rushes.batches.intake import read_inputs
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
list(read_inputs([sys.argv[1]]))
before = peak()
count = sum(1 for _ in read_inputs([sys.argv[2]]))
print(count, (peak() - before) * 1024 // count)
"""


def _text(file: TextIO, lines: int) -> None:
    file.writelines(f"https://example.org/videos/{n}.mp4\n" for n in range(lines))


def _json(file: TextIO, lines: int) -> None:
    entries = (f'{{"url": "https://example.org/videos/{n}.mp4", "title": "talk {n}"}}' for n in range(1, lines))
    file.write("[" + next(entries))
    file.writelines(f",\n{entry}" for entry in entries)
    file.write(',"https://example.org/last"]')


@pytest.mark.parametrize(("name", "fill", "lines"), [("l.txt", _text, 200_000), ("l.json", _json, 50_000)])
def test_a_long_list_takes_far_less_than_two_hundred_bytes_a_line(
    tmp_path: Path, name: str, fill: Callable[[TextIO, int], None], lines: int
) -> None:
    short, long = tmp_path / "short.txt", tmp_path / name
    short.write_text("https://example.org/a\n")
    with long.open("w") as file:
        fill(file, lines)

    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, short, long], check=True, capture_output=True, text=True
    ).stdout.split()

    assert int(measured[0]) == lines
    assert int(measured[1]) < 100
