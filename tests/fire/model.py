"""What the queue is supposed to do, in as few words as it takes: one process, one dictionary, no database."""

from __future__ import annotations

from dataclasses import dataclass, field

LIVE = ("queued", "processing", "retrying")
CRASHES = 4
"""So often a job comes back uncounted from a process that died; once more, and it has failed."""


@dataclass
class Row:
    """One job, as the table should show it."""

    id: int
    kind: str
    priority: int
    max_attempts: int
    key: str | None = None
    status: str = "queued"
    attempts: int = 0
    crashes: int = 0
    token: int = 0
    worker: int | None = None
    due: bool = False
    """Its time has come, or its lease has run out: the next tick finds it."""

    def leave(self, status: str, *, counted: bool = True) -> None:
        self.status, self.worker, self.due = status, None, False
        self.attempts -= not counted


@dataclass
class Model:
    rows: dict[int, Row] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)

    def having(self, *statuses: str) -> list[Row]:
        return [row for row in self.rows.values() if row.status in statuses]

    def keeper(self, key: str | None) -> Row | None:
        """The job that lives under this key."""
        return next((row for row in self.having(*LIVE) if key is not None and row.key == key), None)

    def retry(self, rows: list[Row]) -> list[Row]:
        again = []
        for row in sorted(rows, key=lambda row: -row.id):
            if row.status in ("failed", "cancelled") and not self.keeper(row.key):
                row.status, row.attempts, row.crashes = "queued", 0, 0
                again.append(row)
        return again

    def claim(self, worker: int, slots: dict[str, int]) -> list[Row]:
        ready = sorted(self.having("queued"), key=lambda row: (-row.priority, row.id))
        taken = [row for kind, most in slots.items() for row in [row for row in ready if row.kind == kind][:most]]
        taken = [row for row in taken if not self.paused & {"*", row.kind}]
        for row in taken:
            row.status, row.worker, row.token, row.attempts = "processing", worker, row.token + 1, row.attempts + 1
        return sorted(taken, key=lambda row: (-row.priority, row.id))

    def settle(self, row: Row, verdict: str) -> None:
        if verdict in ("completed", "permanent", "needs_input", "environment"):  # without a batch there is none to pause
            row.leave("completed" if verdict == "completed" else "failed")
        elif verdict in ("released", "rate_limited"):
            row.leave("queued" if verdict == "released" else "retrying", counted=False)
        elif verdict == "died":
            row.leave("queued" if row.crashes < CRASHES else "failed", counted=row.crashes >= CRASHES)
            row.crashes += 1
        else:
            ready = "queued" if verdict == "lost" else "retrying"
            row.leave("failed" if row.attempts >= row.max_attempts else ready)

    def tick(self) -> None:
        for row in self.having("retrying", "processing"):
            if row.due:
                row.leave("queued") if row.status == "retrying" else self.settle(row, "lost")
