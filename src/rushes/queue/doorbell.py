"""The doorbell: a NOTIFY that says "there may be work", nothing more. Polling stands behind it.

Rung outside the writing transaction, on the leading edge and then at most every 100 ms, because every NOTIFY takes
a lock that all commits share.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

    from rushes.queue.connection import Connection

CHANNEL = "rushes_jobs"
INTERVAL = 0.1


class Doorbell:
    """Rings for others, and listens for them."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool
        self._heard = asyncio.Event()
        self._pending: asyncio.Task[None] | None = None
        self._again = False
        """Rung since the pending one was sent: that one may have been heard too early."""
        self._last = float("-inf")
        self._alarm: asyncio.TimerHandle | None = None

    def ring(self) -> None:
        """Say that there may be work. Returns at once."""
        self._heard.set()
        self._again = True
        if self._pending is None or self._pending.done():
            self._pending = asyncio.create_task(self._notify(), name="doorbell")

    def wake_in(self, seconds: float) -> None:
        """Ring in this process alone, in so many seconds, if it is not to ring sooner anyway."""
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._alarm is not None and loop.time() < self._alarm.when() <= at:
            return
        self._silence()
        self._alarm = loop.call_at(at, self._heard.set)

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    async def wait(self, timeout: float) -> bool:
        """Wait until it rings, at most `timeout` seconds. Returns whether it rang."""
        try:
            async with asyncio.timeout(timeout):
                await self._heard.wait()
        except TimeoutError:
            return False
        self._heard.clear()
        return True

    async def rung(self) -> None:
        """Wait until others have been told, if that is still to be done."""
        if self._pending is not None:
            await asyncio.wait([self._pending])

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear other processes for as long as this lasts. A lost connection is made anew; meanwhile polling carries on."""
        task = asyncio.create_task(self._listen(), name="doorbell listener")
        try:
            yield
        finally:
            self._silence()
            for running in (task, self._pending):
                if running:
                    running.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await running

    async def _notify(self) -> None:
        loop = asyncio.get_running_loop()
        while self._again:
            await asyncio.sleep(max(0.0, self._last + INTERVAL - loop.time()))
            self._last = loop.time()
            self._again = False
            with contextlib.suppress(*_connection_faults()):
                await self._pool.execute(f"select pg_notify('{CHANNEL}', '')")

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(*_connection_faults()):
                async with self._pool.acquire() as connection:
                    await self._hear(connection)
            await asyncio.sleep(1)

    async def _hear(self, connection: Connection) -> None:
        """Hear until the connection is lost."""
        lost = asyncio.Event()

        def rang(*_: object) -> None:
            self._heard.set()

        def ended(*_: object) -> None:
            lost.set()

        connection.add_termination_listener(ended)
        await connection.add_listener(CHANNEL, rang)
        try:
            await lost.wait()
        finally:
            connection.remove_termination_listener(ended)
            with contextlib.suppress(*_connection_faults()):
                await connection.remove_listener(CHANNEL, rang)


def _connection_faults() -> tuple[type[Exception], ...]:
    """Whatever a statement or a connect may raise while the server is away: an ear that died of it would stay deaf."""
    import asyncpg

    from rushes.database import LOST

    return *LOST, asyncpg.PostgresError
