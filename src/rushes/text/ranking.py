"""Which sentences say most: those that hold the most said words that no chosen sentence holds yet, and that read well.

This is greedy maximum coverage (Gillick and Favre, 2009). Measured in `bench/quality` and against chapter titles that
people wrote, it holds a third more of what matters than LexRank with maximal marginal relevance does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from rushes.text.discourse import GREETING, INTENT, LEANING, PROMOTION, WEIGHTY
from rushes.text.lexicon import Lexicon
from rushes.text.sentences import Sentence

_FREQUENCY_POWER = 0.8
_LENGTH_POWER = 0.8
_WORDING_WEIGHT = 0.5
_STUB, _SHORT, _LONG = 6, 9, 45
"""Words."""

Weights = Mapping[str, float]


class Ranking:
    """The sentences of one transcript, weighed."""

    def __init__(self, sentences: Sequence[Sentence], lexicon: Lexicon) -> None:
        self._sentences = sentences
        self._english = lexicon.english
        self._content = [lexicon.naming(sentence.text) for sentence in sentences]
        self._held = [sorted(set(words)) for words in self._content]
        self._wording = [_wording(sentence, english=lexicon.english) for sentence in sentences]
        self._said = Counter(word for words in self._content for word in words)
        self._weights = {word: count**_FREQUENCY_POWER for word, count in self._said.items() if count > 1}

    def best(self, limit: int, taken: Iterable[int] = (), among: Sequence[int] | None = None) -> list[int]:
        """The most telling sentences of the whole, or of those `among` which to choose, beside those taken."""
        return self._choose(range(len(self._sentences)) if among is None else among, self._weights, limit, taken)

    def best_within(self, first: int, last: int, limit: int, taken: Iterable[int] = ()) -> list[int]:
        """The most telling sentences of one chapter, `first` to `last` - 1: by what is said in it, and in the whole."""
        said = Counter(word for words in self._content[first:last] for word in words)
        weights = {word: (count * self._said[word]) ** 0.5 for word, count in said.items() if self._said[word] > 1}
        return self._choose(range(first, last), weights, limit, taken)

    def intent(self) -> int | None:
        """The sentence near the start in which the speaker says what will come."""
        if not self._english:
            return None
        near = range(min(len(self._sentences), max(12, len(self._sentences) // 8)))
        return next((at for at in near if _states_intent(self._sentences[at])), None)

    def _choose(self, among: Sequence[int], weights: Weights, limit: int, taken: Iterable[int]) -> list[int]:
        taken = set(taken)
        covered = {word for at in taken for word in self._held[at]}
        left = [at for at in among if at not in taken]
        usual = _usual([self._gain(at, weights, covered) for at in left])
        chosen: list[int] = []
        while left and len(chosen) < limit:
            best = max(left, key=lambda at: (self._gain(at, weights, covered) / usual + self._read(at), -at))
            left.remove(best)
            chosen.append(best)
            covered.update(self._held[best])
        return chosen

    def _gain(self, at: int, weights: Weights, covered: set[str]) -> float:
        new = sum(weights.get(word, 0.0) for word in self._held[at] if word not in covered)
        return new / float(max(_STUB, self._sentences[at].words) ** _LENGTH_POWER)

    def _read(self, at: int) -> float:
        return _WORDING_WEIGHT * self._wording[at]


def _usual(gains: Sequence[float]) -> float:
    """What a good sentence gains, the median of the best tenth: the measure for what wording may weigh."""
    best = sorted(gains)[-max(1, len(gains) // 10) :]
    return (median(best) if best else 0.0) or 1.0


def _states_intent(sentence: Sentence) -> bool:
    text = sentence.text.replace("’", "'")
    return bool(INTENT.search(text)) and _SHORT <= sentence.words <= _LONG and not PROMOTION.search(text)


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
