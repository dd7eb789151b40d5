"""Turns: merges into one target run one after the other, whoever begins them.

BigQuery alone does not see to that. Two statements that only insert do not conflict
(https://cloud.google.com/bigquery/docs/data-manipulation-language#dml_statement_conflicts), so that two merges at once may
both find an id missing, and both insert it. A lock in this process is not enough either: a job goes on when whoever began it
has been cancelled or killed, and other tasks and executions merge, too.

So turns are numbered, and a turn's jobs are called by its number. BigQuery takes a job's id once: whoever comes second finds
the turn taken, and takes part in it (the statements are the same whoever runs them) until its last job has ended. Only then
it takes the next. Thus a turn's jobs see all that the turns before it have changed, and one that comes late, of a process
that was frozen, finds its id taken. No table is needed, and no statement beside those of the merge.

BigQuery knows jobs for half a year, and counting cannot begin with one that is forgotten: numbers begin anew in each period
of BigQuery's time. Before the first turn of a period the one before it is closed, with a job in the place of its next turn,
so that nobody whose clock is slow still takes one there.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from rushes.sources.bigquery.service import Service, Statement
from rushes.sources.bigquery.tables import Tables

PERIOD = timedelta(days=30)
NOTHING = Statement("nothing", "select 1", {})
"""Takes the place of another statement: costs nothing, and does nothing."""


class Turns:
    """Where this process is in them."""

    def __init__(self, service: Service, tables: Tables) -> None:
        self._service = service
        job = f"{tables.full(tables.source)} {tables.full(tables.target)} {tables.claims}"
        self._prefix = f"rushes-merge-{hashlib.sha256(job.encode()).hexdigest()[:16]}"
        self._period = self._number = -1

    async def next(self, statement: Statement) -> tuple[str, Statement]:
        """The next turn as far as is known here, which may be taken: its job's id, and the statement to begin it with.

        Raises: Away, Refused.
        """
        now = int(self._service.clock.now().timestamp() / PERIOD.total_seconds())
        if self._period < 0:
            await self._begin(now)
        return self._id(self._period, self._number), statement if self._period >= now else NOTHING

    def over(self) -> None:
        """All jobs of that turn have ended."""
        self._number += 1

    def closed(self) -> None:
        """It was the last of its period."""
        self._period, self._number = self._period + 1, 0

    def _id(self, period: int, number: int) -> str:
        return f"{self._prefix}-{period}-{number}"

    async def _begin(self, now: int) -> None:
        """Find the last turn that was taken."""
        if (last := await self._last(now)) is not None:
            self._period, self._number = now, last
        else:
            self._number = await self._last(now - 1) or 0
            self._period = now - 1

    async def _last(self, period: int) -> int | None:
        """The number of a period's last turn. They have no gaps: it is found by doubling, and then by halving."""
        if not await self._is_taken(period, 0):
            return None
        taken, free = 0, 1
        while await self._is_taken(period, free):
            taken, free = free, free * 2
        while free - taken > 1:
            middle = (taken + free) // 2
            if await self._is_taken(period, middle):
                taken = middle
            else:
                free = middle
        return taken

    async def _is_taken(self, period: int, number: int) -> bool:
        return await self._service.is_known(self._id(period, number))
