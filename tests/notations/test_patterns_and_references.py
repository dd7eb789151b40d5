"""Patterns whose time is bounded, and references to secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from rushes.notations import references
from rushes.notations.patterns import Patterns


def test_patterns_are_looked_for_at_the_beginning_in_capitals_or_not():
    patterns = Patterns(["ERROR:", "sorry|leider", r"\d+ failures"])
    for text in ("error: x", " \n\tERROR:", "Leider nicht", "12 failures", "SORRY"):
        assert patterns.begin(text), text
    for text in ("", "an error: x", "errors", "so leider", "failures"):
        assert not patterns.begin(text), text
    assert not Patterns([]).begin("error")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*x", "([a-zA-Z]+)*$"])
def test_no_pattern_takes_more_than_a_moment(pattern: str):
    Patterns([pattern]).begin("a" * 200_000 + "!")  # by Python's engine this would end after the sun


@pytest.mark.parametrize("pattern", ["", "(", "a)|(b", "(?=x)", "(?P<n>a)(?P=n)", "x" * 1001, "(?x)a # )"])
def test_a_wrong_pattern_is_refused(pattern: str):
    with pytest.raises(ValueError, match="pattern"):
        Patterns(["fine", pattern])


def test_a_reference_is_looked_up_where_it_says(tmp_path: Path):
    (tmp_path / "secret").write_text("of a file\n")
    assert references.look_up(references.check("env:KEY"), {"KEY": " of the environment"}) == "of the environment"
    assert references.look_up(references.check(f"file:{tmp_path / 'secret'}"), {}) == "of a file"


@pytest.mark.parametrize("text", ["s3cret", "env:", "env:A B", "file:relative", "file:", "ENV:KEY", ""])
def test_the_secret_itself_is_refused_and_not_repeated(text: str):
    with pytest.raises(ValueError, match="wanted a reference") as refused:
        references.check(text)
    assert not text or text not in str(refused.value).replace("env:NAME or file:/PATH", "")


def test_what_is_not_there_is_named_by_its_reference(tmp_path: Path):
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for reference, said in [
        ("env:KEY", "env:KEY is not set"),
        (f"file:{tmp_path / 'none'}", "cannot be read"),
        (f"file:{tmp_path}", "cannot be read"),
        (f"file:{tmp_path / 'binary'}", "cannot be read"),
        (f"file:{tmp_path / 'empty'}", "is empty"),
    ]:
        with pytest.raises(LookupError, match=said):
            references.look_up(reference, {})
