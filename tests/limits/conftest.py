"""Workers at one queue, each with its own row, that claim under limits and settle what they claimed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from rushes.database import Database
from rushes.errors import ErrorClass
from rushes.model import BatchId, Failure, JobId, Outcome, Produced, WorkerId
from rushes.queue import Claimed, NewJob, Queue, limits
from rushes.queue.jobs import read_claimed
from rushes.queue.turns import claim_in_turn


@dataclass
class Hand:
    """One worker's hand on the queue."""

    database: Database
    queue: Queue
    worker: WorkerId
    next_start: float | None = None

    async def claim(
        self, slots: Mapping[str, int] | None = None, *, host: str = "here", batch: BatchId | None = None
    ) -> list[Claimed]:
        async with self.database.pool.acquire() as connection:
            turn = await claim_in_turn(
                connection, slots or {"fetch": 100}, worker=self.worker, lease=timedelta(seconds=60), host=host,
                batch=batch,
            )  # fmt: skip
        self.next_start = turn.next_start
        return [read_claimed(row, self.worker) for row in turn.rows]

    async def complete(self, claimed: Sequence[Claimed]) -> None:
        settled = await self.queue.settle([Outcome(one.lease, produced=Produced()) for one in claimed])
        assert not settled.stale

    async def fail(self, claimed: Sequence[Claimed], failure: Failure | None = None) -> None:
        failure = failure or Failure(ErrorClass.TRANSIENT, "the line went dead", retry_after=timedelta(0))
        await self.queue.settle([Outcome(one.lease, failure=failure) for one in claimed])

    async def drain(self, slots: Mapping[str, int]) -> int:
        """Claim and complete until nothing is left. Returns how many."""
        done = 0
        while await self.database.pool.fetchval("select exists (select from rushes.jobs where status <> 'completed')"):
            claimed = await self.claim(slots)
            if claimed:
                await asyncio.sleep(0)
                await self.complete(claimed)
            elif self.next_start is not None:
                await asyncio.sleep(self.next_start)
            done += len(claimed)
        return done


@pytest.fixture
async def hands(database: Database) -> list[Hand]:
    """Four workers."""
    queues = [Queue(database.pool) for _ in range(4)]
    return [Hand(database, queue, await queue.enter()) for queue in queues]


@pytest.fixture
def hand(hands: list[Hand]) -> Hand:
    return hands[0]


async def enqueue(hand: Hand, count: int, lane: str | None = "example.org", **fields: Any) -> list[JobId]:
    return await hand.queue.enqueue([NewJob(**{"kind": "fetch", "lane": lane, **fields}) for _ in range(count)])


async def limit(hand: Hand, lane: str = "example.org", **given: float) -> None:
    async with hand.database.pool.acquire() as connection:
        await limits.limit_lane(connection, lane, **given)  # type: ignore[arg-type]  # a test's words


async def unlimit(hand: Hand, lane: str = "example.org") -> bool:
    async with hand.database.pool.acquire() as connection:
        return await limits.unlimit_lane(connection, lane)


async def limit_kind(hand: Hand, kind: str, concurrency: int) -> None:
    async with hand.database.pool.acquire() as connection:
        await limits.limit_kind(connection, kind, concurrency)


async def running(hand: Hand, where: str = "lane = 'example.org'") -> int:
    count = await hand.database.pool.fetchval(
        f"select count(*) from rushes.jobs where status = 'processing' and {where}"
    )
    return int(count)


def ids(claimed: Sequence[Claimed]) -> list[int]:
    return sorted(one.job.id for one in claimed)


async def starts(hand: Hand, lane: str = "example.org") -> list[datetime]:
    """When the jobs of a lane started, by the database's clock."""
    rows = await hand.database.pool.fetch(
        "select started_at from rushes.jobs where lane = $1 and started_at is not null order by started_at", lane
    )
    return [row["started_at"] for row in rows]


async def most_at_once(hand: Hand, where: str) -> int:
    """How many jobs ran at once at most, by the times in their rows."""
    rows = await hand.database.pool.fetch(f"select started_at, finished_at from rushes.jobs where {where}")
    changes = sorted([(row["started_at"], 1) for row in rows] + [(row["finished_at"], -1) for row in rows])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
