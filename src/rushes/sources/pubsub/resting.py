"""Who asked for rest: hosts, and the services that stages ask. Each worker knows its own, for nobody tells the others."""

from __future__ import annotations

import time
from datetime import timedelta

from rushes.lanes import lane_of
from rushes.model import Source, Step
from rushes.requests import Request


class Resting:
    """Until when who rests."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def rest(self, request: Request, stage: str | None, time_: timedelta) -> None:
        """Leave alone for so long whom that stage of the request asked."""
        for step in request.plan.steps if request.plan else ():
            if step.stage == stage:
                asked, until = _asked(step, request.source), time.monotonic() + time_.total_seconds()
                self._until[asked] = max(until, self._until.get(asked, 0.0))

    def left(self, request: Request) -> timedelta:
        """For how long somebody still rests whom the request is going to ask."""
        now = time.monotonic()
        self._until = {asked: until for asked, until in self._until.items() if until > now}
        steps = request.plan.steps if request.plan else ()
        return timedelta(
            seconds=max((self._until.get(_asked(step, request.source), now) - now for step in steps), default=0)
        )


def _asked(step: Step, source: Source | None) -> str:
    """Whom a stage asks: the item's own host, or a service that is the same for every item."""
    host = lane_of(source) if step.fetches and source else None
    return host or f"stage {step.stage}"
