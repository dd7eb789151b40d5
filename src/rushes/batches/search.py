"""Full-text search over everything that was said and summed up, with the time it was said at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rushes.masking import masked
from rushes.queue.statements import sql

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that matches."""

    title: str
    location: str
    stage: str
    start: float
    """Seconds from the video's start."""
    text: str
    """The passage, its matching words between « and »."""


async def search(pool: asyncpg.Pool[asyncpg.Record], words: str, *, limit: int = 20) -> list[Hit]:
    """Find passages, best first. Words are as people type them: `"a phrase"`, `or`, `-without`."""
    rows = await pool.fetch(sql("search"), words, limit)
    return [Hit(r["title"], masked(r["location"]), r["stage"], r["start"], r["text"]) for r in rows]
