"""A queue with two processes at work in it, by name only: what differs between processes is their row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from rushes.batches.creating import Opened, Order, open_batch
from rushes.batches.intake import Valid
from rushes.database import Database
from rushes.model import NewItem, Outcome, Plan, Produced, Retries, Source, Step, VideoKey, WorkerId
from rushes.queue import Claimed, Queue


@pytest.fixture
def queue(database: Database) -> Queue:
    return Queue(database.pool, lease=timedelta(seconds=60))


@pytest.fixture
async def worker(queue: Queue) -> WorkerId:
    return await queue.enter()


def plan(*stages: str, retries: Retries | None = None) -> Plan:
    return Plan("test", tuple(Step(stage, retries=retries or Retries()) for stage in stages))


def lines(count: int, *, collection: bool = False) -> list[Valid]:
    return [
        Valid(n, NewItem(Source(VideoKey(f"url:{n}"), f"https://example.org/{n}", collection), f"line {n}"))
        for n in range(1, count + 1)
    ]


async def make_batch(database: Database, count: int, *stages: str, run_key: str | None = None) -> Opened:
    return await open_batch(database.pool, Order("test", plan(*(stages or ("fetch", "write"))), run_key), lines(count))


async def claim(queue: Queue, worker: WorkerId, *kinds: str, limit: int = 100) -> list[Claimed]:
    return await queue.claim(worker, dict.fromkeys(kinds or ("fetch",), limit), host="here")


def done(claimed: Sequence[Claimed], **made: object) -> list[Outcome]:
    return [Outcome(one.lease, produced=Produced(**made)) for one in claimed]  # type: ignore[arg-type]  # a test's words
