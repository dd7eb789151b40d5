"""Merging: staged results into the target, and what became of the items into their own table.

Three statements, each by whichever task comes first. The first says which batches there are to merge, and the other two keep
to these, so that no item is marked as done whose result is not in the target. Any of them may be repeated: what is merged is
no longer held by the execution, and is passed over. One merge follows the other (`turns`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rushes.sources.bigquery.elections import WINDOW
from rushes.sources.bigquery.faults import Refused
from rushes.sources.bigquery.service import Ran, Service, Statement
from rushes.sources.bigquery.statements import Statements
from rushes.sources.bigquery.turns import NOTHING, Turns


class Merging:
    """Merges what an execution has staged: its own results, or those that a dead one left behind."""

    def __init__(self, service: Service, statements: Statements, turns: Turns, execution: str) -> None:
        self._service = service
        self._statements = statements
        self._turns = turns
        self._execution = execution
        self._one_at_a_time = asyncio.Lock()
        self.merged = 0
        """Results that this task put into the target."""
        self.began_at: datetime | None = None
        self.ended_at: datetime | None = None
        """BigQuery's times of the last merge that this task saw."""

    async def own(self, *, every: timedelta = WINDOW, after: datetime | None = None) -> None:
        """Merge what has been staged before `after`, at least. Raises: Away, Refused.

        A merge that another task began will do, if that is no longer ago than `every`.
        """
        self.began_at, self.ended_at = await self._merge(self._execution, every, after, dead=False)

    async def of_dead(self, execution: str) -> None:
        """Merge what an execution left whose lease has run out, so that nothing that is done is done again."""
        _, self.ended_at = await self._merge(execution, WINDOW, None, dead=True)

    async def _merge(
        self, owner: str, every: timedelta, after: datetime | None, *, dead: bool
    ) -> tuple[datetime, datetime]:
        looking = self._statements.batches(owner, dead=dead)
        oldest = self._service.clock.now() - every
        since = max(oldest, after) if after else oldest
        async with self._one_at_a_time:
            while True:
                turn = await self._turn(looking)
                if turn is None:
                    continue
                looked, ended = turn
                if looked.parameters == looking.parameters and (looked.led or looked.created > since):
                    return looked.created, ended

    async def _turn(self, looking: Statement) -> tuple[Ran, datetime] | None:
        """Take the next turn, or take part in it, whosever it is. Returns its first job, and when its last one ended.

        None: it is over, and came to nothing: it was refused or given up, or this account may not look at it.
        """
        name, statement = await self._turns.next(looking)
        try:
            looked = await self._service.once(name, statement, again=False)
            ended = await self._carry_out(name, looked)
        except Refused as refused:
            if not refused.earlier:
                raise
            self._turns.over()
            return None
        if "owner" in looked.parameters:
            self._turns.over()
        else:
            self._turns.closed()
        return (looked, ended) if ended else None

    async def _carry_out(self, name: str, looked: Ran) -> datetime | None:
        """Run what follows, or wait for it. Returns when it ended; None: somebody gave it up, and nothing follows."""
        ran = looked
        for step, statement in self._steps(looked, await self._batches(looked)):
            ran = await self._service.once(f"{name}-{step}", statement, again=False)
            if "batches" not in ran.parameters:
                return None
            if step == "target" and ran.led:
                self.merged += ran.affected
        return ran.ended

    async def _batches(self, looked: Ran) -> Sequence[str] | None:
        """Those of a merge. None: its answer is not to be had, since it is a day old, or another account's."""
        if "owner" not in looked.parameters:
            return []
        try:
            return sorted(row.batch for row in await self._service.rows(looked))
        except Refused:
            if looked.led:
                raise
            return None

    def _steps(self, looked: Ran, batches: Sequence[str] | None) -> Iterator[tuple[str, Statement]]:
        """What follows. Where the batches are unknown, nothing that has not begun shall: the places are taken."""
        owner, dead = str(looked.parameters.get("owner")), bool(looked.parameters.get("dead"))
        if batches == []:
            return
        yield "target", NOTHING if batches is None else self._statements.into_target(owner, batches)
        if self._statements.claims:
            into_source = self._statements.into_source
            yield "source", NOTHING if batches is None else into_source(owner, batches, dead=dead)
