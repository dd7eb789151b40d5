"""Starts: an attempt that may kill its worker is written down before it begins, so that whoever comes after can count it.

Before an item begins that is suspected of it, what the others came to is made durable: it would be lost with the worker, and
they would be suspected in their turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from rushes.sources.bigquery.elections import Elections
from rushes.sources.bigquery.hand import Hand, Item
from rushes.sources.bigquery.staging import Staging
from rushes.sources.bigquery.statements import Statements


class Starts:
    """Items on their way from the hand to the worker."""

    def __init__(
        self,
        elections: Elections,
        statements: Statements,
        staging: Staging,
        hand: Hand,
        *,
        cleared: Callable[[], None],
    ) -> None:
        """`cleared` hears that items may begin."""
        self._elections = elections
        self._statements = statements
        self._staging = staging
        self._hand = hand
        self._on_cleared = cleared
        self._cleared: deque[Item] = deque()
        self._wanted = 0
        self._asked = asyncio.Event()

    def begin(self, most: int) -> list[Item]:
        """Items whose starts are written down. If there are too few, more will be."""
        begun = [self._cleared.popleft() for _ in range(min(most, len(self._cleared)))]
        self._wanted = most - len(begun)
        if self._wanted:
            self._asked.set()
        return begun

    def drop(self) -> None:
        """Forget all: they are somebody else's now."""
        self._cleared.clear()

    async def next(self) -> None:
        """Write down the starts of as many items as are wanted. Raises: Away, Refused."""
        await self._asked.wait()
        self._asked.clear()
        items = self._hand.begin(self._wanted - len(self._cleared))
        if not items:
            return
        try:
            if any(item.died for item in items):
                await self._staging.flush()
            started = [(*item.key, item.attempts + 1) for item in items if not item.refused]
            if started:
                await self._elections.own(self._statements.start(self._elections.own_id("start"), started))
        except Exception:
            for item in reversed(items):
                self._hand.end(item)
                self._hand.back(item)
            raise
        for item in items:
            item.written = not item.refused
        self._cleared.extend(items)
        self._on_cleared()
