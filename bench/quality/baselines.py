"""What anybody would try first: even cuts, TextTiling, the first sentences, random sentences."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rushes.documents import Transcript
from rushes.text import boundaries
from rushes.text.lexicon import Lexicon
from rushes.text.sentences import Sentence, split
from rushes.text.vectors import tfidf

if TYPE_CHECKING:
    from rushes.text.vectors import Matrix

_WINDOW = 200
"""Words on either side that TextTiling compares."""
_STEP = 20


def uniform(words: int, chapters: int) -> list[int]:
    return [round(words * number / chapters) for number in range(1, chapters)]


def texttiling(transcript: Transcript, chapters: int) -> list[int]:
    """The deepest valleys of likeness between neighbouring windows (Hearst, 1997), at least a third of a chapter apart."""
    sentences = split(transcript)
    words = [word for sentence in sentences for word in sentence.text.split()]
    lexicon = Lexicon.of([sentence.text for sentence in sentences], "en")
    blocks = [lexicon.content(" ".join(words[at : at + _STEP])) for at in range(0, len(words), _STEP)]
    depths = _depths(_likeness(tfidf(blocks)))
    apart = len(words) / chapters / 3
    chosen: list[int] = []
    for gap in sorted(range(1, len(blocks)), key=lambda gap: -depths[gap]):
        at = gap * _STEP
        if len(chosen) < chapters - 1 and all(abs(at - other) >= apart for other in [0, *chosen, len(words)]):
            chosen.append(at)
    return sorted(chosen)


def _likeness(vectors: Matrix) -> list[float]:
    import numpy as np

    width = _WINDOW // _STEP
    values = [1.0]
    for gap in range(1, len(vectors)):
        before, after = vectors[max(0, gap - width) : gap].sum(axis=0), vectors[gap : gap + width].sum(axis=0)
        values.append(float(before @ after / (np.linalg.norm(before) * np.linalg.norm(after) + 1e-9)))
    return values


def _depths(likeness: Sequence[float]) -> list[float]:
    return [_climb(likeness, gap, -1) + _climb(likeness, gap, 1) for gap in range(len(likeness))]


def _climb(likeness: Sequence[float], gap: int, step: int) -> float:
    """How far it rises from a gap to the next peak on one side."""
    at = gap
    while 1 <= at + step < len(likeness) and likeness[at + step] >= likeness[at]:
        at += step
    return likeness[at] - likeness[gap]


def lead(sentences: Sequence[Sentence], words: int) -> str:
    """The first sentences, up to so many words."""
    return _up_to(sentences, words)


def at_random(sentences: Sequence[Sentence], words: int, seed: int) -> str:
    shuffled = list(sentences)
    random.Random(seed).shuffle(shuffled)
    return _up_to(shuffled, words)


def _up_to(sentences: Sequence[Sentence], words: int) -> str:
    taken: list[str] = []
    for sentence in sentences:
        if sum(len(text.split()) for text in taken) >= words:
            break
        taken.append(sentence.text)
    return " ".join(taken)


def chapter_count(words: int) -> int:
    """All methods are asked for as many chapters as ours finds by length."""
    return boundaries.count(words)
