"""Pulling: one request for messages at a time, for as many as free slots can begin at once.

Nothing is fetched ahead, since what is given back counts as a delivery attempt. How long a request waits is fitted to when
the worker would end for want of messages: a request that is broken off may leave messages leased to nobody.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rushes.sources.pubsub.client import Client
from rushes.sources.pubsub.desk import Desk
from rushes.sources.pubsub.faults import is_outage, is_refusal

if TYPE_CHECKING:
    from google.pubsub_v1.types import ReceivedMessage

MOST = 1000
"""Messages in one pull."""
SHORTEST_SECONDS = 0.5
"""Of a pull's wait."""
LAST_MOMENT = 0.2
"""Seconds within which a worker that has found nothing has noticed it and ended."""
PACE_SECONDS = 0.05
"""From a pull that found nothing to the next, in case the service does not wait."""
FIRST_RETRY, LONGEST_RETRY = 0.1, 5.0
"""Seconds between tries while the service is away."""
PULL = "pull"


class Patience:
    """How long pulls wait."""

    def __init__(self, usual: timedelta, empty_timeout: timedelta | None) -> None:
        """`empty_timeout` ends the worker when it has found nothing for so long."""
        self._usual = usual.total_seconds()
        self._empty_timeout = None if empty_timeout is None else empty_timeout.total_seconds()

    def seconds(self, desk: Desk, now: float) -> float:
        """How long the next pull is to wait.

        Half of the time after which the worker ends, so that two of them tell that there is nothing; the last one ends
        with it.
        """
        if self._empty_timeout is None:
            return self._usual
        wait = min(self._usual, max(SHORTEST_SECONDS, self._empty_timeout / 2))
        left = self._left(desk, now)
        return wait if desk.busy or left <= SHORTEST_SECONDS else min(wait, left - PACE_SECONDS)

    def last_moment(self, desk: Desk, now: float) -> float:
        """For how many seconds no pull is to be begun: the worker is about to end."""
        if self._empty_timeout is None or not desk.empty:
            return 0.0
        left = self._left(desk, now)
        return left + LAST_MOMENT if -LAST_MOMENT < left < SHORTEST_SECONDS else 0.0

    def _left(self, desk: Desk, now: float) -> float:
        assert self._empty_timeout is not None
        return desk.idle_since + self._empty_timeout - now


class Puller:
    """Asks for messages whenever there is room for some."""

    def __init__(
        self,
        client: Client,
        desk: Desk,
        patience: Patience,
        arrived: Callable[[Sequence[ReceivedMessage]], Awaitable[None]],
        *,
        refused: Callable[[Exception], None],
        most: int,
    ) -> None:
        """`arrived` takes what comes; `refused` hears that nothing will come any more; `most` messages at once."""
        self._client = client
        self._desk = desk
        self._patience = patience
        self._arrived = arrived
        self._refused = refused
        self._most = min(most, MOST)
        self._failures = 0
        self._stopping = False

    async def run(self) -> None:
        """Until it is stopped or cancelled. When Pub/Sub refuses for good, the desk is told, and has no more room."""
        while not self._stopping:
            await self._until_there_is_room()
            if not self._stopping:
                await self._pull_once()

    def stop(self) -> None:
        """Begin no more pulls; one that is under way is brought to its end."""
        self._stopping = True
        self._desk.room_changed.set()

    async def _until_there_is_room(self) -> None:
        while not self._stopping:
            self._desk.room_changed.clear()
            wait = self._patience.last_moment(self._desk, time.monotonic())
            if self._desk.room > 0 and not wait:
                return
            try:
                async with asyncio.timeout(wait or None):
                    await self._desk.room_changed.wait()
            except TimeoutError:
                continue
            if wait:
                await asyncio.sleep(PACE_SECONDS)

    async def _pull_once(self) -> None:
        seconds = self._patience.seconds(self._desk, time.monotonic())
        try:
            received = await self._client.pull(min(self._desk.room, self._most), seconds)
        except Exception as error:
            if is_refusal(error):
                self._refused(error)
            elif is_outage(error):
                await self._rest(error)
            else:
                raise
            return
        self._failures = 0
        self._desk.out_of_trouble(PULL)
        if received:
            await self._arrived(received)
        else:
            self._desk.found_nothing()
            await asyncio.sleep(PACE_SECONDS)

    async def _rest(self, error: Exception) -> None:
        self._desk.in_trouble(PULL, error)
        self._failures += 1
        longest = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(self._failures, 10))
        await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  (many workers are not to come back at once)
