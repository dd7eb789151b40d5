"""What the server does, without HTTP: datasets, tables, and jobs that run beside each other."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rushes.testing.bigquery.billing import Meter
from rushes.testing.bigquery.catalog import DEFAULT_LOCATION, Catalog, TableName
from rushes.testing.bigquery.clock import Clock
from rushes.testing.bigquery.engine import Engine
from rushes.testing.bigquery.faults import Faults
from rushes.testing.bigquery.jobs import Job, Jobs
from rushes.testing.bigquery.limits import Limits
from rushes.testing.bigquery.loads import Loads
from rushes.testing.bigquery.parameters import read_parameters
from rushes.testing.bigquery.queries import Queries
from rushes.testing.bigquery.refusals import Refusal, broken, unsupported
from rushes.testing.bigquery.sql.naming import Place, stored_tables
from rushes.testing.bigquery.sql.parsing import parse

_PATIENCE = 5.0
"""Seconds that the answer to a new job waits for its end."""
_OPTIONS = frozenset({"query", "load", "labels", "dryRun", "jobType", "jobTimeoutMs"})
"""What of a job's configuration is understood."""
_JOB_ID = re.compile(r"[\w-]{1,1024}", re.ASCII)


@dataclass(slots=True)
class Upload:
    """A load job that comes in pieces. It stays when it is whole: its last piece may come again."""

    body: Any
    data: bytearray = field(default_factory=bytearray)
    job: Job | None = None


class Service:
    """One BigQuery, in memory."""

    def __init__(self, limits: Limits) -> None:
        self.clock = Clock()
        self.engine = Engine()
        self.catalog = Catalog(self.engine, self.clock)
        self.meter = Meter(self.engine)
        self.faults = Faults()
        self.jobs = Jobs()
        self.uploads: dict[str, Upload] = {}
        self.latency = 0.0
        """Seconds that each job takes at least."""
        self._queries = Queries(self.engine, self.catalog, self.clock, self.meter, limits)
        self._loads = Loads(self.engine, self.catalog, self.clock, limits)

    def insert_job(
        self, project: str, body: Mapping[str, Any], data: bytes = b"", *, request_id: str | None = None
    ) -> Job:
        """Take a job, and begin with it.

        Raises:
            Refusal: it is not a job of a kind that is supported, its id is taken, or it is a dry run that fails.
        """
        job = self._read_job(project, body, data)
        job.request_id = request_id
        if job.dry:
            return self._dry_run(job)
        self.jobs.add(job)
        threading.Thread(target=self._run, args=(job,), daemon=True, name=f"bigquery-{job.id}").start()
        # Clients ask for a load job again after a second at the earliest. Most jobs are done before the answer.
        job.settled.wait(_PATIENCE)
        return job

    def cancel(self, job: Job) -> None:
        """Ask a job to stop. One that is done stays as it is."""
        job.stopped.set()

    def close(self) -> None:
        """End what waits, and forget everything."""
        self.faults.clear()
        for job in self.jobs:
            job.stopped.set()
        for job in self.jobs:
            job.finished.wait(10)
        self.engine.close()

    def _read_job(self, project: str, body: Mapping[str, Any], data: bytes) -> Job:
        configuration = body.get("configuration") or {}
        reference = body.get("jobReference") or {}
        if not {"query", "load"} & configuration.keys() or configuration.keys() - _OPTIONS:
            raise unsupported(f"jobs with {', '.join(sorted(configuration.keys() - _OPTIONS)) or 'no kind'}")
        if not _JOB_ID.fullmatch(reference.get("jobId") or "x"):
            raise Refusal("invalid", f'Invalid job ID "{reference["jobId"]}"')
        job = Job(
            project, reference.get("jobId") or uuid.uuid4().hex, reference.get("location") or "", configuration,
            self.clock.now(), data=data,
        )  # fmt: skip
        if "query" in configuration:
            self._read_statement(job)
        if not job.location:
            job.location = self._location(job)
        return job

    def _read_statement(self, job: Job) -> None:
        """Read the statement now, since the job's place depends on it. What is wrong with it the job tells."""
        query = job.configuration["query"]
        try:
            job.parameters = read_parameters(query)
            job.statement = parse(str(query.get("query", "")))
        except Refusal as refusal:
            job.refusal = refusal

    def _location(self, job: Job) -> str:
        """Where the job's tables are."""
        for name in self._tables(job):
            for dataset in self.catalog.datasets(name.project):
                if dataset.name == name.dataset:
                    return dataset.location
        return DEFAULT_LOCATION

    def _tables(self, job: Job) -> list[TableName]:
        if job.type == "LOAD":
            return [TableName.read(job.configuration["load"]["destinationTable"], job.project)]
        if job.statement is None:
            return []
        dataset = job.configuration["query"].get("defaultDataset") or {}
        place = Place(dataset.get("projectId") or job.project, dataset.get("datasetId"))
        try:
            return [place.name(node) for node in stored_tables(job.statement.tree)]
        except Refusal:
            return []

    def _dry_run(self, job: Job) -> Job:
        if job.refusal is not None:
            raise job.refusal
        if job.type == "LOAD":
            raise unsupported("dry runs of load jobs")
        job.begin(self.clock.now())
        self._queries.dry_run(job)
        job.end(self.clock.now())
        return job

    def _run(self, job: Job) -> None:
        try:
            if job.refusal is None:
                runner = self._loads if job.type == "LOAD" else self._queries
                runner.run(job, lambda: self._work(job))
        except Refusal as refusal:
            job.refusal = refusal
        except Exception as error:  # noqa: BLE001  (a job ends, whatever happens; its error tells what)
            job.refusal = broken(error)
        finally:
            job.data = b""
            job.end(self.clock.now())

    def _work(self, job: Job) -> None:
        """Let the time of a job pass, and whatever a test has in store for it."""
        happening = self.faults.take("job", job.text)
        for hold in self.faults.holds(job.text):
            job.settled.set()
            hold.pass_through(job.stopped)
        job.pause(self.latency + sum(fault.seconds for fault in happening))
        for fault in happening:
            if fault.refusal is not None:
                raise fault.refusal
