"""Time limits of one length for thousands of tasks, on one timer.

`asyncio.timeout` sets a timer for each, which is taken back unused nearly always: at hundreds in flight that was a tenth of
what a request costs. Here all limits are equally long, so that whoever began first is due first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlines:
    """Runs work that may take so many seconds. For the tasks of one event loop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: dict[asyncio.Task[Any], float] = {}
        """Until when each may run, in the order in which they are due."""
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def within(self, work: Awaitable[T]) -> T:
        """Await work, in this task.

        Raises: TimeoutError, when it was not done in time and has ended at its cancellation.
        """
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task
        cancelling = task.cancelling()
        self._running[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)
        try:
            return await work
        except asyncio.CancelledError as error:
            # Somebody else may have cancelled it too: that is not ours to take back.
            if task in self._late and task.cancelling() <= cancelling + 1:
                raise TimeoutError from error
            raise
        finally:
            del self._running[task]
            if task in self._late:
                self._late.discard(task)
                task.uncancel()

    def _look(self) -> None:
        """Cancel what is due, and come again when the next is."""
        self._timer = None
        assert self._loop
        now = self._loop.time()
        for task, due in self._running.items():
            if due > now:
                self._timer = self._loop.call_at(due, self._look)
                return
            if task not in self._late:
                self._late.add(task)
                task.cancel()
