"""The server, as tests and programs use it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from rushes.testing.bigquery.faults import Hold, Where
from rushes.testing.bigquery.http import HOST, HttpServer
from rushes.testing.bigquery.jobs import Job, State
from rushes.testing.bigquery.limits import Limits
from rushes.testing.bigquery.parameters import shown
from rushes.testing.bigquery.requests import Request
from rushes.testing.bigquery.routes import answer
from rushes.testing.bigquery.service import Service

if TYPE_CHECKING:
    from google.cloud.bigquery import Client


@dataclass(frozen=True, slots=True)
class LoggedJob:
    """A job that the server was asked for, as it stands now."""

    id: str
    project: str
    location: str
    kind: str
    """`SELECT`, `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `CREATE_TABLE`, …, or `LOAD`."""
    text: str
    """The statement, or `LOAD project:dataset.table`."""
    parameters: Mapping[str, Any]
    """By their names, or by their positions from 0."""
    labels: Mapping[str, str]
    state: State
    created: datetime
    ended: datetime | None
    bytes_processed: int
    bytes_billed: int
    affected_rows: int | None
    """Rows that a statement inserted, updated and deleted, or a load job added; None for one that changes none."""
    reason: str | None
    """Why it failed: `notFound`, `invalidQuery`, …"""
    error: str | None


class BigQueryServer:
    """A BigQuery on this machine. Use as a context manager.

    Args:
        port: to listen at, on loopback. 0: any that is free.
        latency: how long each job takes at least. The service needs half a second for the smallest one.
        limits: how much is let through, by default what the service lets through.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, *, port: int = 0, latency: timedelta = timedelta(0), limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._service = Service(self.limits)
        self._service.latency = latency.total_seconds()
        self._http = HttpServer(port, lambda request: answer(self._service, request), self._service.faults)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop, and forget everything."""
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        self._service.close()

    @property
    def url(self) -> str:
        """What `BIGQUERY_EMULATOR_HOST` is to be."""
        return f"http://{HOST}:{self._http.server_port}"

    def client(self, project: str = "local", **options: Any) -> Client:
        """A client of the real library at this server. Close it after use."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery

        return bigquery.Client(
            project=project,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]  # google-auth has no types for it
            client_options={"api_endpoint": self.url},
            **options,
        )

    # What was asked

    @property
    def jobs(self) -> list[LoggedJob]:
        """All jobs, oldest first. Dry runs are none."""
        return [_logged(job) for job in self._service.jobs]

    @property
    def requests(self) -> list[Request]:
        """All HTTP requests, in the order in which they came; those of more than 64 KiB without their bodies."""
        return list(self._http.requests)

    @property
    def bytes_billed(self) -> int:
        """By all jobs together."""
        return sum(job.bytes_billed for job in self.jobs)

    # Time

    @property
    def now(self) -> datetime:
        """The server's time: CURRENT_TIMESTAMP and all that follows from it."""
        return self._service.clock.now()

    def advance(self, by: timedelta) -> None:
        """Move the server's time on: leases expire, tables too, streaming buffers empty, and a day's quota is new."""
        self._service.clock.advance(by)

    @property
    def latency(self) -> timedelta:
        """How long each job takes at least. It may be set at any time."""
        return timedelta(seconds=self._service.latency)

    @latency.setter
    def latency(self, latency: timedelta) -> None:
        self._service.latency = latency.total_seconds()

    # What goes wrong

    def fail(
        self,
        match: str,
        *,
        times: int | None = 1,
        http: int | None = None,
        reason: str | None = None,
        message: str | None = None,
        after: bool = False,
    ) -> None:
        """Let requests or jobs fail.

        Args:
            match: a regular expression, searched for. With `http`, in the request: `METHOD /path`, and its body after
                a line's end. Without, in the job's statement, or `LOAD project:dataset.table`.
            times: how often; None: until `heal()`.
            http: the HTTP code that the request gets. Without it, a job is taken, and fails.
            reason: `backendError`, `rateLimitExceeded`, `invalidQuery`, …; by default one that goes with the code.
            message: what the error says.
            after: the request is done first, so that only its answer is lost.
        """
        self._service.faults.fail(match, times, http, reason, message, after=after)

    def delay(self, match: str, by: timedelta, *, times: int | None = 1, where: Where = "job") -> None:
        """Let jobs, or the answers to requests, take longer."""
        self._service.faults.delay(match, by.total_seconds(), times, where)

    def cut(self, match: str, *, times: int | None = 1, after: bool = True) -> None:
        """Break connections off: in the middle of the answer, or (`after=False`) before anything is done."""
        self._service.faults.cut(match, times, after=after)

    def hold(self, match: str) -> AbstractContextManager[Hold]:
        """Keep jobs running until they are let go, or the block ends: to look at what others do meanwhile."""
        return self._service.faults.hold(match)

    def heal(self) -> None:
        """Take back all faults that have not happened yet, and let go what is held."""
        self._service.faults.clear()


def _logged(job: Job) -> LoggedJob:
    found = job.statistics
    changed = found.output_rows if job.type == "LOAD" else found.changed.total if found.changed else None
    refusal = job.refusal if job.state is State.DONE else None
    return LoggedJob(
        id=job.id,
        project=job.project,
        location=job.location,
        kind=job.kind,
        text=job.text,
        parameters=shown(job.parameters),
        labels=dict(job.configuration.get("labels") or {}),
        state=job.state,
        created=job.created,
        ended=job.ended,
        bytes_processed=found.bytes_processed,
        bytes_billed=found.bytes_billed,
        affected_rows=changed,
        reason=refusal.reason if refusal else None,
        error=refusal.message if refusal else None,
    )
