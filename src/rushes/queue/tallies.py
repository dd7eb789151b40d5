"""Keeping the sums of what ended small: settlements add rows, and upkeep puts rows of one stretch of time together.

Sums stay what they were, whoever reads them meanwhile: a step takes rows and gives their sum in one statement. Only one
worker does it at a time and nobody waits for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rushes.queue.statements import sql

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

LEVELS = (("minute", timedelta(0)), ("hour", timedelta(days=2)), ("day", timedelta(days=60)))
"""What rows of grain 0, 1 and 2 are put together to, and when. `statistics.sql` starts its windows accordingly."""
STEP = 10_000
MOST_STEPS = 20
"""Steps of one call, so that nobody's upkeep takes long; what is left is done at the next."""


async def roll_up(connection: Connection) -> int:
    """Put rows together where that is due. Returns how many were; with nothing to do it costs one short statement."""
    units, ages = zip(*LEVELS, strict=True)
    due = await connection.fetch(sql("tallies_due"), list(range(len(LEVELS))), units, ages)
    taken = 0
    for level in due:
        for _ in range(MOST_STEPS):
            step = await _step(connection, level["grain"], level["unit"], level["age"])
            taken += step
            if step < STEP:
                break
    return taken


async def _step(connection: Connection, grain: int, unit: str, age: timedelta) -> int:
    async with connection.transaction():
        if not await connection.fetchval("select pg_try_advisory_xact_lock(hashtextextended('rushes tallies', 0))"):
            return 0
        return int(await connection.fetchval(sql("roll_up"), grain, unit, age, STEP))
