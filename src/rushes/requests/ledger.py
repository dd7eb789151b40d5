"""What a source of messages asks of whoever keeps the requests: to take them up, to say how far they are, and to end them.

A message may be delivered twice, to two workers at once, and twice be published. A request is one all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from rushes.model import JSON, Failure, JobStatus, Plan, Source


@dataclass(frozen=True, slots=True)
class Request:
    """What a message asks for."""

    id: UUID | None
    """None: the message names none, and nothing can be done but to record what is wrong with it."""
    message_id: str
    correlation_id: str | None = None
    plan: Plan | None = None
    options: Mapping[str, JSON] = field(default_factory=dict)
    """Options of its own, `{stage: {option: value}}`, checked."""
    source: Source | None = None
    payload: JSON = field(default_factory=dict)
    """The message's own fields, where it is not about a video."""
    priority: int = 0
    about: str = ""
    """Its address, or the beginning of its text."""

    @property
    def pipeline(self) -> str | None:
        return self.plan.pipeline if self.plan else None


class Answer(StrEnum):
    """What is to be done about a request that a message brings."""

    GO = "go"
    DONE = "done"
    """It was done before: the message is to be acknowledged."""
    BUSY = "busy"
    """Somebody is at it now."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether to run a request, and the right to write what it came to."""

    answer: Answer
    token: int = 0
    attempts: int = 1
    """Which run this is, from 1."""
    crashes: int = 0
    """How often its worker fell silent while it ran."""
    wait: timedelta = timedelta(0)
    """When to ask again about one that is busy."""
    untold: Mapping[str, Any] | None = None
    """The result of one that is done, if it was not published."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life from a request's run."""

    id: UUID
    token: int
    stage: str | None = None
    percentage: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """What a run of a request came to."""

    request: Request
    token: int
    status: JobStatus
    """`completed`, `failed`, `retrying`, or `queued`: given back."""
    failure: Failure | None = None
    result: Mapping[str, Any] | None = None


class Ledger(Protocol):
    """Keeps requests."""

    lasting: bool
    """Whether what it knows outlives this process."""

    async def begin(self, requests: Sequence[Request]) -> Sequence[Permit]:
        """Take up requests, each with an id and none twice; answers in the order given."""

    async def beat(self, beats: Sequence[Beat]) -> Sequence[bool]:
        """Prolong leases, and store how far they are. Returns which are still held."""

    async def end(self, endings: Sequence[Ending]) -> Sequence[bool]:
        """Write what came of requests. Returns which of them counted: the lease of the others was lost."""

    async def told(self, requests: Collection[UUID]) -> None:
        """Results of these were published."""
