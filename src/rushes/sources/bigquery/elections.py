"""Statements of which one is enough for all tasks: the job's id is made of the time, and whoever comes first runs it.

BigQuery takes each id once in a project and location, so that ids are locks that cost nothing. A task that is late waits for
the job that is there. Nothing depends on it that only one runs: each such statement may run twice, and the second finds
nothing to do.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from datetime import datetime, timedelta

from rushes.sources.bigquery.service import Ran, Service, Statement

WINDOW = timedelta(seconds=1)
"""Tasks that ask within this time share a statement."""
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")


class Elections:
    """The statements of one execution."""

    def __init__(self, service: Service, execution: str, *, alone: bool) -> None:
        """`alone`: there are no other tasks, so that nothing is shared and no id can be foreseen."""
        self._service = service
        self._prefix = f"rushes-{_ILLEGAL.sub('_', execution)}"
        self._alone = alone

    def own_id(self, purpose: str) -> str:
        """An id that nobody else has."""
        return f"{self._prefix}-{purpose}-{secrets.token_hex(8)}"

    def common_id(self, purpose: str) -> str:
        """An id that all tasks have in common, and that can be used once in the execution's life."""
        return f"{self._prefix}-{purpose}"

    async def own(self, statement: Statement) -> Ran:
        """Run a statement that concerns this task alone."""
        return await self._service.once(self.own_id(statement.purpose), statement)

    async def shared(self, statement: Statement, *, every: timedelta = WINDOW, after: datetime | None = None) -> Ran:
        """Run a statement at most once in each stretch of time, counted from the epoch.

        Args:
            statement: to be run.
            every: the stretch.
            after: BigQuery's time. A job that began earlier does not know what it should: the next one is waited for.
        """
        if self._alone:
            return await self.own(statement)
        name = f"{self._prefix}-{statement.purpose}"
        seconds = every.total_seconds()
        while True:
            stretch = int(self._service.clock.now().timestamp() / seconds)
            ran = await self._service.once(f"{name}-{stretch}-{every // timedelta(milliseconds=1)}", statement)
            if ran.led or after is None or ran.created > after:
                return ran
            rest = (stretch + 1) * seconds - self._service.clock.now().timestamp()
            await asyncio.sleep(max(0.0, rest))
