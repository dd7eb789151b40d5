"""Words as the text engine sees them: which are content, and in what form they are counted.

English has a list of stop words. For any other language a word counts as a stop word if it stands in many sentences of
the very transcript; scripts that put no space between words (Chinese, Japanese, Thai, …) are read as pairs of letters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# Signs that combine with letters are no word characters to `re`, though Hindi or Hebrew words hold them.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
_LETTER = rf"(?:(?![{UNSPACED}_])[\w{_MARKS}])"
TOKEN = re.compile(rf"[{UNSPACED}]+|{_LETTER}+(?:['’.\-]{_LETTER}+)*")
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")

_PLURAL = re.compile(r"(?<=\w\w)(?P<ies>ies)$|'s$|(?<=\w\w[^\W_sui'])s$")

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_STOP_SHARE = 0.08
_ENGLISH_SHARE = 0.3
_SHORTEST = 3


def printable(text: str) -> str:
    """Without control characters other than tabs and line ends: no database takes a NUL, no terminal an escape."""
    return _CONTROL.sub("", text)


def english_stopwords() -> frozenset[str]:
    return word_list("stopwords_en.txt")


def english_bland_words() -> frozenset[str]:
    """Words that carry content and yet name no subject: they tell chapters apart but make no title."""
    return word_list("bland_en.txt")


@cache
def word_list(name: str) -> frozenset[str]:
    """The words of a file in `data/`."""
    return frozenset((Path(__file__).with_name("data") / name).read_text(encoding="utf-8").split())


def tokens(text: str) -> list[str]:
    """Lower-case words, and letter pairs of scripts without spaces."""
    found: list[str] = []
    for match in TOKEN.finditer(text.lower().replace("’", "'")):
        word = match[0]
        if _UNSPACED_RUN.match(word) and len(word) > 1:
            found.extend(word[i : i + 2] for i in range(len(word) - 1))
        else:
            found.append(word)
    return found


def word_count(text: str) -> int:
    """How many words there are; two letters of a script without spaces count as one."""
    letters = sum(len(run) for run in _UNSPACED_RUN.findall(text))
    if not letters:
        return len(text.split())
    return (letters + 1) // 2 + len(_UNSPACED_RUN.sub(" ", text).split())


def stem(word: str) -> str:
    """Take an English plural for its singular: measured, it helps chapters; stronger stemming does not."""
    return _PLURAL.sub(lambda match: "y" if match["ies"] else "", word)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Which words of one transcript carry content."""

    language: str | None
    """BCP 47 tag, where known."""
    english: bool
    stop: frozenset[str]

    @classmethod
    def of(cls, texts: Sequence[str], language: str | None) -> Lexicon:
        """Learn from a transcript's sentences. Without a language English is recognised by its small words."""
        words = [tokens(text) for text in texts]
        english = primary(language) == "en" if language else _looks_english(words)
        stop = english_stopwords() if english else _frequent(words)
        return cls(language or ("en" if english else None), english, stop)

    def is_content(self, word: str) -> bool:
        long_enough = len(word) >= _SHORTEST or (bool(_UNSPACED_RUN.match(word)) and len(word) > 1)
        return long_enough and word not in self.stop and not word.isdigit()

    def names(self, word: str) -> bool:
        """Whether a content word can stand in the name of a subject."""
        if not self.is_content(word):
            return False
        return not self.english or not ({word, stem(word)} & (english_bland_words() | self.stop))

    def content(self, text: str) -> list[str]:
        """The content words in the form in which they are counted."""
        return [self.counted(word) for word in tokens(text) if self.is_content(word)]

    def naming(self, text: str) -> list[str]:
        """The words that can name a subject, in the form in which they are counted."""
        return [self.counted(word) for word in tokens(text) if self.names(word)]

    def counted(self, word: str) -> str:
        """A lower-case word in the form in which it is counted."""
        return stem(word) if self.english else word


def primary(language: str | None) -> str | None:
    """`en` of `en-GB`."""
    return re.split("[-_]", language)[0].lower() if language else None


def _looks_english(sentences: Iterable[Sequence[str]]) -> bool:
    words = [word for sentence in sentences for word in sentence]
    return bool(words) and sum(word in english_stopwords() for word in words) >= _ENGLISH_SHARE * len(words)


def _frequent(sentences: Sequence[Sequence[str]]) -> frozenset[str]:
    within = Counter(word for sentence in sentences for word in set(sentence))
    return frozenset(word for word, count in within.items() if count >= max(3, _STOP_SHARE * len(sentences)))
