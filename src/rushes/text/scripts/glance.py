"""What a slide shows of a sentence: as much of it as is read at a glance, cut where a clause ends."""

from __future__ import annotations

import re

from rushes.text.lexicon import english_stopwords

LONGEST = 84
"""Characters."""
_SHORTEST = 28
_CLAUSE = re.compile(r"[,;:–—](?=\s)|\s(?=(?:because|so that|although|which|while|when|where|unless|until)\s)")
_FEWEST = 4
"""Words that stay whatever they are."""
_MARKS = " ,;:–—"
_ELLIPSIS = " …"


def at_a_glance(sentence: str) -> str:
    """The sentence without its full stop, or its beginning and an ellipsis."""
    whole = sentence.removesuffix(".") if not sentence.endswith("..") else sentence
    if len(whole) <= LONGEST:
        return whole
    ends = [found.start() for found in _CLAUSE.finditer(whole[: LONGEST + 1])]
    clause = next((end for end in reversed(ends) if end >= _SHORTEST), None)
    if clause:
        return whole[:clause].rstrip(_MARKS) + _ELLIPSIS
    space = whole.rfind(" ", 0, LONGEST)
    return (_without_loose_end(whole[:space]) if space > 0 else whole[:LONGEST]) + _ELLIPSIS


def _without_loose_end(text: str) -> str:
    """Without small words at its end, which promise what is not there."""
    words = text.rstrip(_MARKS).split(" ")
    while len(words) > _FEWEST and words[-1].lower() in english_stopwords():
        words.pop()
    return " ".join(words).rstrip(_MARKS)
