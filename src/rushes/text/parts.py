"""Long texts in questions to a language model: in parts that overlap, and in smaller ones where those were too long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable, Sequence
from typing import TypeVar

from rushes.errors import Permanent
from rushes.text.asking import TooLong
from rushes.text.sentences import Sentence

T = TypeVar("T")

_OVERLAP = 120
"""Words that a part repeats of the one before it, so that no thought is cut in two."""
_SMALLEST = 300
"""Words. A model that cannot take so many is of no use."""


async def shrinking(words: int, attempt: Callable[[int], Awaitable[T]]) -> T:
    """Try with parts of so many words, and with half as many for as long as that is too long for the model.

    Raises:
        Permanent: the smallest parts are too long.
    """
    while True:
        try:
            return await attempt(words)
        except TooLong as error:
            words //= 2
            if words < _SMALLEST:
                raise Permanent(f"{error.reason}, even in parts of {_SMALLEST} words") from None


def divided(sentences: Sequence[Sentence], words: int) -> list[tuple[int, int]]:
    """Ranges of sentences of about so many words each, overlapping, of about equal length."""
    total = sum(sentence.words for sentence in sentences)
    count = -(-total // words)
    size = total / count
    parts: list[tuple[int, int]] = []
    first, spoken = 0, 0
    for number, sentence in enumerate(sentences):
        spoken += sentence.words
        if spoken >= size * (len(parts) + 1) and len(parts) < count - 1:
            parts.append((first, number + 1))
            first = _back(sentences, number + 1)
    return [*parts, (first, len(sentences))]


def _back(sentences: Sequence[Sentence], number: int) -> int:
    repeated = 0
    while number > 0 and repeated + sentences[number - 1].words <= _OVERLAP:
        number -= 1
        repeated += sentences[number].words
    return number


def unknown_lines(named: Iterable[int], lines: Container[int]) -> str | None:
    """What is wrong with the lines that an answer names, in words for the model; None if nothing is."""
    unknown = sorted({line for line in named if line not in lines})
    if not unknown:
        return None
    shown = ", ".join(map(str, unknown[:10]))
    return f"There are no lines with the numbers {shown}. Give only line numbers that stand in brackets."
