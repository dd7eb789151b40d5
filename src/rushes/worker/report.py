"""What a worker says when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any


class ExitReason(StrEnum):
    """Why a worker ended."""

    ENDED = "ended"
    """What it was started for is done."""
    EMPTY = "empty"
    LEASED = "leased"
    """All that was left is leased to others."""
    MAX_RUNTIME = "max_runtime"
    MAX_JOBS = "max_jobs"
    PAUSED = "paused"
    """Its batch, or whatever else it works at, waits for somebody."""
    TERMINATED = "terminated"
    """SIGTERM, or a caller asked."""
    INTERRUPTED = "interrupted"
    """SIGINT."""


@dataclass(slots=True)
class Report:
    """A worker's life in numbers."""

    processed: int = 0
    """Jobs that came to an outcome, completed or failed for good or for now."""
    completed: int = 0
    failed: int = 0
    """Runs that failed, whether or not they will be retried."""
    reused: int = 0
    """Completed without running: the same work had been done before."""
    released: int = 0
    """Given back, uncounted."""
    stale: int = 0
    """Outcomes refused because the lease was no longer held."""
    runtime: timedelta = timedelta(0)
    exit_reason: ExitReason = ExitReason.ENDED
    by_kind: dict[str, int] = field(default_factory=dict)

    @property
    def success_rate(self) -> float | None:
        """Per cent of the processed jobs that completed; None if there were none."""
        return 100 * self.completed / self.processed if self.processed else None

    def as_json(self) -> dict[str, Any]:
        return {
            "processed": self.processed,
            "completed": self.completed,
            "failed": self.failed,
            "reused": self.reused,
            "released": self.released,
            "stale": self.stale,
            "success_rate": self.success_rate,
            "runtime_seconds": round(self.runtime.total_seconds(), 3),
            "exit_reason": self.exit_reason.value,
            "by_kind": self.by_kind,
        }
