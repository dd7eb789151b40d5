"""Settling in bulk: outcomes gather while a settlement is under way, and the next one takes them all.

A slot is free only when its outcome is durable. While the source cannot be reached outcomes wait here, and nothing is
claimed, because no slot comes free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rushes.errors import ErrorClass, RushesError
from rushes.model import Failure, Lease, Outcome
from rushes.sources.base import WorkSource

RETRY_SECONDS = 1.0
"""Between two tries while the source cannot be reached."""


class Abandoned(RushesError):  # noqa: N818  (what became of it)
    """An outcome was not written: the worker had to end while the source could not be reached."""


class Settling:
    """Writes outcomes to the source, in order, as long as `run` runs."""

    def __init__(self, source: WorkSource, trouble: Callable[[Exception | None], None]) -> None:
        self._source = source
        self._trouble = trouble
        self._waiting: list[tuple[Outcome, asyncio.Future[bool]]] = []
        self._some = asyncio.Event()
        self._unwritten: set[asyncio.Future[bool]] = set()
        self._abandoned = False

    async def settle(self, outcome: Outcome) -> bool:
        """Write an outcome. Returns, once that is durable, whether it counted; False: the lease was lost.

        Raises: Abandoned.
        """
        if self._abandoned:
            raise Abandoned("no outcomes are written any more")
        written = asyncio.get_running_loop().create_future()
        self._unwritten.add(written)
        written.add_done_callback(self._unwritten.discard)
        self._waiting.append((outcome, written))
        self._some.set()
        return bool(await written)

    def abandon(self) -> None:
        """Write no more. Who waits for an outcome is told; its lease runs out, and the work is done again."""
        self._abandoned = True
        for written in list(self._unwritten):
            if not written.done():
                written.set_exception(Abandoned("the source could not be reached before the worker had to end"))

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
            except Exception as error:  # noqa: BLE001  (it comes out again, or as an outcome)
                if not self._source.is_outage(error):
                    return await self._write_apart(outcomes, error)
                self._trouble(error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._trouble(None)
                return stale

    async def _write_apart(self, outcomes: list[Outcome], error: Exception) -> list[Lease]:
        """An outcome that cannot be written must not keep the others: each alone, and that one as what it is, a bug."""
        if len(outcomes) > 1:
            return [lease for outcome in outcomes for lease in await self._write([outcome])]
        (outcome,) = outcomes
        if outcome.produced is None:
            raise error
        reason = f"what it made could not be written down: {type(error).__name__}: {error}"
        return await self._write([Outcome(outcome.lease, failure=Failure(ErrorClass.BUG, reason))])
