"""Leases of held messages: put off again and again, so that a message of hours stays with a worker that lives.

A lease is short all the same, so that a dead worker's messages come back soon.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from rushes.sources.pubsub.acks import Acks
from rushes.sources.pubsub.desk import Desk
from rushes.sources.pubsub.faults import is_outage
from rushes.sources.pubsub.held import Held

SHORTEST, LONGEST = timedelta(seconds=10), timedelta(seconds=600)
"""What Pub/Sub allows."""
AT = 0.4
"""Of a lease, after which it is prolonged: two tries may fail before it runs out."""
LOOK_SECONDS = 0.5

log = logging.getLogger(__name__)


def possible(lease: timedelta) -> timedelta:
    """The lease nearest to this that Pub/Sub grants."""
    return min(max(lease, SHORTEST), LONGEST)


class Deadlines:
    """Prolongs the leases of all that lies on the desk."""

    def __init__(self, acks: Acks, desk: Desk, lease: timedelta) -> None:
        self._acks = acks
        self._desk = desk
        self.lease = possible(lease)
        self._failing = False

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = loop.time()
            if due := [held for held in self._desk if held.extend_at <= now and not held.lost]:
                await self.extend(due)

    async def extend(self, helds: Sequence[Held]) -> None:
        """Prolong the leases of these. What cannot be done now is tried again; what is lost is marked."""
        now = asyncio.get_running_loop().time()
        try:
            lost = await self._acks.extend(helds, self.lease)
        except Exception as error:
            if not is_outage(error):
                raise
            if not self._failing:
                log.warning("leases cannot be prolonged, trying on: %s", error)
            self._failing = True
            return
        self._failing = False
        for held in helds:
            held.extend_at = now + self.lease.total_seconds() * AT
        for held in lost:
            held.lost = True
            log.warning("the lease of message %s was lost: it is delivered again", held.message_id)
