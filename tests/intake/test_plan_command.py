"""`rushes plan` as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rushes.cli import main
from rushes.stages import registry
from rushes.stages.base import Options, Stage

from .conftest import Write


class LengthOptions(Options):
    length: str = "standard"


async def _nothing(_job: object, _context: object) -> object:
    raise AssertionError("a plan runs no stage")


@pytest.fixture(autouse=True)
def _machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSHES_HOME", str(folder / "home"))
    stages = ("scrape", "download", "transcribe")
    plain = {name: Stage(name, _nothing) for name in stages}  # type: ignore[arg-type]
    summarize = Stage("summarize", _nothing, options=LengthOptions)  # type: ignore[arg-type]
    monkeypatch.setattr(registry, "_decorated", {**plain, "summarize": summarize})


def _plan(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["plan", *arguments])
    return int(ended.value.code or 0)


def test_it_tells_what_a_list_holds(write: Write, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    write(
        "list.txt",
        "https://a.example/1\nhttps://a.example/1\nftp://user:secret@a.example/[bold]\nhttps://a.example/feed\n",
    )

    assert _plan("list.txt") == 0

    said = capsys.readouterr().out
    assert "summarize: scrape → download → transcribe → summarize" in said
    assert "2 items: 1 address, 1 collection (whose videos are found when it runs)" in said
    assert "1 duplicate, 1 invalid" in said
    assert "invalid    list.txt:3: ftp://***@a.example/[bold] — not a web address" in said
    assert "duplicate  list.txt:2: https://a.example/1 — as list.txt:1" in said
    assert "3 min" in said
    assert sorted(path.name for path in folder.iterdir()) == ["list.txt"]


def test_it_speaks_json(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("list.txt", "https://a.example/1\nhttps://a.example/1\nhttps://\n")

    assert _plan("list.txt", "--pipeline", "transcribe", "--json") == 0

    said = json.loads(capsys.readouterr().out)
    assert (said["pipeline"], said["items"], said["duplicates"], said["invalid"]) == ("transcribe", 1, 1, 1)
    assert said["first_duplicates"] == [
        {"origin": "list.txt:2", "text": "https://a.example/1", "repeats": "list.txt:1"}
    ]
    assert [stage["stage"] for stage in said["stages"]] == ["scrape", "download", "transcribe"]


def test_a_long_list_is_told_while_it_is_read(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("list.txt", "".join(f"https://youtu.be/{number:011}\n" for number in range(100_000)))

    assert _plan("list.txt", "--json") == 0

    captured = capsys.readouterr()
    assert captured.err == "reading: 100,000 lines\n"
    assert json.loads(captured.out)["items"] == 100_000


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["missing.txt"], "missing.txt: no such file"),
        (["https://a.example/", "--set", "summarize.lenght=brief"], "did you mean 'summarize.length'"),
        (["https://a.example/", "--pipeline", "sumarize"], "did you mean 'summarize'"),
        (["ftp://a.example/"], "only http and https are fetched"),
    ],
)
def test_wrong_use_ends_with_two_and_the_reason(
    arguments: list[str], reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _plan(*arguments) == 2

    assert reason in capsys.readouterr().err
    assert not list(folder.iterdir())


def test_options_of_a_line_are_checked_like_those_of_the_command(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write("list.csv", "url,summarize.lenght\nhttps://a.example/1,brief\nhttps://a.example/2,\n")

    assert _plan("list.csv") == 0

    assert (
        "invalid    list.csv:2: https://a.example/1 — there is no option 'summarize.lenght'" in capsys.readouterr().out
    )
