"""The feed: sees what there is to do, claims it, and reads it page by page as there is room.

A task looks, and does what it sees: read items that are its own already, or claim some, or (with nothing left in hand) say
that there is nothing. The first claim of an execution takes everything for all its tasks in one statement. What is added
later each task claims for itself, since others may have ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rushes.sources.bigquery.elections import Elections
from rushes.sources.bigquery.faults import Refused
from rushes.sources.bigquery.hand import Hand, Key
from rushes.sources.bigquery.items import Rows
from rushes.sources.bigquery.merging import Merging
from rushes.sources.bigquery.service import Pages, Service
from rushes.sources.bigquery.staging import Staging
from rushes.sources.bigquery.statements import Statements
from rushes.tasks import Task

POLL_SECONDS = 5.0, 60.0
"""Between two looks that find nothing: at first, and at most."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Seen:
    """What a look found."""

    pending: int = 0
    """Items of this task that it may claim."""
    own: int = 0
    """Items of this task whose results are not staged."""
    unstaged: int = 0
    """The same, of all tasks."""
    staged: int = 0
    """Items of all tasks whose results wait to be merged."""
    returned: int = 0
    """Of these, those that will be pending then."""
    leased: int = 0
    """Items of this task that other executions are at."""
    dead: set[str] = field(default_factory=set)
    """Executions whose lease has run out, and who hold items."""
    claimable: int = 0
    """Items of all tasks that may be claimed."""
    ownerless: int = 0
    """Items that something else has marked as being processed."""
    nameless: int = 0
    """Rows without an id."""

    @classmethod
    def of(cls, rows: Iterable[Any], index: int, *, left_alone: Collection[str] = ()) -> Seen:
        """The rows of `look.sql`, as they concern the task of this index.

        What executions hold that are to be left alone is as good as leased.
        """
        seen = cls()
        for row in rows:
            mine = row.number if row.task == index else 0
            match "leased" if row.standing == "lapsed" and row.owner in left_alone else row.standing:
                case "pending" | "lapsed":
                    seen.pending += mine
                    seen.claimable += row.number
                    seen.dead |= {row.owner} if row.standing == "lapsed" else set()
                case "own":
                    seen.own += mine
                    seen.unstaged += row.number
                case "leased":
                    seen.leased += mine
                case "ownerless":
                    seen.ownerless += row.number
                case "nameless":
                    seen.nameless += row.number
                case kind:
                    seen.staged += row.number
                    seen.returned += row.number if kind == "retry" else 0
        return seen


