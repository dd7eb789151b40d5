"""Putting jobs into the queue: by COPY where there are many plain ones, else by one statement for each chunk.

One call is one transaction: all of its jobs are there or none. Many are sent in chunks, so that memory stays flat and no
statement takes long. Ids are given in the order of the jobs.

A job with a key is added only if no job of that key lives; otherwise its id is that one's. Who else adds the same key at
this moment is waited for, and because that one's job may be over by then, what is still without an id is asked for again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from rushes.database.values import encode_json
from rushes.errors import UsageError
from rushes.model import Job, JobId
from rushes.queue.columns import Columns
from rushes.queue.jobs import NewJob, read_job
from rushes.queue.statements import sql

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

CHUNK = 5_000
"""Jobs sent at once: so many that the server is busy with them while the next ones are made ready."""
COPY_FROM = 200
"""Fewer jobs than this are not worth the round trips of a COPY."""

MOST_DEADLOCKS = 5
"""How often a list is begun anew that had to give way."""

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
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise UsageError(f"no job was added: {error}") from error
        except asyncpg.DeadlockDetectedError:
            # Two long lists with keys in common, in different chunks: PostgreSQL has ended one, and the other goes on.
            if not again:
                raise
            again -= 1


async def enqueue_one(connection: Connection, job: NewJob) -> Job:
    """Add one job in one round trip. Returns it, or the one that lives already under its key. Raises: as `enqueue`."""
    import asyncpg

    if job.dedup_key is not None:
        (number,) = await enqueue(connection, [job])
        row = await connection.fetchrow("select * from rushes.jobs where id = $1", number)
    else:
        try:
            row = await connection.fetchrow(sql("enqueue"), *(await _columns([job])).all())
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise UsageError(f"the job was not added: {error}") from error
    assert row is not None
    return read_job(row)


async def _enqueue(connection: Connection, jobs: Iterable[NewJob]) -> list[JobId]:
    if isinstance(jobs, Sequence) and len(jobs) == 1:
        # A statement is a transaction of its own.
        return await _add(connection, jobs, await _columns(jobs), asyncio.Event())
    ids: list[JobId] = []
    async with connection.transaction():
        adding: asyncio.Task[list[JobId]] | None = None
        try:
            for chunk in chunks(jobs):
                columns = await _columns(chunk)  # while the server is at the chunk before
                if adding:
                    ids += await adding
                adding, sent = _begin(connection, chunk, columns)
                await sent.wait()
        finally:
            if adding:
                ids += await adding
    return ids


def _begin(
    connection: Connection, jobs: Sequence[NewJob], columns: Columns
) -> tuple[asyncio.Task[list[JobId]], asyncio.Event]:
    """Returns what adds the jobs, and what tells that all of them are on their way to the server."""
    sent = asyncio.Event()
    adding = asyncio.create_task(_add(connection, jobs, columns, sent))
    adding.add_done_callback(lambda _: sent.set())
    return adding, sent


def chunks(jobs: Iterable[NewJob]) -> Iterator[list[NewJob]]:
    rest = iter(jobs)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


async def _columns(jobs: Sequence[NewJob]) -> Columns:
    columns = Columns(jobs)
    if not columns.keys:
        await columns.encode()
    return columns


async def _add(connection: Connection, jobs: Sequence[NewJob], columns: Columns, sent: asyncio.Event) -> list[JobId]:
    if columns.keys:
        return await send_json(jobs, lambda text: connection.fetchval(sql("enqueue_json"), text))
    if len(jobs) >= COPY_FROM and columns.plain:
        return await _copy(connection, columns, len(jobs), sent)
    added = f"with added as ({sql('enqueue')}) select id from added"  # noqa: S608  (our own statement)
    return sorted(JobId(row["id"]) for row in await connection.fetch(added, *columns.all()))


async def _copy(connection: Connection, columns: Columns, count: int, sent: asyncio.Event) -> list[JobId]:
    first, last, scattered = await connection.fetchrow(sql("reserve_ids"), count) or (0, 0, None)
    ids = [JobId(number) for number in scattered or range(first, last + 1)]
    given = columns.given()

    def records() -> Iterator[tuple[Any, ...]]:
        yield from zip(ids, *given.values(), strict=True)
        sent.set()

    await connection.copy_records_to_table("jobs", schema_name="rushes", columns=["id", *given], records=records())
    return ids


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
        text = _as_text(Columns([jobs[place] for place in missing]).as_json(missing), ring=ring)
        ids |= {place: JobId(number) for place, number in json.loads(await send(text)) if number is not None}
    return [ids[place] for place in same]


def _as_text(jobs: dict[str, Any], *, ring: bool) -> str:
    try:
        return encode_json({"ring": ring, **jobs})
    except (TypeError, ValueError) as error:
        raise UsageError(f"payload: wanted what JSON can hold: {error}") from error
