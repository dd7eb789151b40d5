"""What goes wrong on demand: requests and jobs that fail, take long, are held up, or whose answer breaks off."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from rushes.testing.bigquery.refusals import CODES, Refusal

_REASONS = {
    400: "invalid", 401: "authError", 403: "rateLimitExceeded", 404: "notFound", 409: "duplicate", 412: "conditionNotMet",
    429: "rateLimitExceeded", 500: "internalError", 502: "badGateway", 503: "backendError",
}  # fmt: skip
"""Which reason goes with a code, where a test gives none."""
Where = Literal["request", "job"]


@dataclass(slots=True)
class Fault:
    """Something that happens to what matches, so many times; None: for as long as it stands."""

    where: Where
    match: re.Pattern[str]
    times: int | None
    refusal: Refusal | None = None
    cut: bool = False
    after: bool = False
    """Whether the request is done first, so that only its answer is lost."""
    seconds: float = 0.0


@dataclass(slots=True)
class Hold:
    """Jobs that wait for a test. Each of them is running as the service sees it, and has its turn at its table."""

    match: re.Pattern[str]
    _held: int = 0
    _open: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def held(self) -> int:
        """How many jobs have come here."""
        return self._held

    def wait(self, jobs: int = 1, timeout: float = 30.0) -> None:
        """Wait until so many jobs have come here.

        Raises:
            TimeoutError: they have not, in so many seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._held >= jobs, timeout):
                raise TimeoutError(f"{self._held} of {jobs} jobs matching {self.match.pattern!r} came in {timeout:g} s")

    def release(self) -> None:
        """Let them go, and all that come later."""
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def pass_through(self, stopped: threading.Event) -> None:
        """Wait here until the test lets go, or the job is cancelled."""
        with self._changed:
            self._held += 1
            self._changed.notify_all()
            while not self._open and not stopped.is_set():
                self._changed.wait(0.05)


class Faults:
    """All faults that stand. The oldest one that matches happens."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._holds: list[Hold] = []
        self._lock = threading.Lock()

    def fail(
        self, match: str, times: int | None, http: int | None, reason: str | None, message: str | None, *, after: bool
    ) -> None:
        pattern = re.compile(match, re.DOTALL)
        if http is not None:
            named = reason or _REASONS.get(http, "internalError")
            refusal = Refusal(named, message or f"{named}: a fault of the test", code=http)
            self._add(Fault("request", pattern, times, refusal, after=after))
            return
        named = reason or "backendError"
        if named not in CODES:
            raise ValueError(f"there is no reason {named!r}: it is one of {', '.join(sorted(CODES))}")
        self._add(Fault("job", pattern, times, Refusal(named, message or f"{named}: a fault of the test")))

    def delay(self, match: str, seconds: float, times: int | None, where: Where) -> None:
        self._add(Fault(where, re.compile(match, re.DOTALL), times, seconds=seconds))

    def cut(self, match: str, times: int | None, *, after: bool) -> None:
        self._add(Fault("request", re.compile(match, re.DOTALL), times, cut=True, after=after))

    @contextmanager
    def hold(self, match: str) -> Iterator[Hold]:
        hold = Hold(re.compile(match, re.DOTALL))
        self._holds.append(hold)
        try:
            yield hold
        finally:
            self._holds.remove(hold)
            hold.release()

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            for hold in self._holds:
                hold.release()

    def take(self, where: Where, text: str) -> list[Fault]:
        """What happens to it now: delays, and at most one failure."""
        with self._lock:
            met = [fault for fault in self._faults if fault.where == where and fault.match.search(text)]
            failing = [fault for fault in met if not fault.seconds][:1]
            happening = [fault for fault in met if fault.seconds or fault in failing]
            for fault in happening:
                if fault.times is not None:
                    fault.times -= 1
            self._faults = [fault for fault in self._faults if fault.times is None or fault.times > 0]
            return happening

    def holds(self, text: str) -> list[Hold]:
        return [hold for hold in list(self._holds) if hold.match.search(text)]

    def _add(self, fault: Fault) -> None:
        if fault.times is not None and fault.times < 1:
            raise ValueError(f"a fault happens at least once, not {fault.times} times")
        with self._lock:
            self._faults.append(fault)
