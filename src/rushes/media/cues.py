"""Words with times become cues of about a sentence.

Both captions and speech recognition cut where their own windows end, in the middle of sentences. A reader, a search and
a summary want sentences. So everything is first a row of timed pieces, and is cut here: at ends of sentences and at
long pauses; where nobody wrote punctuation, at pauses alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rushes.documents import Cue, Word

LONG_PAUSE = 2.0
"""Seconds of silence that end a cue wherever it is."""
SHORT_PAUSE = 0.7
"""Seconds that end a cue where there is no punctuation, if it has a few words."""
FEW_WORDS = 5
LONGEST = 20.0
"""Seconds of a sentence that is not divided."""
MOST_CHARACTERS = 280
LONGEST_BLOCK = 10.0
"""The same where there is no punctuation."""
MOST_BLOCK_CHARACTERS = 120
MARKS_WANTED = 1 / 60
"""Ends of sentences a word, from which on a text counts as punctuated."""
_END = re.compile(r"[.?!…]['\"”’)\]]*$|[。！？]$")
_ABBREVIATION = re.compile(r"(?:^|\W)(?:Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|etc|e\.g|i\.e|[A-Z])\.$")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, as a rule. `text` begins with the space that parts it from the one before, if there is one."""

    text: str
    start: float
    end: float
    exact: bool = True
    """The times were heard, not worked out from the length of the text."""
    confidence: float | None = None


def spread(text: str, start: float, end: float) -> list[Piece]:
    """The words of a text with times in proportion to their length."""
    words = re.findall(r"\s*\S+?(?:[。！？]+|(?=\s|$))", text)
    total = sum(len(word) for word in words) or 1
    pieces, at = [], start
    for word in words:
        till = at + (end - start) * len(word) / total
        pieces.append(Piece(word, at, till, exact=False))
        at = till
    return pieces


def group(pieces: Sequence[Piece]) -> tuple[Cue, ...]:
    """Cues of about a sentence. Pieces are in order and do not overlap."""
    if not pieces:
        return ()
    ends = sum(bool(_END.search(piece.text)) for piece in pieces)
    punctuated = ends >= len(pieces) * MARKS_WANTED
    return tuple(_cue(part) for part in (_sentences(pieces) if punctuated else _blocks(pieces)))


def _sentences(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    begin = 0
    for index, (piece, following) in enumerate(pairwise(pieces), 1):
        if following.start - piece.end > LONG_PAUSE or _ends_sentence(piece, following):
            yield from _divide(pieces[begin:index], LONGEST, MOST_CHARACTERS)
            begin = index
    yield from _divide(pieces[begin:], LONGEST, MOST_CHARACTERS)


def _ends_sentence(piece: Piece, following: Piece) -> bool:
    if not _END.search(piece.text) or _ABBREVIATION.search(piece.text):
        return False
    return not following.text.lstrip(" \"'“‘([")[:1].islower()


def _blocks(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    begin = 0
    for index, (piece, following) in enumerate(pairwise(pieces), 1):
        pause = following.start - piece.end
        if pause > LONG_PAUSE or (pause > SHORT_PAUSE and index - begin >= FEW_WORDS):
            yield from _divide(pieces[begin:index], LONGEST_BLOCK, MOST_BLOCK_CHARACTERS)
            begin = index
    yield from _divide(pieces[begin:], LONGEST_BLOCK, MOST_BLOCK_CHARACTERS)


def _divide(pieces: Sequence[Piece], seconds: float, characters: int) -> Iterator[Sequence[Piece]]:
    """Cut what is too long where it hurts least, until it is not."""
    waiting = [pieces]
    while waiting:
        part = waiting.pop()
        length = sum(len(piece.text) for piece in part)
        if len(part) > 1 and (part[-1].end - part[0].start > seconds or length > characters):
            cut = _best_cut(part)
            waiting += [part[cut:], part[:cut]]
        else:
            yield part


def _best_cut(pieces: Sequence[Piece]) -> int:
    """Before which piece to cut: near the middle, after a comma, at a pause."""
    middle = len(pieces) / 2

    def gain(index: int) -> float:
        before, after = pieces[index - 1], pieces[index]
        comma = 0.5 if before.text.endswith((",", ";", ":", "，", "、", "—")) else 0.0
        return comma + min(after.start - before.end, 1.0) - 2 * abs(index - middle) / len(pieces)

    return max(range(1, len(pieces)), key=gain)


def _cue(pieces: Sequence[Piece]) -> Cue:
    sure = [piece.confidence for piece in pieces if piece.confidence is not None]
    exact = all(piece.exact for piece in pieces)
    return Cue(
        text="".join(piece.text for piece in pieces).strip(),
        start=round(pieces[0].start, 3),
        end=round(pieces[-1].end, 3),
        words=tuple(_word(piece) for piece in pieces) if exact else (),
        confidence=round(sum(sure) / len(sure), 3) if sure else None,
    )


def _word(piece: Piece) -> Word:
    return Word(text=piece.text.strip(), start=round(piece.start, 3), end=round(piece.end, 3))
