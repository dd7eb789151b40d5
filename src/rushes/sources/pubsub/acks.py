"""Answers to Pub/Sub about messages that are held: put off, given back, acknowledged. In batches."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from rushes.sources.pubsub.client import Client
from rushes.sources.pubsub.faults import Unavailable, is_refusal
from rushes.sources.pubsub.held import Held

LONGEST = timedelta(seconds=600)
"""The longest time for which a delivery can be put off."""
TRIES = 5
"""For ids that fail for a passing reason, before the whole settlement is tried again."""


class Acks:
    """Speaks of held messages. What Pub/Sub says of single ids, it says only under exactly-once delivery."""

    def __init__(self, client: Client, refused: Callable[[Exception], None]) -> None:
        """`refused` hears that Pub/Sub lets nobody answer any more, which will not pass."""
        self._client = client
        self._refused = refused

    async def acknowledge(self, helds: Sequence[Held]) -> list[Held]:
        """Acknowledge. Returns those for which it did not count, since their lease was lost: they will come once more."""
        return await self._until_it_counts(helds, self._client.acknowledge)

    async def give_back(self, helds: Sequence[Held], delay: timedelta = timedelta(0)) -> None:
        """Have messages delivered again, after a delay in whole seconds (at most 600)."""
        seconds = math.ceil(min(delay, LONGEST).total_seconds())
        await self._until_it_counts(helds, lambda ids: self._client.modify(ids, seconds))

    async def extend(self, helds: Sequence[Held], lease: timedelta) -> list[Held]:
        """Keep messages for so long from now. Returns those that are lost."""
        seconds = math.ceil(lease.total_seconds())
        try:
            failed = await self._client.modify([held.ack_id for held in helds], seconds)
        except Exception as error:
            if not is_refusal(error):
                raise
            self._refused(error)
            return []
        return [held for held in helds if _is_final(failed.get(held.ack_id))]

    async def _until_it_counts(
        self, helds: Sequence[Held], call: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
    ) -> list[Held]:
        """Returns those for which it never will. Raises: Unavailable, and what the call raises."""
        lost: list[Held] = []
        left = list(helds)
        for attempt in range(TRIES):
            if not left:
                return lost
            if attempt:
                await asyncio.sleep(0.05 * 2**attempt)
            try:
                failed = await call([held.ack_id for held in left])
            except Exception as error:
                if not is_refusal(error):
                    raise
                self._refused(error)
                return [*lost, *left]
            lost += [held for held in left if _is_final(failed.get(held.ack_id))]
            left = [held for held in left if held.ack_id in failed and held not in lost]
        if left:
            reasons = ", ".join(sorted({failed[held.ack_id] for held in left}))
            raise Unavailable(f"{len(left)} messages could not be answered for: {reasons}")
        return lost


def _is_final(reason: str | None) -> bool:
    return reason is not None and not reason.startswith("TRANSIENT_")


def by_delay(delays: Mapping[Held, timedelta]) -> Mapping[timedelta, list[Held]]:
    """Messages that are given back, one list for each delay."""
    groups: dict[timedelta, list[Held]] = defaultdict(list)
    for held, delay in delays.items():
        groups[timedelta(seconds=math.ceil(min(delay, LONGEST).total_seconds()))].append(held)
    return groups
