"""Hosts that asked for rest. Each worker knows its own: without a queue nobody tells the others."""

from __future__ import annotations

import time
from datetime import timedelta

from rushes.lanes import lane_of
from rushes.model import Source


class RestingHosts:
    """Until when which host rests."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def rest(self, source: Source | None, seconds: timedelta) -> None:
        """Leave the host of this source alone for so long."""
        if source and (host := lane_of(source)):
            until = time.monotonic() + seconds.total_seconds()
            self._until[host] = max(until, self._until.get(host, 0))

    def left(self, source: Source | None) -> timedelta:
        """For how long its host still rests."""
        host = lane_of(source) if source else None
        if host is None or host not in self._until:
            return timedelta(0)
        left = self._until[host] - time.monotonic()
        if left <= 0:
            del self._until[host]
        return timedelta(seconds=max(0.0, left))
