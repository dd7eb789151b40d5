"""What a source is: where a worker's jobs come from and where their outcomes go. The worker knows nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, Self

from rushes.model import JSON, Artifact, Failure, Job, Lease, Outcome, Plan, Produced, Source, Trust, Verdict, light

Beat = tuple[Lease, float | None, str | None]
"""A lease to prolong, with progress (0 to 1) and what is being done."""


@light
class Assignment:
    """An item and the stages to run now, under one lease."""

    lease: Lease
    job: Job
    plan: Plan
    step: int
    """Which stage of the plan to run now."""
    source: Source | None
    """What the item points at; None for a job without an item whose video nobody knows."""
    title: str | None = None
    trust: Trust = Trust.LOCAL
    owner: str | None = None
    reuse: bool = True
    inputs: Sequence[Artifact] = ()
    """What earlier stages of the item made."""
    item_options: Mapping[str, JSON] = field(default_factory=dict)
    timeout: timedelta | None = None
    rest: bool = False
    """Whether the stages after it follow, in turn and under this lease. What each makes is kept for a second delivery."""
    slot: str | None = None
    """Which of the worker's slots it fills; by default one of its job's kind."""
    folder: str | None = None
    """Where in storage its artifacts go, relative, with `/`; by default the job's number."""
    reference: str | None = None
    """The user's own id of the item."""
    correlation_id: str | None = None
    """What whoever asked for it knows the whole affair by; for the log."""
    chosen_by: Trust | None = None
    """Who chose the plan, where that is not who named the item: a stranger's row in a table that is ours to work at."""
    refused: Failure | None = None
    """Why it cannot be run at all: it fails with this. (A plan without stages is done at once: its source does the rest.)"""

    @property
    def name(self) -> str:
        """What the work is called: the same at every attempt and delivery, and for nothing else."""
        if self.folder:
            return self.folder
        what = self.source.key if self.source else self.job.kind
        # Another database counts its jobs from 1 as well.
        return f"{self.job.id} {self.job.created_at.isoformat()} {what}"


class Standing(StrEnum):
    """What an empty claim means."""

    WORK_LEFT = "work_left"
    """Others are at it, or it is due later, or nobody has looked yet."""
    EMPTY = "empty"
    LEASED = "leased"
    """All that is left is leased to others, for longer than this worker is to wait."""
    ENDED = "ended"
    """What this source was opened for is done."""
    PAUSED = "paused"
    """It waits for somebody."""


class WorkSource(Protocol):
    """A source of work. Use as an async context manager."""

    name: str

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exception: object) -> None: ...

    async def claim(self, slots: Mapping[str, int]) -> Sequence[Assignment]:
        """Take up to `slots[kind]` jobs of each kind, leased to this process."""

    async def end_claims(self) -> None:
        """No claim will follow: look for no more work, and give back what was found and not claimed."""

    async def extend(self, beats: Sequence[Beat]) -> Sequence[Verdict]:
        """Prolong leases; answers in the order given."""

    async def settle(self, outcomes: Sequence[Outcome]) -> Sequence[Lease]:
        """Write outcomes. Returns the leases that were no longer held: their outcomes were dropped."""

    async def find_made(self, fingerprint: str) -> Produced | None:
        """What an earlier run of the same work made, marked as used again; None if there was none."""

    async def keep_made(self, produced: Produced) -> None:
        """Keep what a stage of a longer assignment made, for `find_made` of a second delivery."""

    async def tick(self) -> float | None:
        """Upkeep, every second. Returns in how many seconds there is more to do, if that is known."""

    async def wait(self, timeout: float) -> None:
        """Wait until there may be work, at most `timeout` seconds."""

    async def standing(self) -> Standing:
        """What an empty claim means."""

    def is_outage(self, error: Exception) -> bool:
        """Whether an error says that the source cannot be reached now, and may be later."""
