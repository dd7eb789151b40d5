"""What a slide shows of a sentence: as much of it as is read at a glance, cut where a clause ends."""

from __future__ import annotations

import re

LONGEST = 84
"""Characters."""
_SHORTEST = 28
_CLAUSE = re.compile(r"[,;:–—](?=\s)|\s(?=(?:because|so that|although|which|while|when|where|unless|until)\s)")
_ELLIPSIS = " …"


def at_a_glance(sentence: str) -> str:
    """The sentence without its full stop, or its beginning and an ellipsis."""
    whole = sentence.removesuffix(".") if not sentence.endswith("..") else sentence
    if len(whole) <= LONGEST:
        return whole
    ends = [found.start() for found in _CLAUSE.finditer(whole[: LONGEST + 1])]
    cut = next((end for end in reversed(ends) if end >= _SHORTEST), None)
    if cut is None:
        cut = whole.rfind(" ", 0, LONGEST)
    return whole[: cut if cut > 0 else LONGEST].rstrip(" ,;:–—") + _ELLIPSIS
