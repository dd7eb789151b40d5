"""What a slide shows of a sentence: as much of it as is read at a glance, cut where a clause ends."""

from __future__ import annotations

import re

LONGEST = 84
"""Characters."""
_SHORTEST = 28
_CLAUSE = re.compile(r"[,;:–—](?=\s)|\s(?=(?:because|so that|although|which|while|when|where|unless|until)\s)")
_LOOSE = re.compile(
    r"(?:[\s,;:–—]+(?:a|an|and|as|at|by|for|from|in|is|are|of|on|or|so|that|the|to|which|with))+$", re.IGNORECASE
)
"""Small words at an end, which promise what is not there."""
_MARKS = " ,;:–—"
_ELLIPSIS = " …"


def at_a_glance(sentence: str) -> str:
    """The sentence without its full stop, or its beginning and an ellipsis."""
    whole = sentence.removesuffix(".") if not sentence.endswith("..") else sentence
    if len(whole) <= LONGEST:
        return whole
    ends = [found.start() for found in _CLAUSE.finditer(whole[: LONGEST + 1])]
    clause = next((end for end in reversed(ends) if end >= _SHORTEST), None)
    cut = clause or max(0, whole.rfind(" ", 0, LONGEST)) or LONGEST
    return _LOOSE.sub("", whole[:cut].rstrip(_MARKS)) + _ELLIPSIS
