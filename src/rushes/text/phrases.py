"""The phrases that name a subject, in the form in which the speaker said them: for chapter titles and topics.

A candidate is one to three content words in a row (`light client`), or two around `of` (`cost of capital`). It scores
by how often it is said here and, by the root, how rarely elsewhere: measured against chapter titles that people wrote.
Scripts without spaces give their repeated runs of letters.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rushes.text.lexicon import TOKEN, UNSPACED, Lexicon, tokens

Phrase = tuple[str, ...]
"""The counted forms of its words."""

_MARK = r"[,.;:!?()\[\]\"“”«»…—–。！？、，]"
_CLAUSE = re.compile(rf"(?<!{_MARK}){_MARK}++(?:\s|$)|[。！？、，]|\s[-–—]\s")
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")
_BLOCK = 4
_LONGEST = 3
_LONGEST_RUN = 6
_LENGTH_WEIGHT = 0.45
_SECOND = 0.55
"""A title's second phrase has at least this share of the first one's score."""


@dataclass(frozen=True, slots=True)
class _Found:
    phrase: Phrase
    surface: str


class Phrases:
    """All candidate phrases of one transcript and how far they are spread in it."""

    def __init__(self, texts: Sequence[str], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._found = [tuple(_candidates(text, lexicon)) for text in texts]
        blocks = [self._found[at : at + _BLOCK] for at in range(0, len(texts), _BLOCK)]
        self._blocks = max(1, len(blocks))
        self._spread = Counter(phrase for block in blocks for phrase in _phrases(block))
        self._surfaces = _surfaces(self._found)

    def topics(self, limit: int) -> list[str]:
        """What the whole is about, most telling first."""
        scores = self._scores(0, len(self._found), outside=self._blocks * 2)
        return [self._surfaces[phrase] for phrase in _apart(scores, limit)]

    def title(self, first: int, last: int, used: set[Phrase]) -> str | None:
        """A name for sentences `first` to `last` - 1; its phrases are added to `used` and not taken again."""
        scores = self._scores(first, last, outside=self._blocks)
        fresh = {phrase: score for phrase, score in scores.items() if phrase not in used}
        chosen = [phrase for phrase in _apart(fresh, 2) if fresh[phrase] >= _SECOND * max(fresh.values())]
        used.update(chosen)
        joint = " and " if self._lexicon.english else " / "
        return joint.join(headline(self._surfaces[phrase]) for phrase in chosen) or None

    def _scores(self, first: int, last: int, *, outside: int) -> dict[Phrase, float]:
        said = Counter(found.phrase for sentence in self._found[first:last] for found in sentence)
        least = 2 if last - first > 2 * _BLOCK else 1
        return {
            phrase: number * math.sqrt(math.log((1 + outside) / self._spread[phrase])) * _length_factor(phrase)
            for phrase, number in said.items()
            if number >= least
        }


def headline(surface: str) -> str:
    """`light clients` as `Light Clients`; what has capitals keeps them."""
    words = surface.split(" ")
    return " ".join(word if word in {"of", "and"} else word[:1].upper() + word[1:] for word in words)


def _length_factor(phrase: Phrase) -> float:
    return 1 + _LENGTH_WEIGHT * (sum(word != "of" for word in phrase) - 1)


def _apart(scores: Mapping[Phrase, float], limit: int) -> list[Phrase]:
    """The best phrases that share no word with a better one."""
    chosen: list[Phrase] = []
    taken: set[str] = set()
    for phrase in sorted(scores, key=lambda phrase: (-scores[phrase], phrase)):
        if len(chosen) == limit or scores[phrase] <= 0:
            break
        words = set(phrase) - {"of"}
        if not words & taken and not _overlaps(phrase, chosen):
            chosen.append(phrase)
            taken |= words
    return chosen


def _overlaps(phrase: Phrase, chosen: Iterable[Phrase]) -> bool:
    run = phrase[0]
    return bool(_UNSPACED_RUN.match(run)) and any(run in other[0] or other[0] in run for other in chosen)


def _phrases(block: Iterable[Iterable[_Found]]) -> set[Phrase]:
    return {found.phrase for sentence in block for found in sentence}


def _surfaces(found: Iterable[Iterable[_Found]]) -> dict[Phrase, str]:
    """For each phrase the form in which it was said most often."""
    forms: dict[Phrase, Counter[str]] = defaultdict(Counter)
    for sentence in found:
        for candidate in sentence:
            forms[candidate.phrase][candidate.surface] += 1
    return {phrase: max(counter, key=lambda form: (counter[form], form)) for phrase, counter in forms.items()}


def _candidates(text: str, lexicon: Lexicon) -> Iterator[_Found]:
    opening = True
    for clause in _CLAUSE.split(text.replace("’", "'")):
        words = [match[0] for match in TOKEN.finditer(clause)]
        if words and opening:
            words[0] = _without_initial(words[0])
            opening = False
        for run in _runs(words, lexicon):
            yield from _ngrams(run, lexicon)
        for match in _UNSPACED_RUN.finditer(clause):
            yield from _letter_runs(match[0], lexicon)


def _without_initial(word: str) -> str:
    """A sentence's first word in lower case, unless it is written with capitals inside."""
    return word.lower() if word[1:] == word[1:].lower() else word


def _runs(words: Sequence[str], lexicon: Lexicon) -> Iterator[list[str]]:
    run: list[str] = []
    for at, word in enumerate(words):
        spaced = not _UNSPACED_RUN.match(word)
        joins = lexicon.english and word == "of" and bool(run) and at + 1 < len(words)
        if spaced and (joins or lexicon.names(word.lower())):
            run.append(word)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _ngrams(run: Sequence[str], lexicon: Lexicon) -> Iterator[_Found]:
    for length in range(1, _LONGEST + 1):
        for at in range(len(run) - length + 1):
            words = run[at : at + length]
            if "of" in (words[0], words[-1]):
                continue
            yield _Found(tuple(lexicon.counted(word.lower()) for word in words), " ".join(words))


def _letter_runs(run: str, lexicon: Lexicon) -> Iterator[_Found]:
    for length in range(2, min(_LONGEST_RUN, len(run)) + 1):
        for at in range(len(run) - length + 1):
            part = run[at : at + length]
            if not any(pair in lexicon.stop for pair in tokens(part)):
                yield _Found((part,), part)
