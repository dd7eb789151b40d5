"""Which sentences say most: LexRank, what their wording tells, and no saying the same thing twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rushes.text.discourse import GREETING, INTENT, LEANING, PROMOTION, WEIGHTY
from rushes.text.lexicon import Lexicon
from rushes.text.sentences import Sentence
from rushes.text.vectors import lexrank, tfidf

if TYPE_CHECKING:
    from rushes.text.vectors import Matrix

_CENTRALITY = 0.6
_LOCAL = 0.6
_REPETITION = 0.6
_STUB, _SHORT, _LONG = 6, 9, 45
"""Words."""


class Ranking:
    """The sentences of one transcript, weighed."""

    def __init__(self, sentences: Sequence[Sentence], lexicon: Lexicon) -> None:
        import numpy as np

        self._sentences = sentences
        self._english = lexicon.english
        self._vectors: Matrix = tfidf([lexicon.content(sentence.text) for sentence in sentences])
        self._wording: Matrix = np.array([_wording(sentence, english=lexicon.english) for sentence in sentences])
        self._central: Matrix = lexrank(self._vectors)

    def best(self, among: Sequence[int], limit: int, taken: Iterable[int] = ()) -> list[int]:
        """The most telling sentences of the whole among those given, unlike each other and those taken."""
        return self._spread(among, self._wording + _CENTRALITY * self._central, limit, taken)

    def best_within(self, first: int, last: int, limit: int, taken: Iterable[int] = ()) -> list[int]:
        """The most telling sentences of one chapter, `first` to `last` - 1."""
        weights = self._wording + (_CENTRALITY - _LOCAL / 2) * self._central
        weights[first:last] += _LOCAL * lexrank(self._vectors[first:last])
        return self._spread(range(first, last), weights, limit, taken)

    def intent(self) -> int | None:
        """The sentence near the start in which the speaker says what will come."""
        if not self._english:
            return None
        near = range(min(len(self._sentences), max(12, len(self._sentences) // 8)))
        return next((at for at in near if self._states_intent(self._sentences[at])), None)

    def _states_intent(self, sentence: Sentence) -> bool:
        text = sentence.text.replace("’", "'")
        return bool(INTENT.search(text)) and _SHORT <= sentence.words <= _LONG and not PROMOTION.search(text)

    def _spread(self, among: Sequence[int], weights: Matrix, limit: int, taken: Iterable[int]) -> list[int]:
        """Maximal marginal relevance (Carbonell and Goldstein, 1998)."""
        import numpy as np

        left = list(among)
        likeness = np.zeros(len(self._sentences))
        chosen: list[int] = []
        for at in taken:
            likeness = np.maximum(likeness, self._vectors @ self._vectors[at])
            if at in left:
                left.remove(at)
        while left and len(chosen) < limit:
            best = max(left, key=lambda at: (weights[at] - _REPETITION * likeness[at], -at))
            left.remove(best)
            chosen.append(best)
            likeness = np.maximum(likeness, self._vectors @ self._vectors[best])
        return chosen


def _wording(sentence: Sentence, *, english: bool) -> float:
    """What length and wording say for a sentence: at most 0.1, less for whatever reads badly out of its place."""
    weight = 0.0
    if sentence.words < _STUB:
        weight -= 1.0
    elif sentence.words < _SHORT:
        weight -= 0.3
    elif sentence.words > _LONG:
        weight -= 0.4
    if sentence.text.rstrip().endswith(("?", "？", "؟")):
        weight -= 0.5
    return weight + (_english_wording(sentence.text.replace("’", "'")) if english else 0.0)


def _english_wording(text: str) -> float:
    weight = 0.0
    if GREETING.search(text):
        weight -= 0.8
    if PROMOTION.search(text):
        weight -= 1.5
    if LEANING.search(text):
        weight -= 0.25
    if WEIGHTY.search(text):
        weight += 0.1
    return weight
