"""When a host is left alone: after failures in a row it rests, so that a dead one does not use up every item's attempts.

                 strikes                          rest over
    closed ───────────────────▶ open ───────────────────────────▶ one request looks whether it is back
      ▲                           ▲                                          │
      │                           └───── a failure: rest twice as long ──────┤
      └───────────────────────────────── a success ──────────────────────────┘

While one looks, the others go on waiting; if it takes long, another looks after the same rest again, so that a lost one
holds nobody up. Beside that a host may itself ask for rest. Times are seconds of the monotonic clock, passed in.
"""

from __future__ import annotations

from math import inf

STRIKES = 100
"""So many in a row open it. No connection weighs more than an answer, which may be about the item alone."""
REST, LONGEST_REST = 5.0, 60.0


class Breaker:
    """One host's state."""

    def __init__(self) -> None:
        self._strikes = 0
        self._rest = 0.0
        """How long it rests; 0: it is closed."""
        self._until = 0.0
        self._asked_until = 0.0
        self._looked = inf
        """When the last request that looks was let through."""

    def wait(self, now: float) -> float:
        """In how many seconds a request may go; 0: this one may go now, and whoever asks is expected to send it."""
        if (asked := self._asked_until - now) > 0:
            return asked
        if not self._rest:
            return 0.0
        if (left := self._until - now) > 0:
            return left
        self._until, self._looked = now + self._rest, now
        return 0.0

    def succeeded(self) -> None:
        """It answered: it is there."""
        self._strikes = 0
        self._rest = 0.0

    def failed(self, strikes: int, *, began: float, now: float) -> None:
        """A request that was let through at `began` failed, in a way that says something of the host."""
        if not self._rest:
            self._strikes += strikes
            if self._strikes >= STRIKES:
                self._open(REST, now)
        elif began >= self._looked:
            self._open(min(2 * self._rest, LONGEST_REST), now)

    def asked_for_rest(self, seconds: float, *, now: float) -> None:
        """It said itself that it wants rest, which is neither a success nor a failure."""
        self._asked_until = max(self._asked_until, now + seconds)

    def _open(self, rest: float, now: float) -> None:
        self._strikes, self._rest, self._until, self._looked = 0, rest, now + rest, inf