class Feed:
    """One task's."""

    def __init__(
        self,
        *,
        service: Service,
        elections: Elections,
        statements: Statements,
        merging: Merging,
        staging: Staging,
        hand: Hand,
        rows: Rows,
        task: Task,
        page: int,
        attempts: int,
        found: Callable[[], None],
    ) -> None:
        """`page` rows are read at a time; `found` hears that something has changed."""
        self._service = service
        self._elections = elections
        self._statements = statements
        self._merging = merging
        self._staging = staging
        self._hand = hand
        self._rows = rows
        self._task = task
        self._page = page
        self._attempts = attempts
        self._found = found
        self._pages: Pages | None = None
        self._in_vain = False
        """The last read gave nothing new, whatever looks say."""
        self._shared_claim = task.count > 1
        """Everything may still have to be claimed for all tasks."""
        self._left_alone: set[str] = set()
        """Executions that are dead, and whose results cannot be merged."""
        self._claimed_at: datetime | None = None
        self._life = 0
        self._nudged = asyncio.Event()
        self._pause = POLL_SECONDS[0]
        self._warned = False
        self.stopping = False
        self.seen: Seen | None = None
        """What the last look found, if there was nothing in hand and it found nothing to do."""

    def nudge(self) -> None:
        """Something has changed in hand."""
        self._nudged.set()

    def stop(self) -> None:
        """Begin nothing more."""
        self.stopping = True
        self.nudge()

    def reset(self) -> None:
        """What was being read may be somebody else's now: begin anew."""
        self._life += 1
        self._pages = None
        self._in_vain = False
        self.seen = None
        self.nudge()

    async def next(self) -> None:
        """Do the next thing. Raises: Away, Refused."""
        if self._hand.unbegun > self._page // 2 or self._hand.waiting >= self._page:
            await self._rest(POLL_SECONDS[1])
        elif self._pages:
            await self._read(self._pages)
        else:
            # Whoever is busy need not look at once: by the time that all is done there may be more.
            await self._until_idle(self._pause)
            if not self.stopping:
                await self._look(idle=self._hand.idle)

    async def _read(self, pages: Pages) -> None:
        life = self._life
        try:
            page = await pages.following()
        except Refused as refused:
            if refused.what != "notFound":  # an answer is kept for a day
                raise
            page = None
        if life != self._life:
            return
        if page is None:
            self._pages = None
            return
        for row in page:
            if Key(row.id, row.claim or "") not in self._hand:
                self._hand.add(self._rows.item(row))
                self.seen = None
                self._in_vain = False
                self._pause = POLL_SECONDS[0]
        self._found()

    async def _look(self, *, idle: bool) -> None:
        if idle:
            await self._staging.flush()
        seen = await self._see()
        if seen.own > len(self._hand) and not self._in_vain:
            await self._open()
        elif seen.pending or (seen.claimable and self._shared_claim):
            await self._claim(seen)
        elif idle and seen.staged and not seen.unstaged:
            await self._merging.own(after=self._staging.durable_at)
            self._in_vain = False
            if not seen.returned:
                await self._nothing(seen)
        else:
            await self._nothing(seen if idle and self._hand.idle else None)

    async def _see(self) -> Seen:
        changes = (self._staging.durable_at, self._merging.ended_at, self._claimed_at)
        after = max((at for at in changes if at), default=None)
        ran = await self._elections.shared(self._statements.look(), after=after)
        seen = Seen.of(await self._service.rows(ran), self._task.index, left_alone=self._left_alone)
        self._warn(seen)
        return seen

    async def _claim(self, seen: Seen) -> None:
        for execution in sorted(seen.dead):
            await self._merge_dead(execution)
        everybody = self._shared_claim
        claim = self._elections.common_id("claim") if everybody else self._elections.own_id("claim")
        statement = self._statements.claim(
            claim, attempts=self._attempts, everybody=everybody, left_alone=sorted(self._left_alone)
        )
        ran = await self._service.once(claim, statement)
        self._shared_claim = False
        self.seen = None
        self._claimed_at = ran.ended
        if ran.led:
            log.info("claimed %d items", ran.affected)
        if ran.affected:
            await self._open()
        else:  # somebody was faster
            await self._rest(1)

    async def _open(self) -> None:
        """Begin to read what is this task's."""
        life = self._life
        ran = await self._elections.own(self._statements.read())
        pages = await self._service.pages(ran, self._page)
        if life == self._life:
            self._pages = pages
            self._in_vain = True  # until there is a new one

    async def _merge_dead(self, execution: str) -> None:
        unmerged: Refused | None = None
        try:
            await self._merging.of_dead(execution)
        except Refused as refused:
            if refused.what != "notFound":  # it staged nothing, or so long ago that it is gone
                unmerged = refused
        if unmerged:
            self._left_alone.add(execution)
            log.error(
                "the execution %s has fallen silent, and what it staged cannot be merged: its items are left alone. %s",
                execution, unmerged,
            )  # fmt: skip
        else:
            log.warning("the execution %s has fallen silent: its items are taken over", execution)

    async def _nothing(self, seen: Seen | None) -> None:
        self.seen = seen
        self._found()
        if seen:
            await self._rest(self._pause)
        self._pause = min(POLL_SECONDS[1], self._pause * 2)
        self._in_vain = False

    async def _until_idle(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not (self._hand.idle or self.stopping) and (left := deadline - time.monotonic()) > 0:
            await self._rest(left)

    async def _rest(self, seconds: float) -> None:
        """Wait until something changes in hand, but no longer than this."""
        self._nudged.clear()
        if self.stopping:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nudged.wait()

    def _warn(self, seen: Seen) -> None:
        if self._warned:
            return
        self._warned = True
        if seen.ownerless:
            log.warning(
                "%d items are PROCESSING without an owner, left by something else: they stay as they are",
                seen.ownerless,
            )
        if seen.nameless:
            log.warning("%d rows have no id: they are left alone", seen.nameless)
