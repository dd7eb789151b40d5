"""BigQuery as its jobs: a statement runs once under its job's id, whoever asks for it, and is waited for in bounded steps.

The client blocks, so each call has a thread. Its own way of waiting for a query is not used: given an error that lasts, it
runs the query again for up to forty minutes, and would repeat a change of data blindly.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from rushes.errors import RushesError
from rushes.sources.bigquery.faults import Away, OverQuota, Refused, of_call, of_job
from rushes.sources.bigquery.server_clock import ServerClock
from rushes.sources.bigquery.threads import in_thread

if TYPE_CHECKING:
    from google.cloud import bigquery

T = TypeVar("T")
Value = str | int | bool | Sequence[str] | None

CALL_SECONDS = 20.0
"""One request may take so long."""
UPLOAD_SECONDS = 120.0
"""And one that carries results."""
AGAIN_SECONDS = 8.0
"""For so long the client repeats a request that met a passing error."""
LOOK_SECONDS = 0.05, 1.0
"""Between two looks at a running job: at first, and at most."""
STATEMENT_SECONDS = 1800.0
"""After this time a job is taken for stuck. Asked for again, the same is waited for."""
LONGEST = 16
"""By so much the pause between them grows at most."""
TRIES = 8
"""A statement that others get in the way of is run so often before somebody hears of it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, ready to run."""

    purpose: str
    """One word: the job's label."""
    sql: str
    parameters: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Ran:
    """A job that has succeeded."""

    job: Any
    """The client's."""
    led: bool
    """Whether it was begun here; otherwise by another task."""
    created: datetime
    ended: datetime

    @property
    def affected(self) -> int:
        """Rows that the statement changed."""
        return self.job.num_dml_affected_rows or 0

    @property
    def parameters(self) -> Mapping[str, Value]:
        """With which it was begun, by whomever."""
        return {each.name: each.values if hasattr(each, "values") else each.value for each in self.job.query_parameters}


@dataclass(slots=True)
class Spent:
    """What this task has had BigQuery do. What another task began is counted there."""

    statements: int = 0
    loads: int = 0
    bytes_billed: int = 0


