"""BigQuery's own time."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class ServerClock:
    """BigQuery's clock, read off the jobs begun here; between them the monotonic clock goes on.

    A wrong wall clock does no harm from the first job on.
    """

    def __init__(self) -> None:
        self._at = time.time()
        self._began = time.monotonic()

    def observe(self, created: datetime, began: float) -> None:
        """A job that was asked for at `began` (monotonic) was created then. Rather too late than too early."""
        self._at, self._began = created.timestamp(), began

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._at + time.monotonic() - self._began, UTC)
