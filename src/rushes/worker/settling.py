"""Settling in bulk: outcomes gather while a settlement is under way, and the next one takes them all.

A slot is free only when its outcome is durable. While the source cannot be reached outcomes wait here, and nothing is
claimed, because no slot comes free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rushes.model import Lease, Outcome
from rushes.sources.base import WorkSource

RETRY_SECONDS = 1.0
"""Between two tries while the source cannot be reached."""


class Settling:
    """Writes outcomes to the source, in order, as long as `run` runs."""

    def __init__(self, source: WorkSource, trouble: Callable[[Exception | None], None]) -> None:
        self._source = source
        self._trouble = trouble
        self._waiting: list[tuple[Outcome, asyncio.Future[bool]]] = []
        self._some = asyncio.Event()

    async def settle(self, outcome: Outcome) -> bool:
        """Write an outcome. Returns, once that is durable, whether it counted; False: the lease was lost."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((outcome, written))
        self._some.set()
        return bool(await written)

    async def run(self) -> None:
        """Write what comes, until cancelled; call only when nothing is waiting any more."""
        while True:
            await self._some.wait()
            self._some.clear()
            batch, self._waiting = self._waiting, []
            stale = {lease.job_id for lease in await self._write([outcome for outcome, _ in batch])}
            for outcome, written in batch:
                if not written.done():
                    written.set_result(outcome.lease.job_id not in stale)

    async def _write(self, outcomes: list[Outcome]) -> list[Lease]:
        while True:
            try:
                stale = list(await self._source.settle(outcomes))
            except Exception as error:
                if not self._source.is_outage(error):
                    raise
                self._trouble(error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._trouble(None)
                return stale
