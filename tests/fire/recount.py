"""What the rows must agree on, whatever happened: what a batch counts and tells, its items and their jobs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import asyncpg

from rushes.queue.reading import statistics

ENDED = ("completed", "failed", "cancelled", "skipped")
LIVE = ("queued", "processing", "retrying")
Row = Mapping[str, Any]


async def disagreements(pool: asyncpg.Pool[asyncpg.Record]) -> list[str]:
    """Every sentence that should not be true. Nobody may be at work meanwhile."""

    async def rows(statement: str) -> list[Row]:
        return [dict(row) for row in await pool.fetch(statement)]

    batches = await rows("select * from rushes.batches order by id")
    items = await rows("select id, batch_id, status, skip_reason from rushes.items")
    jobs = await rows("select id, batch_id, item_id, status, held from rushes.jobs")
    events = await rows("select batch_id, number, kind, item_id from rushes.events order by batch_id, number")
    numbers = await statistics(pool)
    return [
        *_counters(batches, items), *_events(batches, items, events), *_jobs(batches, items, jobs),
        *_statistics(numbers, jobs),
    ]  # fmt: skip


def _counters(batches: Sequence[Row], items: Sequence[Row]) -> Iterator[str]:
    for batch in batches:
        mine = [row for row in items if row["batch_id"] == batch["id"] and row["skip_reason"] != "expanded"]
        count = Counter(row["status"] for row in mine)
        told, recount = {name: batch[name] for name in ENDED}, {name: count[name] for name in ENDED}
        if (told, batch["total"]) != (recount, len(mine)):
            yield f"batch {batch['id']} counts {told} of {batch['total']}, and has {recount} of {len(mine)}"
        over = sum(recount.values()) == len(mine)
        if {batch["status"] in ENDED, batch["finished_at"] is not None} != {over}:
            yield f"batch {batch['id']} is {batch['status']} with {recount} of {len(mine)}"


def _events(batches: Sequence[Row], items: Sequence[Row], events: Sequence[Row]) -> Iterator[str]:
    numbers: dict[int, list[int]] = defaultdict(list)
    for event in events:
        numbers[event["batch_id"]].append(event["number"])
    for batch in batches:
        if numbers[batch["id"]] != list(range(1, batch["last_event"] + 1)):
            yield f"batch {batch['id']} has events {numbers[batch['id']]}, the last is {batch['last_event']}"
    ends = Counter(event["item_id"] for event in events if event["kind"] in {f"item_{status}" for status in ENDED})
    again = {event["item_id"] for event in events if event["kind"] == "item_retried"}
    for item in items:
        # A cancelled batch tells it for its items, and what began anew may end more than once.
        if item["status"] != "cancelled" and item["id"] not in again and ends[item["id"]] != (item["status"] in ENDED):
            yield f"item {item['id']} is {item['status']}, and {ends[item['id']]} ends of it were told"


def _jobs(batches: Sequence[Row], items: Sequence[Row], jobs: Sequence[Row]) -> Iterator[str]:
    live = Counter(job["item_id"] for job in jobs if job["status"] in LIVE)
    for item in items:
        if live[item["id"]] != (item["status"] not in ENDED):
            yield f"item {item['id']} is {item['status']}, and lives in {live[item['id']]} jobs"
    paused = {batch["id"] for batch in batches if batch["status"] == "paused"}
    for job in jobs:
        if job["status"] in ("queued", "retrying") and job["held"] != (job["batch_id"] in paused):
            yield f"job {job['id']} is {'' if job['held'] else 'not '}held, unlike its batch {job['batch_id']}"


def _statistics(numbers: Row, jobs: Sequence[Row]) -> Iterator[str]:
    count = Counter(job["status"] for job in jobs)
    for status in (*LIVE, *ENDED[:3]):
        if numbers[status] != count[status]:
            yield f"statistics tell of {numbers[status]} {status} jobs, and there are {count[status]}"
