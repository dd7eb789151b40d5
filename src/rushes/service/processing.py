"""Processing jobs one at a time, by the worker that runs everywhere else, with the lease kept alive.

The process is registered once for all that it processes, and what stages keep between jobs, such as a loaded model, is kept.
A job is chosen and claimed here, and handed to a worker whose only source is that job.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from rushes.model import Job
from rushes.queue import Queue
from rushes.queue.statements import sql
from rushes.settings import Settings
from rushes.sources.base import Assignment, Standing
from rushes.sources.postgres import QueueSource
from rushes.stages import registry
from rushes.worker import Bounds, Worker
from rushes.worker.services import Services

if TYPE_CHECKING:
    import asyncpg

UPKEEP_SECONDS = 1.0
"""Upkeep is done before a claim, no more often than this, and before it is said that there is nothing."""


class Processing:
    """Processes jobs of the kinds that this process has stages for."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool[asyncpg.Record], queue: Queue) -> None:
        self._settings = settings
        self._pool = pool
        self._queue = queue
        self._stack = contextlib.AsyncExitStack()
        self._services = Services(settings)
        self._source: QueueSource | None = None
        self._turn = asyncio.Lock()
        self._upkept = float("-inf")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._services.close()
        await self._stack.aclose()

    async def one(self, kind: str | None = None) -> Job | None:
        """Process the job whose turn it is. Returns it as it is then, or None if none is ready or all is paused.

        Raises: UsageError, if this process has no stage of that kind.
        """
        kinds = registry.names() if kind is None else (registry.get(kind).name,)
        assignment = await self._take(kinds)
        if assignment is None:
            return None
        source = _OneJob(await self._entered(), assignment)
        worker = Worker(
            self._settings, source, slots={assignment.job.kind: 1}, bounds=Bounds(max_jobs=1), services=self._services
        )
        await worker.run()
        return await self._queue.get(assignment.job.id)

    async def many(self, most: int, kind: str | None = None) -> list[Job]:
        """Process up to so many jobs, one after the other, until none is ready or all is paused. Failures stop nothing."""
        done: list[Job] = []
        while len(done) < most and (job := await self.one(kind)):
            done.append(job)
        return done

    async def _take(self, kinds: Sequence[str]) -> Assignment | None:
        """Claim one job. Cancelled meanwhile, it gives back what it had claimed."""
        claiming = asyncio.ensure_future(self._claim(kinds))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            if assignment := await claiming:
                await self._queue.release([assignment.lease])
            raise

    async def _claim(self, kinds: Sequence[str]) -> Assignment | None:
        async with self._turn:
            source = await self._entered()
            fresh = await self._keep_up(source, older_than=UPKEEP_SECONDS)
            assignment = await self._choose(source, kinds)
            if assignment is None and not fresh:
                await self._keep_up(source, older_than=0)
                assignment = await self._choose(source, kinds)
        return assignment

    async def _choose(self, source: QueueSource, kinds: Sequence[str]) -> Assignment | None:
        for row in await self._pool.fetch(sql("next_kinds"), kinds, socket.gethostname()):
            for assignment in await source.claim({row["kind"]: 1}):
                return assignment
        return None

    async def _keep_up(self, source: QueueSource, *, older_than: float) -> bool:
        """Make ready what is due, unless that was done just now. Returns whether it was done."""
        now = asyncio.get_running_loop().time()
        if now < self._upkept + older_than:
            return False
        self._upkept = now
        await source.tick()
        return True

    async def _entered(self) -> QueueSource:
        if self._source is None:
            self._source = await self._stack.enter_async_context(QueueSource(self._pool, self._queue))
        return self._source


class _OneJob:
    """A source of one job, claimed already; what it comes to goes to where it is from."""

    name = QueueSource.name

    def __init__(self, source: QueueSource, assignment: Assignment) -> None:
        self._waiting: Sequence[Assignment] = (assignment,)
        self.end_claims = source.end_claims
        self.extend = source.extend
        self.settle = source.settle
        self.find_made = source.find_made
        self.keep_made = source.keep_made
        self.is_outage = source.is_outage

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None: ...

    async def claim(self, _slots: Mapping[str, int]) -> Sequence[Assignment]:
        waiting, self._waiting = self._waiting, ()
        return waiting

    async def tick(self) -> None:
        """Upkeep comes before the next claim."""

    async def wait(self, timeout: float) -> None:
        await asyncio.sleep(timeout)

    async def standing(self) -> Standing:
        return Standing.ENDED
