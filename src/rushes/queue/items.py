"""Items join a batch: when it is made, when the same command brings new lines, and when a stage finds videos."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rushes.database import storable
from rushes.lanes import lane_of
from rushes.model import BatchId, NewItem
from rushes.pipelines import first_step
from rushes.queue.control import hold
from rushes.queue.statements import sql

if TYPE_CHECKING:
    from rushes.queue.connection import Connection


async def add_items(connection: Connection, batch_id: BatchId, items: Sequence[NewItem]) -> int:
    """Add items after the last one, each with its first job. Returns how many joined: known videos do not.

    Takes the batch's row lock first, so that two who add at once give out positions one after the other. The caller
    counts them into the batch's total.
    """
    batch = await connection.fetchrow(
        "select plan, status from rushes.batches where id = $1 for no key update", batch_id
    )
    if batch is None or not items:
        return 0
    last = await connection.fetchval(
        "select greatest(max(position), 0) from rushes.items where batch_id = $1", batch_id
    )
    stages = [step["stage"] for step in batch["plan"]["steps"]]
    rows = [_row(last + offset, item, stages) for offset, item in enumerate(items, 1)]
    added = await connection.fetch(sql("add_items"), batch_id, *map(list, zip(*rows, strict=True)))
    if batch["status"] == "paused":
        await hold(connection, [row["id"] for row in added])
    return len(added)


def _row(position: int, item: NewItem, stages: Sequence[str]) -> tuple[Any, ...]:
    source = item.source
    local = source.location.startswith("/")
    return (
        position, storable(item.given), storable(item.origin), item.reference and storable(item.reference), source.key,
        source.location, source.collection, item.title and storable(item.title), item.options, item.priority,
        first_step(stages, collection=source.collection), lane_of(source), socket.gethostname() if local else None,
    )  # fmt: skip
