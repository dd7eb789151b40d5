"""Faults on demand: the next calls of a kind fail, take long, or are done while their answer is lost."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass

import grpc

from rushes.testing.pubsub.refusals import Refused


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call."""

    code: grpc.StatusCode | None = None
    """It is answered by this."""
    message: str = ""
    delay: float = 0.0
    """Seconds before anything else."""
    answer_lost: bool = False
    """It is done first."""
    empty: bool = False
    """A pull finds nothing."""
    ack_ids: str = ""
    """The reason for which no acknowledgement counts, under exactly-once delivery."""

    def refusal(self) -> Refused | None:
        return Refused(self.code, self.message) if self.code else None


class Faults:
    """Faults that are to come, by the name of the call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)

    def plan(self, call: str, fault: Fault, times: int) -> None:
        with self._lock:
            self._planned[call].extend([fault] * times)

    def next(self, call: str) -> Fault | None:
        with self._lock:
            planned = self._planned[call]
            return planned.popleft() if planned else None

    def clear(self) -> None:
        """Let no more of them happen."""
        with self._lock:
            self._planned.clear()
