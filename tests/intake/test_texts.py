"""Where a pipeline takes texts, a `.txt` is a text and no list, requests are given in words, and videos are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from rushes.batches.intake import Invalid, Valid, run_key
from rushes.errors import UsageError
from rushes.keys import request_in, source_of_request
from rushes.model import Plan, Step, Takes, Trust

from .conftest import Write, read, told


def test_texts_are_items_and_lists_stay_lists(folder: Path, write: Write) -> None:
    write("notes/a.md", "# A\n\nText a.")
    write("notes/b.txt", "https://example.org/this-is-no-list")
    write("notes/talk.mp4", b"\0")
    write("list.csv", "url,title\nnotes/a.md,Mine\nask:How do tides work?,\n")

    lines = read("notes", "list.csv", "ask:Why is the sky blue?", takes=Takes.TEXTS)

    assert [(one.item.given, one.item.title) for one in lines if isinstance(one, Valid)] == [
        ("notes/a.md", None),
        ("notes/b.txt", None),
        ("ask:How do tides work?", None),
        ("ask:Why is the sky blue?", None),
    ]
    assert told(lines)[2] == "list.csv:2 repeats notes/a.md"


def test_elsewhere_a_txt_is_a_list(write: Write) -> None:
    write("b.txt", "https://example.org/a\n")

    (line,) = read("b.txt")

    assert isinstance(line, Valid)
    assert line.item.given == "https://example.org/a"


def test_a_request_is_known_by_its_words(folder: Path) -> None:
    first, again, other = (source_of_request(text) for text in ("How do tides work?", "how do TIDES work?", "Why?"))

    assert first.key == again.key != other.key
    assert first.location == "ask:How do tides work?"
    assert request_in("ask:  How do\ttides work? ") == "How do tides work?"
    assert request_in("ask:") is None
    assert request_in("https://example.org/ask:x") is None


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("talk.mp4", "talk.mp4: no text by its name"),
        ("https://example.org/a", "argument 1: an address; wanted is a text file or a request in words"),
        ("dQw4w9WgXcQ", "no such file, and no request in words"),
        ("nothing here.md", "no such file"),
        ("videos", "no text in this folder"),
    ],
)
def test_what_is_no_text_is_refused_by_name(write: Write, argument: str, said: str) -> None:
    write("talk.mp4", b"\0")
    write("videos/talk.mp4", b"\0")

    with pytest.raises(UsageError, match=said):
        read(argument, takes=Takes.TEXTS)


def test_strangers_give_requests_and_no_files(write: Write) -> None:
    write("secret.md", "A secret.")

    lines = read("ask:How do tides work?", "secret.md", takes=Takes.TEXTS, trust=Trust.UNTRUSTED)

    assert isinstance(lines[0], Valid)
    assert isinstance(lines[1], Invalid)


def test_a_request_is_the_same_run_from_every_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan("generate", (Step("generate"),))
    here = run_key(["ask:How do tides work?"], plan, folder / "out")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")

    assert run_key(["ask:How do tides work?"], plan, folder / "out") == here
