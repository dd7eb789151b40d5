"""Buffered settling: outcomes gather while a settlement is under way, and the next one takes them all.

The buffer needs no timer: alone, an outcome is written at once, and the busier the worker, the more there are in each
write. A slot is free only when its outcome is durable. While the source cannot be reached outcomes wait here, and nothing
is claimed, because no slot comes free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from rushes.errors import ErrorClass
from rushes.model import Failure, Lease, Outcome
from rushes.sources.base import WorkSource

RETRY_SECONDS = 1.0
"""Between two tries while the source cannot be reached."""
AT_ONCE = 1000
"""Outcomes in one settlement at most: more make its locks last longer, and cost each no less."""

Written = Callable[[Outcome, bool], None]
"""Is told of each outcome that is durable, and whether it counted; False: the lease was lost."""


class Settling:
    """Writes outcomes to the source, in order, as long as `run` runs."""

    def __init__(self, source: WorkSource, written: Written, trouble: Callable[[Exception | None], None]) -> None:
        self._source = source
        self._written = written
        self._trouble = trouble
        self._waiting: list[Outcome] = []
        self._some = asyncio.Event()
        self._unwritten = 0

    @property
    def idle(self) -> bool:
        """Whether all that came is durable."""
        return self._unwritten == 0

    def put(self, outcome: Outcome) -> None:
        """Have an outcome written."""
        self._waiting.append(outcome)
        self._unwritten += 1
        self._some.set()

    async def run(self) -> None:
        """Write what comes, until cancelled; call only when nothing is waiting any more, or all is to be dropped."""
        while True:
            await self._some.wait()
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            if not self._waiting:
                self._some.clear()
            stale = set(await self._write(batch))
            self._unwritten -= len(batch)
            for outcome in batch:
                self._written(outcome, not stale or outcome.lease not in stale)

    async def _write(self, outcomes: Sequence[Outcome]) -> list[Lease]:
        while True:
            try:
                stale = list(await self._source.settle(outcomes))
            except Exception as error:  # noqa: BLE001  (it comes out again, or as an outcome)
                if not self._source.is_outage(error):
                    return await self._write_apart(outcomes, error)
                self._trouble(error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._trouble(None)
                return stale

    async def _write_apart(self, outcomes: Sequence[Outcome], error: Exception) -> list[Lease]:
        """An outcome that cannot be written must not keep the others: each alone, and that one as what it is, a bug."""
        if len(outcomes) > 1:
            return [lease for outcome in outcomes for lease in await self._write([outcome])]
        (outcome,) = outcomes
        if outcome.produced is None:
            raise error
        reason = f"what it made could not be written down: {type(error).__name__}: {error}"
        return await self._write([Outcome(outcome.lease, failure=Failure(ErrorClass.BUG, reason))])
