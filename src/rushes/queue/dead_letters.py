"""Dead letters: what failed for good, as groups that a person can decide on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rushes.model import JobId
from rushes.queue.statements import sql

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Jobs that failed for good with one class of error in one kind of work."""

    error_class: str
    kind: str
    jobs: int
    first_seen: datetime
    last_seen: datetime
    example: JobId
    """The newest of them."""
    message: str | None
    """What the example failed with."""


async def dead_letters(
    pool: asyncpg.Pool[asyncpg.Record], *, kind: str | None = None, error_class: str | None = None
) -> list[DeadLetters]:
    """What failed for good, the largest group first."""
    return [DeadLetters(**row) for row in await pool.fetch(sql("dead_letters"), kind, error_class)]
