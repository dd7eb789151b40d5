"""What became of each line of an input: an item, a repetition of an earlier line, or nothing that can be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rushes.model import NewItem


@dataclass(frozen=True, slots=True)
class Valid:
    """A line that became an item."""

    position: int
    """Its place among the items, from 1."""
    item: NewItem


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A line that names a video which an earlier line named."""

    origin: str
    """Where it stood: `list.txt:12`, `argument 2`."""
    text: str
    repeats: str
    """Where the first line stood that names it."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A line that cannot be used."""

    origin: str
    text: str
    reason: str


Line = Valid | Duplicate | Invalid


@dataclass(slots=True)
class Report:
    """Counts of lines, and the first of those that became no item."""

    keep: int = 20
    valid: int = 0
    duplicates: int = 0
    invalid: int = 0
    first_duplicates: list[Duplicate] = field(default_factory=list)
    first_invalid: list[Invalid] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.valid + self.duplicates + self.invalid

    def add(self, line: Line) -> None:
        if isinstance(line, Valid):
            self.valid += 1
        elif isinstance(line, Duplicate):
            self.duplicates += 1
            if len(self.first_duplicates) < self.keep:
                self.first_duplicates.append(line)
        else:
            self.invalid += 1
            if len(self.first_invalid) < self.keep:
                self.first_invalid.append(line)

    def counting(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines, counted as they pass."""
        for line in lines:
            self.add(line)
            yield line
