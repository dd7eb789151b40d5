"""A task's end: what has not begun goes back at once, what is done becomes durable, and whoever is last merges it.

A platform gives ten seconds between SIGTERM and the end. Giving back begins with the grace, so that the little that is left
when that is over can be written in time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from functools import partial

from rushes.sources.bigquery.faults import Away, Refused
from rushes.sources.bigquery.hand import Hand
from rushes.sources.bigquery.loops import Loops, through_outages
from rushes.sources.bigquery.outcomes import Outcomes
from rushes.sources.bigquery.parts import Parts

LONGEST_SECONDS = 120.0
"""So long each step is tried again while BigQuery is away, where nobody is about to kill the process."""
LEFT = timedelta(hours=1)
"""How long the staging table is there when nobody needs it any more."""
log = logging.getLogger(__name__)


class Ending:
    """One task's."""

    def __init__(self, parts: Parts, hand: Hand, loops: Loops, outcomes: Outcomes) -> None:
        self._parts = parts
        self._hand = hand
        self._loops = loops
        self._outcomes = outcomes
        self._giving_back: asyncio.Task[None] | None = None
        self.was_lost = False
        """The lease ran out at some time."""

    def begin(self) -> None:
        """Take no more, and give back what has not begun."""
        if self._giving_back is None:
            self._parts.feed.stop()
            self._parts.staging.lift_bounds()
            self._giving_back = asyncio.create_task(self._give_back(), name="bigquery give back")

    async def finish(self) -> None:
        """Make durable what is done, and merge it if this is the last task. Does not fail: what is lost is done again."""
        self.begin()
        await self._loops.end("staging", "merging", "keeping", "starts", "loss")
        try:
            await self._finish()
        except (Refused, Away) as error:
            self._tell_lost(f"BigQuery: {error.reason}")
        except asyncio.CancelledError:
            self._tell_lost("the time was over before all was written")
            raise
        finally:
            self._tell_spent()
            if self._giving_back:
                self._giving_back.cancel()
                await asyncio.gather(self._giving_back, return_exceptions=True)

    async def _give_back(self) -> None:
        parts = self._parts
        await self._loops.ended("feed")  # what it was about to claim is claimed by then
        drained = parts.feed.seen is not None and self._hand.idle
        self._hand.drop_unbegun()
        if parts.statements.claims and not drained:
            statement = parts.statements.give_back([key.id for key in self._hand.known()])
            await through_outages(partial(parts.elections.own, statement), within=LONGEST_SECONDS)

    async def _finish(self) -> None:
        parts = self._parts
        if parts.statements.claims:
            for item in self._hand.left_over():
                self._outcomes.unfinished(item)
        await through_outages(partial(parts.staging.flush, at_last=True), within=LONGEST_SECONDS)
        if self._giving_back:
            await self._giving_back
        drained = parts.feed.seen
        if parts.unmerged and not (drained and drained.unstaged):
            merge = partial(parts.merging.own, after=parts.staging.durable_at)
            await through_outages(merge, within=LONGEST_SECONDS)
        if self.was_lost:
            await self._count_late()
        if drained and not drained.unstaged:
            with contextlib.suppress(Away):
                await parts.service.expire(parts.staged_table, parts.service.clock.now() + LEFT)

    async def _count_late(self) -> None:
        ran = await self._parts.elections.own(self._parts.statements.late())
        (row,) = await self._parts.service.rows(ran)
        if row.number:
            log.warning("%d results came too late: their items had become somebody else's", row.number)

    def _tell_lost(self, why: str) -> None:
        count = self._parts.staging.unstaged
        log.error("%s%s", why, f"; {count} results are lost, and their items will be done again" if count else "")

    def _tell_spent(self) -> None:
        spent = self._parts.service.spent
        log.info(
            "BigQuery: %d statements, %d load jobs, %.0f MiB billed; %d results merged by this task",
            spent.statements, spent.loads, spent.bytes_billed / 2**20, self._parts.merging.merged,
        )  # fmt: skip
