"""What the sources share that hand out whole items, all stages under one lease: BigQuery's and Pub/Sub's.

They have no queue of stages, so that an item's stages are run in turn, and no table of what was made, so that it is
written down in storage. How often an item is tried, and when again, is decided here by the same classes as in the queue.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from rushes.errors import ErrorClass
from rushes.model import JSON, Failure, Job, JobId, JobStatus, Lease, Plan, Produced, Retries, Source, Trust, WorkerId
from rushes.pipelines import first_step
from rushes.sources.base import Assignment
from rushes.storage import Manifests

SLOT = "item"
"""The one kind of slots that these sources fill."""
LONGEST_DEFERRAL = timedelta(days=1)
"""A host that asks for rest for longer than this fails the item, as in the queue."""
DIED = "its worker ended while it ran"
"""The error of an item of which no more is known."""
_AGAIN = frozenset({ErrorClass.TRANSIENT, ErrorClass.BUG})


@dataclass(frozen=True, slots=True)
class WholeItem:
    """An item as its source hands it out."""

    folder: str
    """Where in storage its artifacts go. The same at each delivery."""
    plan: Plan
    source: Source | None
    payload: JSON = field(default_factory=dict)
    title: str | None = None
    reference: str | None = None
    """The user's own id of it."""
    correlation_id: str | None = None
    """What whoever asked for it knows the whole affair by."""
    item_options: Mapping[str, JSON] = field(default_factory=dict)
    attempts: int = 1
    """Which one this is, from 1."""
    max_attempts: int = 3
    priority: int = 0
    timeout: timedelta | None = None


class Numbering:
    """Gives each delivery of an item a job and a lease of this process."""

    def __init__(self, trust: Trust, *, chosen_by: Trust | None = None) -> None:
        """`trust` says who names the items, `chosen_by` who chose their plans, where that is somebody else."""
        self._trust = trust
        self._chosen_by = chosen_by
        self._numbers = itertools.count(1)
        self._worker = WorkerId(os.getpid())

    def assignment(self, item: WholeItem) -> Assignment:
        """The item with all its stages, under a lease that nobody had before."""
        number = JobId(next(self._numbers))
        steps = item.plan.steps
        first = first_step([step.stage for step in steps], collection=False) if steps else 0
        job = Job(
            number, steps[first].stage if first == len(steps) - 1 else item.plan.pipeline, JobStatus.PROCESSING,
            item.priority, item.attempts, item.max_attempts, item.payload, datetime.now(UTC),
        )  # fmt: skip
        return Assignment(
            Lease(number, item.attempts, self._worker), job, item.plan, first, item.source, item.title,
            trust=self._trust, item_options=item.item_options, timeout=item.timeout, rest=True, slot=SLOT,
            folder=item.folder, reference=item.reference, correlation_id=item.correlation_id, chosen_by=self._chosen_by,
        )  # fmt: skip


class MadeInStorage:
    """The part of a source that finds and keeps what stages made, by manifests in storage."""

    def __init__(self, manifests: Manifests) -> None:
        self._manifests = manifests

    async def find_made(self, fingerprint: str) -> Produced | None:
        found = await asyncio.to_thread(self._manifests.find, fingerprint)
        return replace(found, reused=True) if found else None

    async def keep_made(self, produced: Produced) -> None:
        await asyncio.to_thread(self._manifests.add, produced)


def only_posted(plan: Plan) -> bool:
    """Whether items are only posted to a service: they cannot kill their worker, and to it their addresses are text."""
    return all(step.stage == "process" for step in plan.steps)


def died_out(times: int) -> Failure:
    """Why an item is not run any more that so often was there when its worker ended."""
    return Failure(ErrorClass.BUG, f"{DIED}, {times} times")


def again_in(
    failure: Failure, attempts: int, retries: Retries, *, deferred: timedelta = timedelta(0), chance: float = 0.0
) -> timedelta | None:
    """In how long a failed item is to be tried again; None: never.

    Args:
        failure: of the run that has just ended.
        attempts: how many runs were counted, with that one. One whose host asked for rest is not to be counted.
        retries: the item's.
        deferred: for how long its host has been asking for rest.
        chance: from 0 to 1, drawn for the jitter.
    """
    if failure.error_class is ErrorClass.RATE_LIMITED:
        return failure.retry_after or retries.cap if deferred < LONGEST_DEFERRAL else None
    if failure.error_class not in _AGAIN or attempts >= retries.max_attempts:
        return None
    delay = min(retries.cap, retries.base * (1 << min(attempts - 1, 30)))
    return delay * (1 - retries.jitter * chance)
