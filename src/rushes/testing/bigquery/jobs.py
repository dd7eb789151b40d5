"""Jobs: what was asked, how far it is, and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from rushes.testing.bigquery.catalog import TableName
from rushes.testing.bigquery.fields import Field
from rushes.testing.bigquery.parameters import Parameter
from rushes.testing.bigquery.refusals import Refusal, duplicate, not_found
from rushes.testing.bigquery.sql.parsing import Statement

UNREAD = "UNREAD"
"""The kind of a statement that could not be read."""
MULTI_REGIONS = ("US", "EU")
"""Where a job is looked for if nobody says where."""


class State(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows that a statement changed."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def total(self) -> int:
        return self.inserted + self.updated + self.deleted

    @property
    def mutates(self) -> bool:
        """Whether rows that were there are others now, or gone."""
        return self.updated + self.deleted > 0


@dataclass(slots=True)
class Statistics:
    bytes_processed: int = 0
    bytes_billed: int = 0
    changed: Changed | None = None
    tables: tuple[TableName, ...] = ()
    definition: tuple[str, TableName] | None = None
    """What a DDL statement did, and to which table."""
    input_bytes: int = 0
    output_rows: int = 0
    bad_records: int = 0


@dataclass(slots=True, eq=False)
class Job:
    project: str
    id: str
    location: str
    configuration: Mapping[str, Any]
    created: datetime
    statement: Statement | None = None
    """A query's, if it could be read."""
    parameters: Sequence[Parameter] = ()
    data: bytes = b""
    """A load job's."""
    request_id: str | None = None
    state: State = State.PENDING
    started: datetime | None = None
    ended: datetime | None = None
    refusal: Refusal | None = None
    statistics: Statistics = field(default_factory=Statistics)
    fields: tuple[Field, ...] = ()
    rows: Sequence[Mapping[str, Any]] = ()
    """A query's result, as the REST API writes rows."""
    finished: threading.Event = field(default_factory=threading.Event)
    settled: threading.Event = field(default_factory=threading.Event)
    """Set when it is done, or will not be so soon."""
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set when somebody cancels it."""

    @property
    def type(self) -> str:
        return "LOAD" if "load" in self.configuration else "QUERY"

    @property
    def dry(self) -> bool:
        return bool(self.configuration.get("dryRun"))

    @property
    def kind(self) -> str:
        """The kind of its statement, or LOAD."""
        if self.type == "LOAD":
            return "LOAD"
        return self.statement.kind if self.statement else UNREAD

    @property
    def text(self) -> str:
        """The statement, or `LOAD project:dataset.table`."""
        if self.type == "LOAD":
            return f"LOAD {TableName.read(self.configuration['load']['destinationTable'], self.project)}"
        return str(self.configuration["query"].get("query", ""))

    def begin(self, now: datetime) -> None:
        self.state, self.started = State.RUNNING, now

    def end(self, now: datetime) -> None:
        self.state, self.started, self.ended = State.DONE, self.started or now, now
        self.finished.set()
        self.settled.set()

    def pause(self, seconds: float) -> None:
        """Let time pass, as the service's own work takes it.

        Raises:
            Refusal: the job was cancelled meanwhile.
        """
        limit = float(self.configuration.get("jobTimeoutMs") or "inf") / 1000
        if seconds:
            self.settled.set()
        if self.stopped.wait(min(seconds, limit)):
            raise Refusal("stopped", "Job execution was cancelled: User requested cancellation")
        if seconds > limit:
            raise Refusal("timeout", f"Job timed out after {limit:g} seconds")

    def __str__(self) -> str:
        return f"{self.project}:{self.location}.{self.id}"


class Jobs:
    """All jobs, each id once in a project and a location."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str, str], Job] = {}
        self._lock = threading.Lock()

    def add(self, job: Job) -> None:
        """Raises: Refusal (there is one of that id)."""
        with self._lock:
            if self._jobs.setdefault(_key(job.project, job.location, job.id), job) is not job:
                raise duplicate("Job", str(job))

    def find(self, project: str, job_id: str, location: str | None) -> Job:
        """Raises: Refusal (there is none; without a location only the multi-regions are looked in)."""
        for place in [location] if location else MULTI_REGIONS:
            if job := self._jobs.get(_key(project, place, job_id)):
                return job
        raise not_found("Job", f"{project}:{location}.{job_id}" if location else f"{project}:{job_id}")

    def of_request(self, project: str, request_id: str) -> Job | None:
        """The job of an earlier request that is now sent again."""
        return next((job for job in self if job.project == project and job.request_id == request_id), None)

    def remove(self, job: Job) -> None:
        with self._lock:
            self._jobs.pop(_key(job.project, job.location, job.id), None)

    def __iter__(self) -> Iterator[Job]:
        """Oldest first."""
        return iter(list(self._jobs.values()))


def _key(project: str, location: str, job_id: str) -> tuple[str, str, str]:
    return project, location.upper(), job_id
