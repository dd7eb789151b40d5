"""The server's time, which a test can move: leases expire, streaming buffers empty and days end without waiting."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """The time of the machine, and what was added to it."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        with self._lock:
            self._ahead += by


def milliseconds(time: datetime) -> str:
    """As the REST API writes times: milliseconds since 1970, in a string."""
    return str(int(time.timestamp() * 1000))
