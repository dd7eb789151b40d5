"""A BigQuery table as a source: its rows are items, handed out whole, and another table says what they came to.

The tasks of an execution share its claims and its lease, and divide its items by the fingerprints of their ids. Nothing is
asked of BigQuery while the worker waits: it takes from what is in hand (`hand`), which is filled (`feed`), whose results
gather (`staging`) and are merged (`merging`) beside it, while the lease is kept (`lease`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, Self

from rushes.errors import RushesError
from rushes.model import JobId, Lease, Outcome, Plan, Retries, Trust, Verdict
from rushes.settings import Settings
from rushes.sources.base import Assignment, Beat, Standing
from rushes.sources.bigquery.ending import Ending
from rushes.sources.bigquery.execution import execution_of
from rushes.sources.bigquery.faults import Away, Refused
from rushes.sources.bigquery.hand import Hand, Item, Key
from rushes.sources.bigquery.items import folder_of
from rushes.sources.bigquery.lease import Lease as ExecutionLease
from rushes.sources.bigquery.loops import Loops, through_outages
from rushes.sources.bigquery.outcomes import Outcomes
from rushes.sources.bigquery.parts import Parts, assemble
from rushes.sources.bigquery.preparing import connect
from rushes.sources.bigquery.service import Service
from rushes.sources.bigquery.staging import KEPT
from rushes.sources.bigquery.tables import Tables
from rushes.sources.results import result_of
from rushes.sources.whole_items import SLOT, MadeInStorage, Numbering, WholeItem
from rushes.storage import LocalStorage, Manifests
from rushes.tasks import Task

START_SECONDS = 30.0
"""So long BigQuery may be away at the start."""
KEEP_SECONDS = 900.0
"""Between two times at which the staging table is kept from going."""
log = logging.getLogger(__name__)


class _Handed(NamedTuple):
    item: Item
    assignment: Assignment


class _Work(NamedTuple):
    parts: Parts
    outcomes: Outcomes
    ending: Ending


class BigQuerySource(MadeInStorage):
    """Rows of a table, for one task of an execution."""

    name = "bigquery"

    def __init__(self, settings: Settings, plan: Plan, task: Task) -> None:
        """`plan` is what every item goes through. Raises: SettingsError, if the settings do not name the tables."""
        super().__init__(Manifests(settings.artifacts))
        self._settings = settings
        self._plan = plan
        self._task = task
        self._tables = Tables.of(settings)
        self._storage = LocalStorage(settings.artifacts)
        # Rows are anybody's; what is done with them is this command's.
        self._numbering = Numbering(Trust.UNTRUSTED, chosen_by=Trust.LOCAL)
        self._hand = Hand(time.monotonic)
        self._running: dict[JobId, _Handed] = {}
        self._bell = asyncio.Event()
        self._loops = Loops(refused=self._on_refused, changed=self._bell.set)
        self._work: _Work | None = None
        self._paused = False
        self._leaving = False
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            execution = stack.enter_context(execution_of(self._task, self._tables, self._settings))
            client = connect(str(self._settings.bigquery_project))
            stack.callback(client.close)
            labels = {"app": "rushes", "execution": _label(execution), "task": str(self._task.index)}
            service = Service(client, labels, max_bytes=self._settings.bigquery_max_bytes)
            parts = await self._assembled(service, execution)
            outcomes = Outcomes(
                self._hand, parts.staging, self._retries(), parts.prepared.filled, parts.prepared.target_types
            )
            self._work = _Work(parts, outcomes, Ending(parts, self._hand, self._loops, outcomes))
            if parts.prepared.left_alone:
                names = ", ".join(parts.prepared.left_alone)
                log.warning(
                    "columns of the target that are of another type than Rushes knows are left alone: %s", names
                )
            self._start(parts)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exception: object) -> None:
        try:
            await self._entered().ending.finish()
        finally:
            await self._loops.end()
            await self._stack.aclose()

    async def claim(self, slots: Mapping[str, int]) -> Sequence[Assignment]:
        parts = self._entered().parts
        self._loops.check()
        items: list[Item] = []
        if not (self._leaving or self._paused) and (parts.lease is None or parts.lease.held):
            items = (parts.starts or self._hand).begin(slots.get(SLOT, 0))
        if items:
            parts.feed.nudge()
        elif self._loops.away:
            raise self._loops.away
        return [self._handed_out(item) for item in items]

    async def end_claims(self) -> None:
        self._leaving = True
        self._entered().ending.begin()

    async def extend(self, beats: Sequence[Beat]) -> Sequence[Verdict]:
        return [Verdict.GO_ON if lease.job_id in self._running else Verdict.LOST for lease, _, _ in beats]

    async def settle(self, outcomes: Sequence[Outcome]) -> Sequence[Lease]:
        told = [await self._told(outcome) for outcome in outcomes]
        stale = [outcome.lease for outcome, text in zip(outcomes, told, strict=True) if not self._settle(outcome, text)]
        parts = self._entered().parts
        parts.feed.nudge()
        self._bell.set()
        await parts.staging.room()
        return stale

    async def tick(self) -> None:
        self._loops.check()

    async def wait(self, timeout: float) -> None:
        due = self._hand.next_due()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout if due is None else min(timeout, due + 0.001)):
                await self._bell.wait()
        self._bell.clear()

    async def standing(self) -> Standing:
        parts = self._entered().parts
        if self._paused:
            return Standing.PAUSED
        seen = parts.feed.seen
        if seen is None or not self._hand.idle or parts.staging.unstaged:
            return Standing.WORK_LEFT
        return Standing.LEASED if seen.leased else Standing.EMPTY

    def is_outage(self, error: Exception) -> bool:
        return isinstance(error, Away)

    def _entered(self) -> _Work:
        assert self._work, "enter the source first"
        return self._work

    async def _assembled(self, service: Service, execution: str) -> Parts:
        make = partial(
            assemble, service, self._tables, self._task, self._plan, self._settings, self._hand,
            execution=execution, found=self._bell.set, staged=self._on_staged,
        )  # fmt: skip
        try:
            return await through_outages(make, within=START_SECONDS)
        except Away as away:
            raise RushesError(f"BigQuery was not to be had in {START_SECONDS:.0f} s: {away.reason}") from away

    def _start(self, parts: Parts) -> None:
        start = self._loops.start
        start("feed", parts.feed.next, while_=lambda: not parts.feed.stopping)
        start("staging", parts.staging.next)
        start("merging", partial(self._merge, parts), every=self._settings.bigquery_merge.total_seconds())
        start("keeping", partial(self._keep_staged, parts), every=KEEP_SECONDS)
        if parts.lease:
            start("lease", parts.lease.next)
            start("loss", partial(self._watch, parts, parts.lease))
        if parts.starts:
            start("starts", parts.starts.next)

    def _retries(self) -> Retries:
        """A single stage's own, otherwise the usual; how often is for the settings to say."""
        own = self._plan.steps[0].retries if len(self._plan.steps) == 1 else Retries()
        return replace(own, max_attempts=self._settings.item_attempts)

    def _handed_out(self, item: Item) -> Assignment:
        table = self._tables.full(self._tables.source)
        whole = WholeItem(
            folder=folder_of(table, item.key.id),
            plan=self._plan,
            source=item.source,
            payload=item.payload,
            title=item.title,
            reference=item.key.id,
            attempts=item.attempts + 1,
            max_attempts=self._settings.item_attempts,
            timeout=self._settings.item_timeout,
        )
        assignment = self._numbering.assignment(whole)
        if item.refused:
            assignment = replace(assignment, refused=item.refused)
        self._running[assignment.job.id] = _Handed(item, assignment)
        return assignment

    async def _told(self, outcome: Outcome) -> str:
        """What is staged of what was made. Raises: ValueError, if it cannot be."""
        handed = self._running.get(outcome.lease.job_id)
        if outcome.produced is None or handed is None:
            return ""
        read = partial(result_of, handed.assignment, outcome, self._storage)
        # Documents are files; without any there is nothing to wait for.
        result = await asyncio.to_thread(read) if outcome.produced.artifacts else read()
        return self._entered().outcomes.told(result)

    def _settle(self, outcome: Outcome, told: str) -> bool:
        """Take an outcome down. Returns whether its item was still ours."""
        handed = self._running.pop(outcome.lease.job_id, None)
        if handed is None:
            return False
        outcomes = self._entered().outcomes
        if outcome.produced:
            outcomes.completed(handed.item, told)
        elif outcome.failure is None or outcome.failure.environment:
            if outcome.failure:
                self._pause(outcome.failure.message, outcome.failure.remedy)
            if not self._leaving:  # otherwise it goes back with the rest
                outcomes.released(handed.item)
        else:
            outcomes.failed(handed.item, outcome.failure)
        return True

    def _pause(self, reason: str, remedy: str | None) -> None:
        if not self._paused:
            log.error("paused: %s%s", reason, f" ({remedy})" if remedy else "")
        self._paused = True
        self._entered().parts.staging.lift_bounds()
        self._bell.set()

    def _on_refused(self, refused: Refused) -> None:
        self._pause(f"BigQuery: {refused.reason}", refused.remedy)

    def _on_staged(self, keys: Iterable[Key]) -> None:
        self._hand.staged(keys)
        self._loops.well("staging")

    async def _merge(self, parts: Parts) -> None:
        if parts.unmerged:
            await parts.merging.own(every=self._settings.bigquery_merge)

    async def _keep_staged(self, parts: Parts) -> None:
        await parts.service.expire(parts.staged_table, parts.service.clock.now() + KEPT)

    async def _watch(self, parts: Parts, lease: ExecutionLease) -> None:
        """When the lease has run out nothing in hand is ours any more, for all we know."""
        await lease.taken()
        await lease.ran_out()
        log.warning("the lease has run out: %d running items are given up", len(self._running))
        self._entered().ending.was_lost = True
        self._lose(parts)
        await lease.taken()
        self._lose(parts)  # what was read meanwhile may have been taken over before the lease was taken up again

    def _lose(self, parts: Parts) -> None:
        self._running.clear()
        self._hand.drop()
        if parts.starts:
            parts.starts.drop()
        parts.feed.reset()


def _label(text: str) -> str:
    """A label's value: https://cloud.google.com/bigquery/docs/labels-intro#requirements."""
    return "".join(char if char.isalnum() or char in "-_" else "_" for char in text.lower())[:63]
