"""The measures: boundary F1, Pk, and how much of the authored key points a summary holds."""

from __future__ import annotations

from collections.abc import Sequence

from rushes.text.lexicon import Lexicon, english_stopwords

TOLERANCE = 150
"""Words, a minute of speech: so far off a found boundary may be."""
_ENGLISH = Lexicon("en", english=True, stop=english_stopwords())


def boundary_f1(true: Sequence[int], found: Sequence[int]) -> float:
    """Harmonic mean of precision and recall, each boundary matched at most once, in order of position."""
    left = list(true)
    hits = 0
    for boundary in found:
        near = [other for other in left if abs(other - boundary) <= TOLERANCE]
        if near:
            left.remove(min(near, key=lambda other: abs(other - boundary)))
            hits += 1
    return 2 * hits / (len(true) + len(found)) if true or found else 1.0


def pk(true: Sequence[int], found: Sequence[int], words: int) -> float:
    """Share of word pairs, half a mean chapter apart, that are wrongly held for (un)separated (Beeferman et al., 1999).

    0 is perfect; chance is near 0.5.
    """
    window = max(2, round(words / (2 * (len(true) + 1))))
    wrong = sum(_separated(true, at, at + window) != _separated(found, at, at + window) for at in range(words - window))
    return wrong / (words - window)


def _separated(boundaries: Sequence[int], first: int, last: int) -> bool:
    return any(first < boundary <= last for boundary in boundaries)


def coverage(points: Sequence[str], summary: str) -> float:
    """Mean share of each authored point's content words that the summary holds (ROUGE-1 recall on stems)."""
    held = set(_ENGLISH.content(summary))
    shares = []
    for point in points:
        wanted = set(_ENGLISH.content(point))
        shares.append(len(wanted & held) / len(wanted))
    return sum(shares) / len(shares)
