"""Merging: staged results into the target, and what became of the items into their own table.

Three statements, each by whichever task comes first. The first says which batches there are to merge, and the other two keep
to these, so that no item is marked as done whose result is not in the target. Any of them may be repeated: what is merged is
no longer held by the execution, and is passed over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rushes.sources.bigquery.elections import WINDOW, Elections
from rushes.sources.bigquery.service import Service
from rushes.sources.bigquery.statements import Statements


class Merging:
    """Merges what an execution has staged: its own results, or those that a dead one left behind."""

    def __init__(self, service: Service, elections: Elections, statements: Statements, execution: str) -> None:
        self._service = service
        self._elections = elections
        self._statements = statements
        self._execution = execution
        self.merged = 0
        """Results that this task put into the target."""
        self.began_at: datetime | None = None
        self.ended_at: datetime | None = None
        """BigQuery's times of the last merge that this task saw."""

    async def own(self, *, every: timedelta = WINDOW, after: datetime | None = None) -> None:
        """Merge what has been staged before `after`, at least. Raises: Away, Refused."""
        self.began_at, self.ended_at = await self._merge(self._execution, every, after, dead=False)

    async def of_dead(self, execution: str) -> None:
        """Merge what an execution left whose lease has run out, so that nothing that is done is done again."""
        _, self.ended_at = await self._merge(execution, WINDOW, None, dead=True)

    async def _merge(
        self, owner: str, every: timedelta, after: datetime | None, *, dead: bool
    ) -> tuple[datetime, datetime]:
        looking = self._statements.batches(owner, dead=dead)
        looked = await self._elections.shared(looking, every=every, after=after, about=owner if dead else "")
        batches = sorted(row.batch for row in await self._service.rows(looked))
        if not batches:
            return looked.created, looked.ended
        name = looked.job.job_id
        last = await self._service.once(f"{name}-target", self._statements.into_target(owner, batches))
        self.merged += last.affected if last.led else 0
        if self._statements.claims:
            last = await self._service.once(f"{name}-source", self._statements.into_source(owner, batches, dead=dead))
        return looked.created, last.ended
