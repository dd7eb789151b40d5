"""What whoever writes a script is given: a request in words, material to make it of, or both."""

from __future__ import annotations

from dataclasses import dataclass

from rushes.text.scripts.material import Material

WORDS_PER_SECOND = 2.8
"""Measured: how fast the packaged voice reads, its pauses included."""
SHORTEST_QUERY, LONGEST_QUERY = 5, 500
"""Characters."""
LONGEST_TEXT = 500_000
"""Characters: a book."""


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    """A script to be written."""

    query: str | None = None
    """What it is to be about, or what it is to make of the material."""
    material: Material | None = None
    audience: str | None = None
    interest: str | None = None
    """What its listeners care about: examples are taken from there."""
    language: str | None = None
    """To write in, for engines that write."""
    seconds: int = 180
    """About how long it is to be, spoken."""

    @property
    def words(self) -> int:
        """About how many words that is."""
        return round(self.seconds * WORDS_PER_SECOND)


def speaking_time(words: int) -> float:
    """About how many seconds it takes to say so many words."""
    return round(words / WORDS_PER_SECOND, 1)
