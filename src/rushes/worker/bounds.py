"""When a worker ends by itself: bounds make a service into a job for Cloud Run or Kubernetes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from rushes.worker.report import ExitReason


@dataclass(frozen=True, slots=True)
class Bounds:
    """What ends a worker. None: nothing of that kind does."""

    max_runtime: timedelta | None = None
    """No more claims after this time. What runs then runs on: a platform that ends it sends SIGTERM."""
    empty_timeout: timedelta | None = None
    """The end after finding nothing, with nothing running, for this time."""
    max_jobs: int | None = None
    """The end after so many jobs, not counting those given back."""


class Clock:
    """Watches the bounds on the monotonic clock, which no change of the wall clock disturbs."""

    def __init__(self, bounds: Bounds, now: Callable[[], float]) -> None:
        self._bounds = bounds
        self._now = now
        self._started = self._last_work = now()
        self._empty: ExitReason | None = None

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=self._now() - self._started)

    def saw_work(self) -> None:
        self._last_work = self._now()
        self._empty = None

    def found_nothing(self, reason: ExitReason = ExitReason.EMPTY) -> None:
        """The source was looked into and has nothing to give: one that cannot be reached is not empty."""
        self._empty = reason

    def jobs_left(self, begun: int) -> int | None:
        """How many more jobs may begin; None: any number."""
        return None if self._bounds.max_jobs is None else max(0, self._bounds.max_jobs - begun)

    def reached(self, begun: int) -> ExitReason | None:
        """The bound that forbids further claims, if any."""
        bounds = self._bounds
        if bounds.max_runtime is not None and self.elapsed >= bounds.max_runtime:
            return ExitReason.MAX_RUNTIME
        if self.jobs_left(begun) == 0:
            return ExitReason.MAX_JOBS
        idle = timedelta(seconds=self._now() - self._last_work)
        if bounds.empty_timeout is not None and idle >= bounds.empty_timeout:
            return self._empty
        return None

    def seconds_left(self) -> float:
        """Until the next bound by time, for whoever waits."""
        waits = [float("inf")]
        if self._bounds.max_runtime is not None:
            waits.append((self._bounds.max_runtime - self.elapsed).total_seconds())
        if self._bounds.empty_timeout is not None:
            waits.append(self._bounds.empty_timeout.total_seconds() - (self._now() - self._last_work))
        return max(0.0, min(waits))
