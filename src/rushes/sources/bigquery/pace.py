"""How often a task may stage results: a table takes a limited number of load jobs, and all tasks of an execution share one.

A table that is partitioned by a column takes 30,000 in a day and 50 in ten seconds
(https://cloud.google.com/bigquery/quotas#partitioned_tables). The intervals grow with a task's age, so that results of a
short job are durable soon, and a job of a day needs a third of that: with `n` tasks the first interval is `n/5` seconds, and
later ones are `n/1300` of the time since the start. A refusal, as another quota may bring, doubles them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

PER_TASK = 1 / 5
"""Seconds between two loads for each task: half of the rate that is allowed."""
SHARE = 1 / 1300
"""Of a task's age, for each task: with a first interval of `f` seconds that makes `1300/n · (1 + ln(86400 · n/1300f))` loads
of a task in a day, 8,000 of 100 tasks together."""
LONGEST_SECONDS = 6 * 3600.0


class Pace:
    """One task's."""

    def __init__(self, shortest: timedelta, tasks: int, now: Callable[[], float]) -> None:
        """`shortest` is what the user wants; `now` gives seconds."""
        self._shortest = max(shortest.total_seconds(), tasks * PER_TASK)
        self._share = tasks * SHARE
        self._now = now
        self._began = self._last = now()
        self._stretch = 1
        self._was_refused = False

    def wait(self) -> float:
        """Seconds until the next load."""
        interval = max(self._shortest, (self._last - self._began) * self._share) * self._stretch
        return self._last + min(interval, LONGEST_SECONDS) - self._now()

    @property
    def resting(self) -> bool:
        """Whether the last one was refused, and the next has to wait: those that fail use up a quota, too."""
        return self._was_refused and self.wait() > 0

    def loaded(self) -> None:
        """One was made."""
        self._last = self._now()
        self._was_refused = False

    def refused(self) -> None:
        """One was refused for being one too many."""
        self._last = self._now()
        self._stretch *= 2
        self._was_refused = True
