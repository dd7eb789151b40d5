"""The same command again is the same run; another command is not."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest

from rushes.batches.intake import run_key, seekable
from rushes.model import Plan, Retries, Step

from .conftest import Write

PLAN = Plan("summarize", (Step("download"), Step("summarize", {"length": "brief"})))


def test_the_key_is_the_same_from_another_folder_and_when_the_list_has_grown(
    folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("lists/a.txt", "https://a.example/")
    key = run_key(["lists/a.txt", "https://b.example/", "dQw4w9WgXcQ"], PLAN, Path("out"))
    write("lists/a.txt", "https://a.example/\nhttps://c.example/")
    monkeypatch.chdir(folder / "lists")

    assert run_key(["./a.txt", "https://b.example/", "dQw4w9WgXcQ"], PLAN, Path("../out")) == key


@pytest.mark.parametrize(
    ("inputs", "plan", "out"),
    [
        (["b.txt"], PLAN, "out"),
        (["a.txt", "a.txt"], PLAN, "out"),
        (["a.txt"], PLAN, "elsewhere"),
        (["a.txt"], Plan("other", PLAN.steps), "out"),
        (["a.txt"], Plan("summarize", (Step("download"), Step("summarize", {"length": "detailed"}))), "out"),
        (["a.txt"], Plan("summarize", (Step("summarize", {"length": "brief"}),)), "out"),
    ],
)
def test_other_inputs_options_or_folders_are_another_run(inputs: list[str], plan: Plan, out: str) -> None:
    assert run_key(inputs, plan, Path(out)) != run_key(["a.txt"], PLAN, Path("out"))


def test_how_often_a_stage_is_tried_does_not_count() -> None:
    patient = Step("summarize", {"length": "brief"}, Retries(max_attempts=9), timedelta(hours=1))

    assert run_key(["a"], Plan("summarize", (Step("download"), patient)), Path("out")) == run_key(
        ["a"], PLAN, Path("out")
    )


def test_standard_input_counts_by_its_content_and_is_still_there_to_read() -> None:
    stdin = io.BytesIO(b"https://a.example/\n")

    key = run_key(["-"], PLAN, Path("out"), stdin=stdin)

    assert stdin.read() == b"https://a.example/\n"
    assert key == run_key(["-"], PLAN, Path("out"), stdin=io.BytesIO(b"https://a.example/\n"))
    assert key != run_key(["-"], PLAN, Path("out"), stdin=io.BytesIO(b"https://b.example/\n"))


def test_a_pipe_is_made_readable_twice() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with seekable(Pipe(b"https://a.example/\n" * 3)) as copy:
        run_key(["-"], PLAN, Path("out"), stdin=copy)
        assert copy.read() == b"https://a.example/\n" * 3
