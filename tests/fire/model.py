"""What the queue is supposed to do, in as few words as it takes: one process, one dictionary, no database."""

from __future__ import annotations

from dataclasses import dataclass, field

LIVE = ("queued", "processing", "retrying")
FORGIVEN = 2
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
    began: int = 0
    """The how manieth claim it was."""
    due: bool = False
    """Its time has come, or its lease has run out: the next tick finds it."""

    def leave(self, status: str, *, counted: bool = True) -> None:
        self.status, self.worker, self.due = status, None, False
        self.attempts -= not counted


@dataclass
class Model:
    rows: dict[int, Row] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    claims: int = 0

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
        self.claims += 1
        taken = [row for row in taken if not self.paused & {"*", row.kind}]
        for row in taken:
            row.status, row.worker, row.began = "processing", worker, self.claims
            row.token, row.attempts = row.token + 1, row.attempts + 1
        return sorted(taken, key=lambda row: (-row.priority, row.id))

    def settle(self, row: Row, verdict: str) -> None:
        if verdict in ("completed", "permanent", "needs_input", "environment"):  # no batch could be paused
            row.leave("completed" if verdict == "completed" else "failed")
        elif verdict in ("released", "rate_limited"):
            row.leave("queued" if verdict == "released" else "retrying", counted=False)
        elif verdict == "died":
            row.leave("queued" if row.crashes < CRASHES else "failed", counted=row.crashes >= CRASHES)
            row.crashes += 1
        else:
            ready = "queued" if verdict == "lost" else "retrying"
            row.leave("failed" if row.attempts >= row.max_attempts else ready)

    def die(self, worker: int, verdict: str, *, among: list[Row]) -> None:
        """Of those that have been there before, one that began last is to blame, or they come back in two halves."""
        held = [row for row in among if row.worker == worker]
        suspects = [row for row in held if (row.crashes if verdict == "died" else row.attempts) >= FORGIVEN]
        last = [row for row in suspects if row.began == max(row.began for row in suspects)]
        no_pause = all(row.due for row in suspects)  # a lease that ran out long ago
        for row in held:
            if row in suspects and last != [row]:
                row.leave("retrying", counted=False)
                row.due = no_pause or row in last[: len(last) // 2]
            else:
                self.settle(row, verdict)

    def tick(self) -> None:
        lost = [row for row in self.having("processing") if row.due]
        any_due = any(row.due for row in self.having("retrying"))
        for worker in {row.worker or 0 for row in lost}:
            self.die(worker, "lost", among=lost)
        for row in self.having("retrying"):
            if any_due and row.due:
                row.leave("queued")
