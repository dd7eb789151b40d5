"""The limits of the service that break designs. Each can be changed or switched off."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from rushes.testing.bigquery.catalog import TableName
from rushes.testing.bigquery.jobs import Job
from rushes.testing.bigquery.refusals import Refusal


@dataclass(slots=True)
class Limits:
    """How much is let through. None: no limit.

    From https://cloud.google.com/bigquery/quotas and https://cloud.google.com/bigquery/docs/data-manipulation-language.
    """

    dml_running: int | None = 2
    """UPDATE, DELETE and MERGE statements that run on a table at once; the others wait."""
    dml_queued: int | None = 20
    """How many of them wait; the next one fails."""
    dml_reruns: int | None = 3
    """How often one is run again because another one changed its table meanwhile; then it fails. None: nothing conflicts."""
    load_jobs_per_day: int | None = 1500
    """Load jobs into a table in a day, by UTC."""


class Turns:
    """Who may change the rows of a table now."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running: Counter[TableName] = Counter()
        self._waiting: Counter[TableName] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, table: TableName, job: Job) -> Iterator[None]:
        """Wait for a turn, and keep it.

        Raises:
            Refusal: too many wait already.
        """
        self._take(table, job)
        try:
            yield
        finally:
            with self._changed:
                self._running[table] -= 1
                self._changed.notify_all()

    def _take(self, table: TableName, job: Job) -> None:
        with self._changed:
            if self._full(table):
                if self._limits.dml_queued is not None and self._waiting[table] >= self._limits.dml_queued:
                    raise Refusal(
                        "resourcesExceeded", "Resources exceeded during query execution: Too many DML statements"
                        f" outstanding against table {table}, limit is {self._limits.dml_queued}.",
                    )  # fmt: skip
                self._waiting[table] += 1
                job.settled.set()
                try:
                    while self._full(table) and not job.stopped.is_set():
                        self._changed.wait(0.05)
                finally:
                    self._waiting[table] -= 1
            self._running[table] += 1

    def _full(self, table: TableName) -> bool:
        return self._limits.dml_running is not None and self._running[table] >= self._limits.dml_running


class LoadQuota:
    """Counts load jobs by table and day."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._counted: Counter[tuple[TableName, date]] = Counter()

    def count(self, table: TableName, day: date) -> None:
        """Raises: Refusal (there were too many on that day)."""
        most = self._limits.load_jobs_per_day
        if most is not None and self._counted[table, day] >= most:
            raise Refusal(
                "quotaExceeded", "Quota exceeded: Your table exceeded quota for imports or query appends per table."
                " For more information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas",
                location="load_job_per_table.long",
            )  # fmt: skip
        self._counted[table, day] += 1
