"""Enqueueing inside a caller's own transaction, through whatever driver holds it: asyncpg, psycopg 3, SQLAlchemy.

The jobs appear when the caller commits and never if they roll back, and so does the NOTIFY. The drivers are known by the
modules of what is given and never imported before, because Rushes needs none but asyncpg. One statement with one parameter
and one value as its answer is all that they have to agree on.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from rushes.errors import UsageError
from rushes.model import Job, JobId
from rushes.queue.enqueueing import chunks, send_json
from rushes.queue.jobs import NewJob, read_job
from rushes.queue.statements import sql

T = TypeVar("T")

_TIMES = ("created_at", "run_at", "started_at", "finished_at")
_WANTED = "an asyncpg or psycopg connection, or a connection or session of SQLAlchemy"


async def enqueue_within(connection: Any, jobs: Iterable[NewJob]) -> list[JobId]:
    """Add jobs in the transaction that a connection is in, or in one for each chunk of them where it is in none.

    Raises:
        UsageError: it is no connection of a kind that is known. What the database refuses comes in the driver's own words.
    """
    send = _sender(connection)
    ids: list[JobId] = []
    for chunk in chunks(jobs):
        ids += await send_json(chunk, lambda text: send(sql("enqueue_json"), text), ring=True)
    return ids


async def read_within(connection: Any, job: JobId) -> Job:
    """A job as the transaction sees it that added it."""
    row = json.loads(await _sender(connection)(sql("job_as_json"), str(job)))
    return read_job({**row, **{name: row[name] and datetime.fromisoformat(row[name]) for name in _TIMES}})


def at_once(work: Coroutine[Any, Any, T], connection: Any) -> T:
    """What enqueueing through a connection comes to that does not wait for an event loop.

    Raises: UsageError, for a connection that does.
    """
    try:
        if _is_async(connection):
            raise UsageError(
                f"the connection is asynchronous: {_named(connection)}",
                remedy="use rushes.Queue with it, or give a synchronous connection",
            )
        work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    finally:
        work.close()
    raise AssertionError("it waited")


def _sender(connection: Any) -> Callable[[str, str], Awaitable[str]]:
    """What sends a statement with its one parameter, `$1`, and gives its one value."""
    waits = _is_async(connection)
    match _driver(connection):
        case "asyncpg":
            fetchval: Callable[[str, str], Awaitable[str]] = connection.fetchval
            return fetchval
        case "psycopg":
            return _psycopg_async(connection) if waits else _psycopg(connection)
        case _:
            return _sqlalchemy_async(connection) if waits else _sqlalchemy(connection)


def _psycopg(connection: Any) -> Callable[[str, str], Awaitable[str]]:
    from psycopg.rows import tuple_row

    async def send(statement: str, text: str) -> str:
        with connection.cursor(row_factory=tuple_row) as cursor:
            return str(cursor.execute(statement.replace("$1", "%s"), (text,)).fetchone()[0])

    return send


def _psycopg_async(connection: Any) -> Callable[[str, str], Awaitable[str]]:
    from psycopg.rows import tuple_row

    async def send(statement: str, text: str) -> str:
        async with connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(statement.replace("$1", "%s"), (text,))
            return str((await cursor.fetchone())[0])

    return send


def _sqlalchemy(connection: Any) -> Callable[[str, str], Awaitable[str]]:
    from sqlalchemy import text as clause

    async def send(statement: str, text: str) -> str:
        return str(connection.execute(clause(statement.replace("$1", ":given")), {"given": text}).scalar_one())

    return send


def _sqlalchemy_async(connection: Any) -> Callable[[str, str], Awaitable[str]]:
    from sqlalchemy import text as clause

    async def send(statement: str, text: str) -> str:
        return str((await connection.execute(clause(statement.replace("$1", ":given")), {"given": text})).scalar_one())

    return send


def _is_async(connection: Any) -> bool:
    return _driver(connection) == "asyncpg" or iscoroutinefunction(connection.execute)


def _driver(connection: Any) -> str:
    """Which library it is of, also if its class is the user's own."""
    known = {one.__module__.partition(".")[0] for one in type(connection).__mro__}
    for library in ("asyncpg", "psycopg", "sqlalchemy"):
        if library in known and hasattr(connection, "execute"):
            return library
    raise UsageError(f"connection: wanted {_WANTED}, found {_named(connection)}")


def _named(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"
