"""Doors: each source of work as the conformance suite sees it, with its own server and the words of its own world.

What sources promise differently they name in `differences`, which the suite's tests ask for by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from rushes.sources.base import WorkSource

DURABLE_LATER = "durable_later"
"""An outcome is durable, and known to be stale, at the next flush or when the source closes; not when `settle` returns."""
TAKES_ALL = "takes_all"
"""A source has all that waits once it has claimed anything: another, of another execution, finds it leased."""


class Door(Protocol):
    """Where work lies, and how it is looked at from outside."""

    name: str
    differences: frozenset[str]
    slot: str
    """The kind of slots that its assignments fill."""

    async def put(self, count: int) -> None:
        """Put in so many items, each for the stage `door`."""

    def source(self) -> WorkSource:
        """The source as a process of its own would open it."""

    async def expire(self) -> None:
        """Let the leases run out that are held now, as if their holders had fallen silent long ago."""

    async def states(self) -> Counter[str]:
        """How many items are `waiting`, `leased`, `done` and `failed`, as their own world tells it."""

    def command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Arguments and variables with which `rushes worker` works at it."""
