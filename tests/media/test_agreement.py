"""How far two transcripts agree, against a library that counts word errors."""

from __future__ import annotations

import random

import jiwer
import pytest

from rushes.media.agreement import agreement, edit_distance


def test_case_and_punctuation_do_not_count() -> None:
    assert agreement("Flour, water — and SALT.", "flour water and salt") == 1


def test_each_wrong_word_counts_once() -> None:
    assert agreement("one two three four", "one too three") == 0.5


@pytest.mark.parametrize(("one", "other"), [("", "words"), ("words", ""), ("...", "!"), ("one", "two three four five")])
def test_it_is_never_below_nothing(one: str, other: str) -> None:
    assert agreement(one, other) == 0


def test_it_counts_as_the_library_does() -> None:
    chance = random.Random(7)
    for _ in range(300):
        one, other = (chance.choices("abcde", k=chance.randrange(1, 130)) for _ in range(2))
        counted = jiwer.process_words(" ".join(one), " ".join(other))
        assert edit_distance(one, other) == counted.substitutions + counted.deletions + counted.insertions
