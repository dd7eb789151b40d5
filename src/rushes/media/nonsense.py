"""Words that nobody said. A recogniser trained on subtitles writes some into music, noise and silence: thanks for
watching, one phrase over and over. Its own measures of doubt tell most of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rushes.media.cues import Piece

UNSURE = -1.0
"""Mean log probability of a word below which a window is heard again, and is not believed if it may be no speech.
With `NO_SPEECH` and `REPETITIVE` it is one of Whisper's own thresholds (Radford et al. 2022, section 4.5)."""
HOPELESS = -1.5
"""Below this it is not believed whatever the model says of speech."""
NO_SPEECH = 0.6
"""Probability that a window holds no speech."""
REPETITIVE = 2.4
"""How well a text compresses, from which on it may be repeating itself without end. "It was the best of times, it was
the worst of times" reaches that too, so it counts only for words that are not sure."""
NOT_SURE = -0.3
"""Mean log probability below which they are not."""
STOCK_UNSURE = 0.75
"""Mean probability of the words of a stock phrase below which it was not said."""
LOOP = 4
"""How often a phrase comes in a row before it is a loop. People say a thing three times."""
PHRASE = 12
"""Words of the longest phrase that is looked for."""
_STOCK = frozenset(
    {
        *("you", "bye", "oh", "so", "hmm", "okay", "music", "applause", "the end"),
        *("welcome", "let us begin", "lets begin"),
        *("thank you", "thank you very much", "thank you so much", "thanks"),
        *("thanks for watching", "thank you for watching", "thank you for listening"),
        *("please subscribe", "please subscribe to my channel", "subscribe to my channel"),
        *("see you next time", "ill see you next time", "ill see you in the next video"),
        "subtitles by the amaraorg community",
    }
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was made of one window of sound."""

    pieces: tuple[Piece, ...]
    certainty: float
    """Mean log probability of its words."""
    no_speech: float
    repetition: float

    @property
    def loops(self) -> bool:
        return len(without_loops(self.pieces)) < len(self.pieces)

    @property
    def doubtful(self) -> bool:
        """Worth hearing again by a slower method."""
        repeats = self.repetition > REPETITIVE and self.certainty < NOT_SURE
        return self.certainty < UNSURE or repeats or self.loops


def believed(heard: Heard, hint: str = "") -> tuple[Piece, ...]:
    """The words that were said, as far as that can be told: all of them, some, or none.

    `hint` is what the recogniser was told beforehand, and is apt to repeat where nobody speaks.
    """
    if heard.certainty < (UNSURE if heard.no_speech > NO_SPEECH else HOPELESS) or _is_stock(heard.pieces, hint):
        return ()
    return tuple(without_loops(heard.pieces))


def _is_stock(pieces: Sequence[Piece], hint: str) -> bool:
    text = " ".join(_plain(piece.text) for piece in pieces)
    sure = sum(piece.confidence or 0 for piece in pieces) / max(len(pieces), 1)
    return not text.strip() or (text in {*_STOCK, _plain(hint)} and sure < STOCK_UNSURE)


def without_loops(pieces: Sequence[Piece]) -> list[Piece]:
    """Each phrase that comes `LOOP` times in a row or more, once."""
    words = [_plain(piece.text) for piece in pieces]
    kept: list[Piece] = []
    index = 0
    while index < len(pieces):
        size, times = _loop_at(words, index)
        kept += pieces[index : index + size]
        index += size * times
    return kept


def _loop_at(words: Sequence[str], index: int) -> tuple[int, int]:
    """The size of the phrase that loops from here on, and how often it comes; (1, 1) where none does."""
    for size in range(1, PHRASE + 1):
        phrase, times = words[index : index + size], 1
        while words[index + size * times : index + size * (times + 1)] == phrase:
            times += 1
        if times >= LOOP and len(phrase) == size:
            return size, times
    return 1, 1


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", "", text).lower().split())
