"""How far two transcripts of one video agree, as 1 - word error rate, at least 0."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def agreement(reference: str, other: str) -> float:
    """1 - word error rate of `other` against `reference`, without case and punctuation; 0 where one has no words.

    Takes about 5 s for two transcripts of ten hours: call it in a thread.
    """
    expected, heard = _words(reference), _words(other)
    if not expected or not heard:
        return 0.0
    return max(0.0, 1 - edit_distance(expected, heard) / len(expected))


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Fewest words to insert, delete or replace: Myers' bit vectors (1999) in Hyyrö's form, a column at a time."""
    if not one:
        return len(other)
    places: dict[str, int] = {}
    for index, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << index
    everywhere, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    up, down, distance = everywhere, 0, len(one)
    for word in other:
        equal = places.get(word, 0) | down
        diagonal = ((((equal & up) + up) & everywhere) ^ up) | equal
        right, left = down | (everywhere & ~(diagonal | up)), up & diagonal
        distance += bool(right & last) - bool(left & last)
        right, left = (right << 1 | 1) & everywhere, (left << 1) & everywhere
        up, down = left | (everywhere & ~(diagonal | right)), right & diagonal
    return distance


def _words(text: str) -> list[str]:
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]
