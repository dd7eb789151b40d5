"""Events of a batch, with gapless numbers that its own row gives out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rushes.model import BatchId
from rushes.queue.statements import sql

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

NewEvent = tuple[str, int | None, dict[str, Any]]
"""Kind, item, data."""


async def add_events(connection: Connection, batch_id: BatchId, last: int, events: Sequence[NewEvent]) -> None:
    """Write events whose last number is `last`, as the batch's row has just given them out."""
    if events:
        columns = map(list, zip(*events, strict=True))
        await connection.execute(sql("add_events"), batch_id, last - len(events), *columns)
