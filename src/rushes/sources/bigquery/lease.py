"""The execution's lease: one for all its tasks, prolonged by whichever comes first.

It says that somebody is still at the items. That nobody writes over what has become somebody else's is for the claims, under
which every result is staged. A lease that has run out may be taken up again; what others took meanwhile is theirs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

from rushes.sources.bigquery.elections import Elections
from rushes.sources.bigquery.service import Ran, Service
from rushes.sources.bigquery.statements import Statements

SHARE = 3
"""It is prolonged when this part of it is over."""


class Lease:
    """One task's view of it, on the monotonic clock."""

    def __init__(
        self,
        service: Service,
        elections: Elections,
        statements: Statements,
        length: timedelta,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._elections = elections
        self._statement = statements.lease(int(length.total_seconds()))
        self._length = length
        self._now = now
        self._until = float("-inf")
        self._taken = asyncio.Event()

    @property
    def held(self) -> bool:
        """Whether it has not run out, for all that this task knows."""
        return self._now() < self._until

    async def prolong(self) -> None:
        """Prolong it, or begin it. Raises: Away, Refused."""
        every = self._length / SHARE
        ran = await self._elections.shared(self._statement, every=every)
        if not ran.led and self._age(ran) > every:  # by a task whose clock was ahead: it says nothing about now
            ran = await self._elections.own(self._statement)
        self._until = self._now() + (self._length - max(timedelta(0), self._age(ran))).total_seconds()
        self._taken.set()

    def _age(self, ran: Ran) -> timedelta:
        return self._service.clock.now() - ran.created

    async def next(self) -> None:
        """Wait until it is time, and prolong it. Raises: Away, Refused."""
        rest = self._until - self._now() - self._length.total_seconds() * (1 - 1 / SHARE)
        await asyncio.sleep(max(0.1, rest))
        await self.prolong()

    async def taken(self) -> None:
        """Wait until it is held."""
        while not self.held:
            self._taken.clear()
            await self._taken.wait()

    async def ran_out(self) -> None:
        """Wait until it has run out."""
        while self.held:  # noqa: ASYNC110  (time ends it, nobody tells)
            await asyncio.sleep(max(0.0, self._until - self._now()) + 0.001)
