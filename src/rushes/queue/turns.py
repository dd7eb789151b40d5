"""The claim under limits: what lanes and kinds allow at this moment, of what the claimer could run.

It takes jobs where it knows who will run them. Had upkeep let so many of each lane into the common order beforehand, jobs
of a batch that nobody works at, of a paused kind or of another host would have used up their lane's turns without starting.

Under the locks of the limits concerned, the claim counts what runs, in a statement of its own, whose snapshot is newer than
the locks. A lane's next start is written by the same statement that starts its jobs. Locks are taken in the order limits,
lanes, jobs, items, batches; only those on items and batches are waited for.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from rushes.queue.statements import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from rushes.model import BatchId, WorkerId
    from rushes.queue.connection import Connection

AGAIN = (0.03, 0.15)
"""Seconds until a claim that found limits locked by others looks again, drawn anew each time so that they part."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a claim under limits took, and when it is worth another look."""

    rows: Sequence[Record]
    next_start: float | None
    """Seconds until the rate of some lane lets a waiting job start; None: only a job that ends makes room."""


async def claim_in_turn(
    connection: Connection,
    slots: Mapping[str, int],
    *,
    worker: WorkerId,
    lease: timedelta,
    host: str,
    batch: BatchId | None = None,
) -> Turn:
    """Take up to `slots[kind]` jobs of each kind, and no more than limits allow: priority first, then the oldest.

    A transaction of its own. Jobs tied to another host are left to it; with `batch`, only that batch's jobs are taken.
    """
    async with connection.transaction():
        locked = await connection.fetchrow(sql("lock_limits"), list(slots), host, batch, sum(slots.values()))
        assert locked is not None
        left = await _within_kinds(connection, slots, capped=locked["capped"], held=locked["kinds"])
        terms = (worker, lease, host, batch)
        rows: list[Record] = []
        if locked["lanes"] and left:
            rows += await connection.fetch(sql("claim_lanes"), list(left), list(left.values()), *terms, locked["lanes"])
            await connection.execute(sql("start"), [row["item_id"] for row in rows if row["item_id"]])
        left = _minus(left, rows)
        if left:
            rows += await connection.fetch(sql("claim"), list(left), list(left.values()), *terms, True)
    return Turn(rows, _next_start(locked))


async def _within_kinds(
    connection: Connection, slots: Mapping[str, int], *, capped: Sequence[str], held: Sequence[str]
) -> dict[str, int]:
    """The slots, cut to what the limits of kinds leave; none for a kind whose limit another claim holds."""
    room = dict.fromkeys(capped, 0)
    if held:
        room |= {row["kind"]: row["room"] for row in await connection.fetch(sql("room_of_kinds"), held)}
    cut = {kind: min(count, room.get(kind, count)) for kind, count in slots.items()}
    return {kind: count for kind, count in cut.items() if count > 0}


def _minus(slots: Mapping[str, int], rows: Sequence[Record]) -> dict[str, int]:
    left = dict(slots)
    for row in rows:
        left[row["kind"]] -= 1
    return {kind: count for kind, count in left.items() if count > 0}


def _next_start(locked: Record) -> float | None:
    seconds: list[float] = [] if locked["seconds"] is None else [locked["seconds"]]
    if locked["passed_over"]:
        seconds.append(random.uniform(*AGAIN))  # noqa: S311  (to part claims, not to keep a secret)
    return min(seconds, default=None)
