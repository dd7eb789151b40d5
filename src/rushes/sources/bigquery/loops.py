"""Loops that go on through outages, until they are ended or somebody is needed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rushes.sources.bigquery.faults import Away, Refused

PAUSE_SECONDS = 1.0, 30.0
"""Between two tries while BigQuery is away: at first, and at most."""
T = TypeVar("T")
Step = Callable[[], Awaitable[object]]


class Loops:
    """Repeats steps side by side."""

    def __init__(self, *, refused: Callable[[Refused], None], changed: Callable[[], None]) -> None:
        """`refused` is told what ended a loop; `changed` hears that BigQuery is away, or back."""
        self._refused = refused
        self._changed = changed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._away: dict[str, Away] = {}
        self._hurry = asyncio.Event()

    @property
    def away(self) -> Away | None:
        """Why a loop does not get on, if one does not."""
        return next(iter(self._away.values()), None)

    def start(self, name: str, step: Step, *, every: float = 0.0, while_: Callable[[], bool] = lambda: True) -> None:
        """Repeat a step for as long as a condition holds, each time after so many seconds."""
        self._tasks[name] = asyncio.create_task(self._repeat(name, step, every, while_), name=f"bigquery {name}")

    def well(self, name: str) -> None:
        """What a loop could not do has been done."""
        if self._away.pop(name, None):
            self._changed()

    def check(self) -> None:
        """Raise what ended a loop that should have gone on."""
        for task in self._tasks.values():
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    async def ended(self, name: str) -> None:
        """Wait for a loop whose condition does not hold any more. From now on no loop pauses."""
        self._hurry.set()
        await asyncio.wait([self._tasks[name]])

    async def end(self, *names: str) -> None:
        """End these loops, by default all."""
        ending = [self._tasks[name] for name in (names or self._tasks) if name in self._tasks]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _repeat(self, name: str, step: Step, every: float, while_: Callable[[], bool]) -> None:
        pause, longest = PAUSE_SECONDS
        while while_():
            if every and name not in self._away:
                await asyncio.sleep(every)
            try:
                await step()
            except Away as away:
                self._away[name] = away
                self._changed()
                await self._rest(pause * random.uniform(0.5, 1.0))  # noqa: S311  (no secret)
                pause = min(longest, pause * 2)
            except Refused as refused:
                self._refused(refused)
                return
            else:
                pause = PAUSE_SECONDS[0]
                self.well(name)

    async def _rest(self, seconds: float) -> None:
        if self._hurry.is_set():
            await asyncio.sleep(PAUSE_SECONDS[0])
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()


async def through_outages(step: Callable[[], Awaitable[T]], *, within: float = float("inf")) -> T:
    """Do something once, however often BigQuery is away.

    Raises:
        Away: it has been for so many seconds.
        Refused: it will not be done.
    """
    deadline = time.monotonic() + within
    pause = PAUSE_SECONDS[0]
    while True:
        try:
            return await step()
        except Away:
            if time.monotonic() >= deadline:
                raise
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (no secret)
        pause = min(pause * 1.5, PAUSE_SECONDS[1] / 4)
