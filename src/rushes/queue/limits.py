"""Limits that hold across workers: starts per second and jobs at once of a lane, jobs at once of a kind.

They are rows, so whoever sets one needs no worker's ear. Jobs of a lane with limits are marked; a claim that does not look
at limits finds them in no index it reads (`turns.py` has the claim that does). Marking those that are ready already goes
in steps, each its own transaction, as a lane may hold a million: what breaks off in between, upkeep carries on.

One race is left, at the moment a limit is set: a claim or an enqueue under way does not see it yet. So jobs that start then,
or become ready within the tick that follows, may exceed it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from rushes.queue.statements import sql

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

SWEEP = 5000
"""Jobs marked in one statement when somebody waits for the sweep to end: some 100 ms."""
FASTEST = 1_000_000
"""Starts per second; more is no limit."""
MOST = 2**31 - 1
"""The largest number of jobs that the database holds."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit, what runs under it now, and what waits for it. `rate` is in starts per second; None: no such limit."""

    what: Literal["lane", "kind"]
    name: str
    rate: float | None
    concurrency: int | None
    running: int
    waiting: int
    rests_until: datetime | None
    """The host asked for rest until then; no turn comes before."""
    reason: str | None


async def limit_lane(
    connection: Connection, lane: str, *, rate: float | None = None, concurrency: int | None = None
) -> None:
    """Limit a lane to so many starts per second and so many jobs at once. What is not given stays as it was.

    Call it outside a transaction. Returns when the jobs that are ready now wait for their turns.

    Raises:
        ValueError: neither is given, or one is out of range.
    """
    if rate is None and concurrency is None:
        raise ValueError(f"no limit is given for the lane {lane!r}: give a rate, a concurrency, or both")
    if rate is not None and not 0 < rate <= FASTEST:
        raise ValueError(f"a rate of {rate} starts a second for the lane {lane!r}: it is above 0 and up to {FASTEST:,}")
    _check(concurrency, f"the lane {lane!r}")
    await connection.execute(sql("limit_lane"), lane, rate, concurrency)
    await _sweep(connection)


async def unlimit_lane(connection: Connection, lane: str) -> bool:
    """Take both limits of a lane away. Returns whether it had any, when the jobs that waited for a turn are ready."""
    done = await connection.execute(
        "update rushes.lanes set rate = null, concurrency = null, next_start = null where name = $1 and limited", lane
    )
    await _sweep(connection)
    return bool(done != "UPDATE 0")


async def limit_kind(connection: Connection, kind: str, concurrency: int) -> None:
    """Run at most so many jobs of a kind at once, all workers together.

    Raises:
        ValueError: it is out of range.
    """
    _check(concurrency, f"the kind {kind!r}")
    await connection.execute(
        "insert into rushes.limits (kind, concurrency) values ($1, $2)"
        " on conflict (kind) do update set concurrency = excluded.concurrency",
        kind,
        concurrency,
    )


async def unlimit_kind(connection: Connection, kind: str) -> bool:
    """Take the limit of a kind away. Returns whether it had one."""
    return bool(await connection.execute("delete from rushes.limits where kind = $1", kind) != "DELETE 0")


async def list_limits(connection: Connection) -> list[Limit]:
    """All limits, kinds first."""
    return [Limit(**row) for row in await connection.fetch(sql("list_limits"))]


async def any_limits(connection: Connection) -> bool:
    """Whether a claim must look at limits. Ticks tell it too."""
    return bool(
        await connection.fetchval(
            "select exists (select from rushes.limits) or exists (select from rushes.lanes where limited)"
        )
    )


async def follow_lanes(connection: Connection, step: int) -> int:
    """Have jobs follow what holds for their lane now, at most `step`. Upkeep calls it where it is needed.

    Returns how many: if fewer than the step, none is left.
    """
    return int(await connection.fetchval(sql("follow_lanes"), step))


async def _sweep(connection: Connection) -> None:
    while await follow_lanes(connection, SWEEP) == SWEEP:
        pass


def _check(concurrency: int | None, whose: str) -> None:
    if concurrency is not None and not 1 <= concurrency <= MOST:
        raise ValueError(f"{concurrency} jobs at once for {whose}: it is a number from 1 to {MOST:,}")
