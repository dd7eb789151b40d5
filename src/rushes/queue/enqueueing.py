"""Putting jobs into the queue: by COPY where there are many plain ones, else by one statement for each chunk.

One call is one transaction: all of its jobs are there or none. Many are sent in chunks, so that memory stays flat and no
statement takes long. Ids are given in the order of the jobs.

A job with a key is added only if no job of that key lives; otherwise its id is that one's. Who else adds the same key at
this moment is waited for, and because that one's job may be over by then, what is still without an id is asked for again.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from rushes.database import storable
from rushes.database.values import encode_json
from rushes.errors import UsageError
from rushes.model import JobId, Retries
from rushes.queue.jobs import RETRIES, NewJob
from rushes.queue.statements import sql

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

CHUNK = 10_000
"""Jobs sent at once."""
COPY_FROM = 200
"""Fewer jobs than this are not worth the round trips of a COPY."""

MOST_DEADLOCKS = 5
"""How often a list is begun anew that had to give way."""
_RETRIES = {"max_attempts": "max_attempts", "backoff_base": "base", "backoff_cap": "cap", "backoff_jitter": "jitter"}
"""Columns, and which part of a job's `retries` they hold."""

Send = Callable[[str], Awaitable[str]]
"""Sends jobs as JSON to `enqueue_json.sql` and gives its answer."""


async def enqueue(connection: Connection, jobs: Iterable[NewJob]) -> list[JobId]:
    """Add jobs in one transaction. Returns their ids in the order given.

    Raises:
        UsageError: a value is of the wrong type or out of range. No job was added.
    """
    import asyncpg

    again = MOST_DEADLOCKS if isinstance(jobs, Sequence) else 0
    while True:
        try:
            return await _enqueue(connection, jobs)
        except asyncpg.DeadlockDetectedError:
            # Two long lists with keys in common, in different chunks: PostgreSQL has ended one, and the other goes on.
            if not again:
                raise
            again -= 1
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise UsageError(f"no job was added: {error}") from error


async def _enqueue(connection: Connection, jobs: Iterable[NewJob]) -> list[JobId]:
    ids: list[JobId] = []
    async with connection.transaction():
        for chunk in chunks(jobs):
            ids += await _add(connection, chunk)
    return ids


def chunks(jobs: Iterable[NewJob]) -> Iterator[list[NewJob]]:
    rest = iter(jobs)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


async def _add(connection: Connection, jobs: Sequence[NewJob]) -> list[JobId]:
    columns = _Columns(jobs)
    if any(columns.dedup_key):
        return await send_json(jobs, lambda text: connection.fetchval(sql("enqueue_json"), text))
    if len(jobs) >= COPY_FROM and columns.plain:
        return await _copy(connection, columns, len(jobs))
    rows = await connection.fetch(sql("enqueue"), *columns.all())
    return sorted(JobId(row["id"]) for row in rows)


async def _copy(connection: Connection, columns: _Columns, count: int) -> list[JobId]:
    first, last, scattered = await connection.fetchrow(sql("reserve_ids"), count) or (0, 0, None)
    ids = [JobId(number) for number in scattered or range(first, last + 1)]
    given = columns.given()
    await connection.copy_records_to_table(
        "jobs", schema_name="rushes", columns=["id", *given], records=zip(ids, *given.values(), strict=True)
    )
    return ids


class _Columns:
    """Jobs by column, each as PostgreSQL can hold it."""

    def __init__(self, jobs: Sequence[NewJob]) -> None:
        (
            kind, self.priority, self.payload, self.batch_id, self.item_id, self.step, video_id, lane, host, retries,
            self.timeout, self.run_at, dedup_key, workflow,
        ) = zip(*jobs, strict=True)  # fmt: skip
        self.retries = None if all(one is RETRIES for one in retries) else retries
        self.kind, self.video_id, self.lane = _texts(kind), _texts(video_id), _texts(lane)
        self.host, self.dedup_key, self.workflow = _texts(host), _texts(dedup_key), _texts(workflow)

    @property
    def plain(self) -> bool:
        """Whether nothing has to be looked up in the database for them: a clock, a batch's pause, a lane's limits."""
        return not (any(self.batch_id) or any(self.item_id) or any(self.lane) or any(self.run_at))

    def given(self) -> dict[str, Sequence[Any]]:
        """The columns of plain jobs that say more than the table's defaults. What is not sent costs nothing."""
        given: dict[str, Sequence[Any]] = {"kind": self.kind}
        optional = {
            "priority": self.priority, "payload": self.payload, "video_id": self.video_id, "host": self.host,
            "timeout": self.timeout, "github_workflow_run_id": self.workflow,
        }  # fmt: skip
        given |= {name: column for name, column in optional.items() if any(column)}
        return given | self._retries() if self.retries is not None else given

    def all(self) -> list[Sequence[Any]]:
        """Every column, in the order of `enqueue.sql`."""
        return [
            self.kind, self.priority, self.payload, self.batch_id, self.item_id, self.step, self.video_id, self.lane,
            self.host, *self._retries().values(), self.timeout, self.run_at, self.workflow,
        ]  # fmt: skip

    def _retries(self) -> dict[str, Sequence[Any]]:
        return _retry_columns(self.retries or [RETRIES] * len(self.kind))


def _retry_columns(retries: Sequence[Retries]) -> dict[str, Sequence[Any]]:
    return {name: [getattr(one, part) for one in retries] for name, part in _RETRIES.items()}


def _texts(column: Sequence[str | None]) -> Sequence[str | None]:
    """Texts as PostgreSQL can hold them. Looked at together, because nearly all are fit as they are."""
    together = "".join(filter(None, column))
    return column if storable(together) == together else [text and storable(text) for text in column]


async def send_json(jobs: Sequence[NewJob], send: Send, *, ring: bool = False) -> list[JobId]:
    """Add jobs by the statement that any driver can send: its one parameter and its one answer are text.

    Args:
        jobs: of any sort, some of them perhaps with equal keys.
        send: is called again for as long as a key's job ends just when it is asked for.
        ring: tell workers, once the transaction commits.
    """
    first = {job.dedup_key: place for place, job in reversed(list(enumerate(jobs))) if job.dedup_key is not None}
    same = [place if job.dedup_key is None else first[job.dedup_key] for place, job in enumerate(jobs)]
    ids: dict[int, JobId] = {}
    while missing := [place for place in dict.fromkeys(same) if place not in ids]:
        text = encode_json({"ring": ring, **_as_json([jobs[place] for place in missing], missing)})
        ids |= {place: JobId(number) for place, number in json.loads(await send(text)) if number is not None}
    return [ids[place] for place in same]


def _as_json(jobs: Sequence[NewJob], places: Sequence[int]) -> dict[str, Any]:
    """What all jobs share is said once: JSON is slow to write, and slower to read."""
    columns: dict[str, Sequence[Any]] = dict(zip(NewJob._fields, zip(*jobs, strict=True), strict=True))
    columns |= _retry_columns(columns.pop("retries"))
    shared = {name: _plain(column[0]) for name, column in columns.items() if _is_one_value(column)}
    own = {name: map(_plain, column) for name, column in columns.items() if name not in shared}
    names = ("position", *own)
    return {
        "shared": shared,
        "jobs": [dict(zip(names, row, strict=True)) for row in zip(places, *own.values(), strict=True)],
    }


def _is_one_value(column: Sequence[Any]) -> bool:
    return list(column).count(column[0]) == len(column)


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.6f} seconds"
    return value.isoformat() if isinstance(value, datetime) else value
