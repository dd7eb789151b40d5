"""Adding up what ended: whoever ends jobs, or lets ended ones begin anew, says so here, in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rushes.queue.statements import sql

if TYPE_CHECKING:
    from rushes.queue.connection import Connection


async def tally(connection: Connection, jobs: Sequence[int]) -> None:
    """Add up jobs that have just ended."""
    if jobs:
        await connection.execute(sql("tally"), jobs, 1)


async def take_back(connection: Connection, jobs: Sequence[int]) -> None:
    """Take back what was added up for jobs that are about to begin anew. Others among them change nothing."""
    if jobs:
        await connection.execute(sql("tally"), jobs, -1)
