"""Where chapters begin: units of about 40 words, cut by cohesion, each cut moved to the sentence that opens a subject.

Every number here was chosen by measuring on talks with chapters set by people, and by `bench/quality`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from rushes.text.discourse import opening
from rushes.text.lexicon import Lexicon
from rushes.text.segmentation import best_cuts
from rushes.text.sentences import Sentence
from rushes.text.vectors import tfidf

_UNIT = 40
_MAX_UNITS = 1500
_WORDS_PER_CHAPTER = 550
_FEWEST, _MOST = 3, 16
_TOO_SHORT = 350
"""Words. Below, chapters would be paragraphs: there is one."""
_SHORTEST_SHARE = 0.25
"""Of the mean chapter."""
_NEAR = 25
"""Words that a cut may move: about ten seconds."""
_CUT_WEIGHT = 0.1
_DISTANCE_WEIGHT = 0.005
_LONG_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class _Candidate:
    sentence: int
    support: float


def count(words: int) -> int:
    """How many chapters a talk of so many words gets."""
    if words < _TOO_SHORT:
        return 1
    return min(_MOST, max(_FEWEST, round(words / _WORDS_PER_CHAPTER)))


def find(sentences: Sequence[Sentence], lexicon: Lexicon, chapters: int | None = None) -> list[int]:
    """Return the sentences with which chapters after the first begin, ascending."""
    positions = [0, *accumulate(sentence.words for sentence in sentences)]
    chapters = chapters or count(positions[-1])
    units = _units(positions)
    if chapters == 1 or len(units) <= 2:  # noqa: PLR2004  (one unit and the end)
        return []
    candidates = _candidates(units, positions, sentences, lexicon)
    cuts = best_cuts(
        tfidf([_content(sentences[a:b], lexicon) for a, b in pairwise(units)]),
        [positions[unit] for unit in units],
        min(chapters, len(units) - 1),
        shortest=positions[-1] / chapters * _SHORTEST_SHARE,
        bonus=[candidate.support for candidate in candidates],
    )
    return _distinct([candidates[cut].sentence for cut in cuts], sentences)


def _units(positions: Sequence[int]) -> list[int]:
    """The sentences with which units begin, and the end."""
    size = max(_UNIT, positions[-1] / _MAX_UNITS)
    starts = [0]
    for sentence in range(1, len(positions) - 1):
        if positions[sentence] - positions[starts[-1]] >= size:
            starts.append(sentence)
    end = len(positions) - 1
    if len(starts) > 1 and positions[end] - positions[starts[-1]] < size / 2:
        starts.pop()
    return [*starts, end]


def _content(sentences: Sequence[Sentence], lexicon: Lexicon) -> list[str]:
    return [word for sentence in sentences for word in lexicon.content(sentence.text)]


def _candidates(
    units: Sequence[int], positions: Sequence[int], sentences: Sequence[Sentence], lexicon: Lexicon
) -> list[_Candidate]:
    """For the start of each unit the best sentence near it to cut before."""
    support = [_support(sentence, lexicon) for sentence in sentences]
    found = [_Candidate(0, 0.0)]
    for unit in units[1:-1]:
        near = _near(unit, positions)
        best = max(near, key=lambda at: (support[at] - _DISTANCE_WEIGHT * abs(positions[at] - positions[unit]), -at))
        value = support[best] - _DISTANCE_WEIGHT * abs(positions[best] - positions[unit])
        found.append(_Candidate(best, _CUT_WEIGHT * value))
    return found


def _near(unit: int, positions: Sequence[int]) -> range:
    first, last = unit, unit
    while first > 1 and positions[unit] - positions[first - 1] <= _NEAR:
        first -= 1
    while last < len(positions) - 2 and positions[last + 1] - positions[unit] <= _NEAR:
        last += 1
    return range(first, last + 1)


def _support(sentence: Sentence, lexicon: Lexicon) -> float:
    """What speaks for a cut before this sentence: its wording and the silence before it."""
    spoken = opening(sentence.text) if lexicon.english else 0.0
    return spoken + min(sentence.pause, _LONG_PAUSE) / _LONG_PAUSE


def _distinct(cuts: Sequence[int], sentences: Sequence[Sentence]) -> list[int]:
    """Cuts whose chapters begin at different times: two sentences of one cue share theirs."""
    kept: list[int] = []
    began = sentences[0].start
    for cut in sorted(set(cuts)):
        if sentences[cut].start > began:
            kept.append(cut)
            began = sentences[cut].start
    return kept