class Service:
    """A client at one dataset."""

    def __init__(self, client: bigquery.Client, labels: Mapping[str, str], *, max_bytes: int) -> None:
        """`max_bytes`: no statement may be billed for more."""
        self._client = client
        self._labels = labels
        self._max_bytes = max_bytes
        self.location: str | None = None
        """Of the dataset. Jobs are known by project, location and id."""
        self.clock = ServerClock()
        self._since = self.clock.now()
        self.spent = Spent()

    async def call(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """A call of the client, in a thread. Raises: Away, Crowded, Refused."""
        try:
            return await in_thread(lambda: function(*arguments, **named))
        except Exception as error:
            meaning = of_call(error)
            if meaning is error:
                raise
            raise meaning from error

    async def table(self, name: str) -> bigquery.Table | None:
        """What a table is; None if it is not there."""
        try:
            return await self.call(self._client.get_table, name, retry=_retry(), timeout=CALL_SECONDS)
        except Refused as refused:
            if refused.what == "notFound":
                return None
            raise

    async def create(self, table: bigquery.Table) -> None:
        """Make a table, unless somebody has."""
        with contextlib.suppress(_Exists):
            await self._begin(self._client.create_table, table, retry=_retry(), timeout=CALL_SECONDS)

    async def expire(self, name: str, at: datetime) -> None:
        """Have a table go at that time."""
        from google.cloud import bigquery

        table = bigquery.Table(name)
        table.expires = at
        await self._update(table, "expires")

    async def expire_partitions(self, name: str, field: str, after: timedelta) -> None:
        """Have what is in a table go, of each day of that column so long after it."""
        from google.cloud import bigquery

        table = bigquery.Table(name)
        table.time_partitioning = partitioning(field, after)
        await self._update(table, "time_partitioning")

    async def _update(self, table: bigquery.Table, *fields: str) -> None:
        await self.call(self._client.update_table, table, list(fields), retry=_retry(), timeout=CALL_SECONDS)

    async def check(self, statement: Statement) -> None:
        """Have a statement checked, rights and columns too, and not run. Raises: Refused."""
        config = self._config(statement)
        config.dry_run = True
        await self.call(
            self._client.query, statement.sql, job_config=config, location=self.location, retry=_retry(),
            job_retry=None, timeout=CALL_SECONDS,
        )  # fmt: skip

    async def is_known(self, job_id: str) -> bool:
        """Whether there is a job of that id, for all that can be seen."""
        try:
            await self._get(job_id)
        except Refused as refused:
            return refused.what != "notFound"
        return True

    async def once(self, job_id: str, statement: Statement, *, again: bool = True) -> Ran:
        """Run a statement under a job's id, or wait for the job of that id, whoever began it.

        One that failed because of others is run anew, by whoever comes first, as `ID-1`, `ID-2`, …. So is one that was
        refused before this process began, unless `again` is false: what was refused is over for everybody then.

        Raises:
            Away: it could not be run to its end now. Asked for again, it goes on from there.
            Refused: it will never succeed.
        """
        config = self._config(statement)

        def begin(number: str) -> Any:
            return self._client.query(
                statement.sql, job_config=config, job_id=number, location=self.location, retry=_retry(),
                job_retry=None, timeout=CALL_SECONDS,
            )  # fmt: skip

        ran = await self._until_done(job_id, begin, again=again)
        if ran.led:
            self.spent.statements += 1
            self.spent.bytes_billed += ran.job.total_bytes_billed or 0
        return ran

    async def load(self, job_id: str, table: str, lines: bytes) -> Ran:
        """Append lines of JSON to a table, once under this id. Raises: Away, Refused."""
        from google.cloud import bigquery

        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
            write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
            labels={**self._labels, "purpose": "stage"},
        )

        def begin(number: str) -> Any:
            return self._client.load_table_from_file(
                io.BytesIO(lines), table, size=len(lines), num_retries=2, job_id=number, location=self.location,
                job_config=config, timeout=UPLOAD_SECONDS,
            )  # fmt: skip

        ran = await self._until_done(job_id, begin)
        self.spent.loads += ran.led
        return ran

    async def rows(self, ran: Ran) -> list[Any]:
        """All rows of a small answer."""
        pages = await self.pages(ran, 10_000)
        rows: list[Any] = []
        while (page := await pages.following()) is not None:
            rows += page
        return rows

    async def pages(self, ran: Ran, size: int) -> Pages:
        """A large answer, page by page."""
        answer = await self.call(ran.job.result, page_size=size, retry=_retry(), timeout=CALL_SECONDS, job_retry=None)
        return Pages(self, iter(answer.pages))

    def _config(self, statement: Statement) -> bigquery.QueryJobConfig:
        from google.cloud import bigquery

        return bigquery.QueryJobConfig(
            query_parameters=[_parameter(name, value) for name, value in statement.parameters.items()],
            maximum_bytes_billed=self._max_bytes,
            labels={**self._labels, "purpose": statement.purpose},
            use_query_cache=False,
        )

    async def _until_done(self, job_id: str, begin: Callable[[str], Any], *, again: bool = True) -> Ran:
        number = tries = 0
        while True:
            job, led = await self._begun(f"{job_id}-{number}" if number else job_id, begin)
            failure = await self._failure(job)
            if failure is None:
                return Ran(job, led, job.created, job.ended or job.created)
            tries += led
            if isinstance(failure, Refused):
                failure.earlier = not led
                if led or not again or job.created >= self._since:  # otherwise what was in the way may be past
                    raise failure
            elif led and (isinstance(failure, OverQuota) or tries >= TRIES):
                raise failure
            number += 1
            if led:  # others wait for their turn, too
                await asyncio.sleep(random.uniform(0.05, 0.25) * min(2**tries, LONGEST))  # noqa: S311  (no secret)

    async def _begun(self, name: str, begin: Callable[[str], Any]) -> tuple[Any, bool]:
        asked = time.monotonic()
        try:
            job = await self._begin(begin, name)
        except _Exists:
            return await self._existing(name), False
        if job.created:
            self.clock.observe(job.created, asked)
        return job, True

    async def _begin(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """A call that makes something. Raises: _Exists, if it is there already."""
        try:
            return await self.call(function, *arguments, **named)
        except Refused as refused:
            if refused.what in ("duplicate", "alreadyExists"):
                raise _Exists from refused
            raise

    async def _existing(self, name: str) -> Any:
        """A job that somebody began. It may be a moment until it can be found (googleapis/python-bigquery issue 2134)."""
        for pause in (0.2, 1.0, 3.0, None):
            try:
                return await self._get(name)
            except Refused as refused:
                refused.earlier = refused.what != "notFound"
                if refused.earlier or pause is None:
                    raise
            await asyncio.sleep(pause)
        raise AssertionError

    async def _get(self, name: str) -> Any:
        return await self.call(self._client.get_job, name, location=self.location, retry=_retry(), timeout=CALL_SECONDS)

    async def _failure(self, job: Any) -> RushesError | None:
        """Wait for a job's end by looking at it, so that its failure and that of a look are never confused."""
        deadline = time.monotonic() + STATEMENT_SECONDS
        pause, longest = LOOK_SECONDS
        while job.state != "DONE":
            if time.monotonic() > deadline:
                raise Away(f"the job {job.job_id} has been running for {STATEMENT_SECONDS / 60:.0f} minutes")
            await asyncio.sleep(pause)
            pause = min(longest, pause * 1.5)
            await self.call(job.reload, retry=_retry(), timeout=CALL_SECONDS)
        return of_job(job.error_result) if job.error_result else None


class Pages:
    """The pages of a large answer. Only one is held at a time."""

    def __init__(self, service: Service, pages: Iterator[Any]) -> None:
        self._service = service
        self._pages = pages

    async def following(self) -> list[Any] | None:
        """The next page's rows; None: that was all. Raises: Away, Refused."""
        page = await self._service.call(next, self._pages, None)
        return None if page is None else list(page)


def partitioning(field: str, after: timedelta) -> bigquery.TimePartitioning:
    """By the days of a column. What is there goes so long after its day."""
    from google.cloud import bigquery

    return bigquery.TimePartitioning(field=field, expiration_ms=after // timedelta(milliseconds=1))


class _Exists(Exception):
    """Somebody has made it already."""


def _retry() -> Any:
    from google.cloud.bigquery import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(AGAIN_SECONDS)


def _parameter(name: str, value: Value) -> Any:
    from google.cloud import bigquery

    if isinstance(value, bool):
        return bigquery.ScalarQueryParameter(name, "BOOL", value)
    if value is None or isinstance(value, int):
        return bigquery.ScalarQueryParameter(name, "INT64", value)
    if isinstance(value, str):
        return bigquery.ScalarQueryParameter(name, "STRING", value)
    return bigquery.ArrayQueryParameter(name, "STRING", list(value))
