"""Requests as long as this process lives, for workers without a database."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from rushes.model import JobStatus
from rushes.requests.ledger import Answer, Beat, Ending, Permit, Request

REMEMBERED = 100_000
"""The requests known at most: the oldest are forgotten."""
BUSY_FOR = timedelta(seconds=10)
"""A guess: how long the same request's other message is still at work."""


@dataclass(frozen=True, slots=True)
class _Known:
    """How a request stands."""

    status: JobStatus = JobStatus.QUEUED
    attempts: int = 0
    token: int = 0


class LedgerInMemory:
    """A ledger that knows what this process has seen."""

    lasting = False

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, _Known] = OrderedDict()
        self._tokens = itertools.count(1)

    async def begin(self, requests: Sequence[Request]) -> Sequence[Permit]:
        return [self._begin(request.id) for request in requests if request.id]

    async def beat(self, beats: Sequence[Beat]) -> Sequence[bool]:
        return [self._of(beat.id).token == beat.token for beat in beats]

    async def end(self, endings: Sequence[Ending]) -> Sequence[bool]:
        return [self._end(ending) for ending in endings]

    async def told(self, requests: Collection[UUID]) -> None:
        """Nothing is remembered of results."""

    def _of(self, request: UUID) -> _Known:
        return self._known.get(request, _Known())

    def _begin(self, request: UUID) -> Permit:
        known = self._of(request)
        if known.status is JobStatus.COMPLETED:
            return Permit(Answer.DONE)
        if known.status is JobStatus.PROCESSING:
            return Permit(Answer.BUSY, wait=BUSY_FOR)
        attempts = 1 if known.status is JobStatus.FAILED else known.attempts + 1
        begun = _Known(JobStatus.PROCESSING, attempts, next(self._tokens))
        self._remember(request, begun)
        return Permit(Answer.GO, begun.token, attempts)

    def _end(self, ending: Ending) -> bool:
        request = ending.request.id
        if request is None:
            return True
        known = self._of(request)
        if known.token != ending.token:
            return False
        given_back = ending.status is JobStatus.QUEUED and known.status is JobStatus.PROCESSING
        self._remember(request, replace(known, status=ending.status, attempts=known.attempts - given_back))
        return True

    def _remember(self, request: UUID, known: _Known) -> None:
        self._known[request] = known
        self._known.move_to_end(request)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
