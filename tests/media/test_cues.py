"""Timed words become cues of about a sentence."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.media.cues import LONGEST, LONGEST_BLOCK, Piece, group, spread


def said(text: str, *, pace: float = 0.4, pauses: dict[int, float] | None = None) -> list[Piece]:
    """Words one after another; `pauses` are seconds of silence before the word of that number."""
    pieces, at = [], 0.0
    for number, word in enumerate(text.split()):
        at += (pauses or {}).get(number, 0)
        pieces.append(Piece(f" {word}", at, at + pace, confidence=0.5))
        at += pace
    return pieces


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One is. Two is! Three?", ["One is.", "Two is!", "Three?"]),
        ("Dr. Smith met Mr. J. Jones. They spoke.", ["Dr. Smith met Mr. J. Jones.", "They spoke."]),
        ("It costs 3.5 dollars. Yes.", ["It costs 3.5 dollars.", "Yes."]),
        ('He said "no." She left.', ['He said "no."', "She left."]),
        ("Well ... maybe. So.", ["Well ... maybe.", "So."]),
    ],
)
def test_a_cue_is_a_sentence(text: str, sentences: list[str]) -> None:
    assert [cue.text for cue in group(said(text))] == sentences


def test_a_long_pause_ends_a_cue_in_the_middle_of_a_sentence() -> None:
    cues = group(said("Now we wait for a while longer. Yes.", pauses={3: 5}))

    assert [cue.text for cue in cues] == ["Now we wait", "for a while longer.", "Yes."]


def test_a_sentence_without_end_is_cut_after_a_comma() -> None:
    cues = group(said("word " * 28 + "clause, " + "word " * 30 + "end."))

    assert len(cues) == 2
    assert cues[0].text.endswith("clause,")


def test_a_cue_carries_its_words_and_how_sure_they_are() -> None:
    (cue,) = group(said("Flour and water."))

    assert [word.text for word in cue.words] == ["Flour", "and", "water."]
    assert (cue.start, cue.end, cue.confidence) == (0, 1.2, 0.5)


def test_times_that_were_worked_out_are_not_given_as_heard() -> None:
    (cue,) = group(spread("Flour and water.", 1, 3))

    assert cue.words == ()
    assert (cue.start, cue.end) == (1, 3)


def test_nothing_said_is_no_cue() -> None:
    assert group([]) == ()


WORDS = st.lists(
    st.tuples(st.text("abc.,?! é好", min_size=1, max_size=8).filter(str.strip), st.floats(0, 9), st.floats(0, 3)),
    max_size=80,
)


@given(WORDS)
def test_no_word_is_lost_or_moved_and_no_cue_is_too_long(words: list[tuple[str, float, float]]) -> None:
    pieces, at = [], 0.0
    for text, pause, length in words:
        at += pause
        pieces.append(Piece(f" {text.strip()}", at, at + length))
        at += length

    cues = group(pieces)

    assert " ".join(cue.text for cue in cues).split() == "".join(piece.text for piece in pieces).split()
    assert all(before.end <= after.start for before, after in pairwise(cues))
    assert all(cue.end - cue.start <= max(LONGEST, LONGEST_BLOCK) or len(cue.words) == 1 for cue in cues)
