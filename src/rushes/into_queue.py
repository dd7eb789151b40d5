"""Messages made into items of the queue, for those who have a fleet and want its tools.

For each subscription, pipeline and options there is one open batch, joined while it lives. A message is acknowledged after
the commit that made its item; its request's row points there.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from rushes.batches.creating import Order, join_batch
from rushes.database import storable
from rushes.model import JobStatus, NewItem, Plan, Source, Trust, VideoKey
from rushes.queue.doorbell import Doorbell
from rushes.queue.plans import dump
from rushes.requests import Answer, Beat, Ending, Permit, Request
from rushes.requests.statements import sql
from rushes.requests.stored import StoredLedger, row_of
from rushes.sources.pubsub.reading import FOR_WORDS
from rushes.stages import registry

if TYPE_CHECKING:
    import asyncpg

LEASE = timedelta(seconds=30)
"""Of a malformed message's request, while it is recorded."""
BUSY_FOR = timedelta(seconds=10)
"""When to look again at a request that a worker is running."""


class QueueLedger:
    """A ledger that puts what is settled as completed into the queue. Malformed messages are recorded as anywhere."""

    lasting = True

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], subscription: str) -> None:
        self._pool = pool
        self._subscription = subscription
        self._stored = StoredLedger(pool, subscription, lease=LEASE)
        self._doorbell = Doorbell(pool)

    async def begin(self, requests: Sequence[Request]) -> Sequence[Permit]:
        malformed = [request for request in requests if request.plan is None]
        recorded = iter(await self._stored.begin(malformed) if malformed else ())
        wanted = [request.id for request in requests if request.plan]
        known = {row["request_id"]: row["busy"] for row in await self._pool.fetch(sql("queued"), wanted)}
        return [_permit(known.get(request.id)) if request.plan else next(recorded) for request in requests]

    async def beat(self, beats: Sequence[Beat]) -> Sequence[bool]:
        return [True] * len(beats)

    async def end(self, endings: Sequence[Ending]) -> Sequence[bool]:
        wanted: dict[str, dict[UUID, Request]] = defaultdict(dict)
        for ending in endings:
            request = ending.request
            if request.id and request.plan and ending.status is JobStatus.COMPLETED:
                plan = registry.with_options(request.plan, request.options)
                wanted[self._run_key(plan, request)][request.id] = replace(request, plan=plan)
        for run_key, requests in wanted.items():
            await self._add(run_key, list(requests.values()))
        malformed = [ending for ending in endings if ending.request.plan is None]
        recorded = iter(await self._stored.end(malformed) if malformed else ())
        return [True if ending.request.plan else next(recorded) for ending in endings]

    async def told(self, requests: Collection[UUID]) -> None:
        """What becomes of items is the queue's to tell."""

    def _run_key(self, plan: Plan, request: Request) -> str:
        """Requests of one key share a batch. A video is one item of it, however many ask: so they ask in the same words."""
        words = request.payload if request.source else None
        identity = json.dumps([self._subscription, dump(plan), words], sort_keys=True)
        return f"pubsub {hashlib.sha256(identity.encode()).hexdigest()}"

    async def _add(self, run_key: str, requests: Sequence[Request]) -> None:
        """Add requests of one pipeline and options to their batch, but those that somebody else has added meanwhile."""
        plan = requests[0].plan
        assert plan
        name = f"{self._subscription.rpartition('/')[2]}: {plan.pipeline}"
        async with self._pool.acquire() as connection, connection.transaction():
            columns = map(list, zip(*map(row_of, requests), strict=True))
            rows = await connection.fetch(sql("enqueue"), *columns, self._subscription)
            mine = {row["request_id"] for row in rows}
            items = {request.id: _item(request) for request in requests if request.id in mine}
            if items:
                order = Order(name, plan, run_key, trust=Trust.UNTRUSTED)
                batch = await join_batch(connection, order, list(items.values()))
                keys = [item.source.key for item in items.values()]
                await connection.execute(sql("point"), batch, list(items), keys)
        self._doorbell.ring()


def _permit(busy: bool | None) -> Permit:  # noqa: FBT001  (None: it is unknown)
    if busy is None:
        return Permit(Answer.GO)
    return Permit(Answer.BUSY, wait=BUSY_FOR) if busy else Permit(Answer.DONE)


def _item(request: Request) -> NewItem:
    """A request as an item: of its video, or of its own words under its own name."""
    assert request.plan
    name = f"request:{request.id}"
    told = request.payload and any(step.stage == FOR_WORDS for step in request.plan.steps)
    return NewItem(
        request.source or Source(VideoKey(name), name), storable(request.about), reference=str(request.id),
        priority=request.priority, options={FOR_WORDS: request.payload} if told else {},
        origin=f"message {request.message_id}",
    )  # fmt: skip
