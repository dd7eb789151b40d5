"""Words that nobody said are not believed; words that somebody said are."""

from __future__ import annotations

import pytest

from rushes.media.cues import Piece
from rushes.media.nonsense import Heard, believed


def heard(text: str, *, sure: float = 0.9, certainty: float = -0.2, no_speech: float = 0.05) -> Heard:
    words = text.split()
    pieces = tuple(Piece(f" {word}", index, index + 0.5, confidence=sure) for index, word in enumerate(words))
    return Heard(pieces, certainty, no_speech, repetition=1.0)


def text_of(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces).strip()


@pytest.mark.parametrize(
    "nonsense",
    [
        # As tiny.en made them of noise, a hum, chords and a tremolo, with its measures.
        heard("I'm going to take a look at this.", sure=0.31, certainty=-1.65, no_speech=0.39),
        heard("Thank you.", sure=0.49, certainty=-1.02, no_speech=0.88),
        heard("Thank you.", sure=0.49, certainty=-0.96, no_speech=0.92),
        heard("Thanks for watching!", sure=0.6, certainty=-0.8, no_speech=0.4),
        heard("...", sure=0.9),
        heard(""),
    ],
)
def test_what_was_made_of_noise_is_dropped(nonsense: Heard) -> None:
    assert believed(nonsense) == ()


def test_a_thank_you_that_was_clearly_said_is_kept() -> None:
    assert text_of(believed(heard("Thank you very much.", sure=0.95))) == "Thank you very much."


def test_the_hint_repeated_into_noise_is_dropped() -> None:
    assert believed(heard("Bread at home", sure=0.5, certainty=-0.9), "Bread at home!") == ()


def test_unsure_words_in_noise_are_kept_where_there_is_speech() -> None:
    assert believed(heard("epoch of incredulity", sure=0.4, certainty=-1.1, no_speech=0.2))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("so we can see that we can see that we can see that we can see that we go", "so we can see that we go"),
        ("no no no no no no", "no"),
        ("it was very very very good", "it was very very very good"),
        ("one two one two three", "one two one two three"),
        ("Yes. Yes, yes! YES. done", "Yes. done"),
    ],
)
def test_a_phrase_in_a_loop_is_said_once(text: str, kept: str) -> None:
    assert text_of(believed(heard(text))) == kept
