"""Enqueueing inside a transaction of the caller's own: the job is there when they commit, and never if they roll back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import psycopg
import psycopg.rows
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

import rushes
from rushes import NewJob
from rushes.queue.doorbell import CHANNEL


@dataclass
class Transaction:
    """A transaction that is under way on somebody's connection."""

    connection: Any
    run: Callable[[str], Awaitable[Any]]
    commit: Callable[[], Awaitable[Any]]
    rollback: Callable[[], Awaitable[Any]]


@contextlib.asynccontextmanager
async def by_asyncpg(url: str) -> AsyncIterator[Transaction]:
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    yield Transaction(connection, connection.execute, transaction.commit, transaction.rollback)
    await connection.close()


@contextlib.asynccontextmanager
async def by_asyncpg_pool(url: str) -> AsyncIterator[Transaction]:
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool, pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        yield Transaction(connection, connection.execute, transaction.commit, transaction.rollback)


@contextlib.asynccontextmanager
async def by_psycopg(url: str) -> AsyncIterator[Transaction]:
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        yield Transaction(
            connection, _later(connection.execute), _later(connection.commit), _later(connection.rollback)
        )


@contextlib.asynccontextmanager
async def by_psycopg_async(url: str) -> AsyncIterator[Transaction]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield Transaction(connection, connection.execute, connection.commit, connection.rollback)


@contextlib.asynccontextmanager
async def by_sqlalchemy(url: str) -> AsyncIterator[Transaction]:
    engine = sa.create_engine(_with(url, "psycopg"))
    with engine.connect() as connection:
        run = _later(lambda statement: connection.execute(sa.text(statement)))
        yield Transaction(connection, run, _later(connection.commit), _later(connection.rollback))
    engine.dispose()


@contextlib.asynccontextmanager
async def by_session(url: str) -> AsyncIterator[Transaction]:
    engine = sa.create_engine(_with(url, "psycopg"))
    with sessionmaker(engine)() as session:
        run = _later(lambda statement: session.execute(sa.text(statement)))
        yield Transaction(session, run, _later(session.commit), _later(session.rollback))
    engine.dispose()


@contextlib.asynccontextmanager
async def by_scoped_session(url: str) -> AsyncIterator[Transaction]:
    engine = sa.create_engine(_with(url, "psycopg"))
    session: scoped_session[Session] = scoped_session(sessionmaker(engine))
    run = _later(lambda statement: session.execute(sa.text(statement)))
    yield Transaction(session, run, _later(session.commit), _later(session.rollback))
    session.remove()
    engine.dispose()


@contextlib.asynccontextmanager
async def by_async_sqlalchemy(url: str, driver: str = "asyncpg") -> AsyncIterator[Transaction]:
    engine = create_async_engine(_with(url, driver))
    async with engine.connect() as connection:
        yield Transaction(
            connection, lambda statement: connection.execute(sa.text(statement)), connection.commit, connection.rollback
        )
    await engine.dispose()


@contextlib.asynccontextmanager
async def by_async_session(url: str) -> AsyncIterator[Transaction]:
    engine = create_async_engine(_with(url, "psycopg"))
    async with AsyncSession(engine) as session:
        yield Transaction(
            session, lambda statement: session.execute(sa.text(statement)), session.commit, session.rollback
        )
    await engine.dispose()


DRIVERS = [
    by_asyncpg, by_asyncpg_pool, by_psycopg, by_psycopg_async, by_sqlalchemy, by_session, by_scoped_session,
    by_async_sqlalchemy, by_async_session,
]  # fmt: skip
Begin = Callable[[], contextlib.AbstractAsyncContextManager[Transaction]]


def _with(url: str, driver: str) -> str:
    return url.replace("postgresql://", f"postgresql+{driver}://")


def _later(call: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def run(*arguments: Any) -> Any:
        return call(*arguments)

    return run


@pytest.fixture
async def db(database, settings) -> AsyncIterator[rushes.Connection]:
    async with rushes.connect(settings) as db:
        yield db


@pytest.fixture
def queue(db: rushes.Connection) -> rushes.Queue:
    return rushes.Queue(db)


@pytest.fixture(params=DRIVERS, ids=lambda driver: driver.__name__)
def begin(request: pytest.FixtureRequest, db: rushes.Connection) -> Begin:
    return lambda: request.param(db.url)


async def test_a_job_is_there_when_its_transaction_commits(queue: rushes.Queue, begin: Begin):
    async with begin() as mine:
        job = await queue.enqueue_job("a", "fetch", 7, payload={"n": "zwölf"}, connection=mine.connection)
        assert await queue.get_job(job.id) is None
        await mine.commit()
    assert await queue.get_job(job.id) == job
    assert (job.video_id, job.priority, job.payload, job.status) == ("a", 7, {"n": "zwölf"}, "queued")


async def test_a_job_is_never_there_if_its_transaction_rolls_back(queue: rushes.Queue, begin: Begin):
    async with begin() as mine:
        await queue.enqueue_jobs([NewJob("fetch")] * 3, connection=mine.connection)
        await mine.rollback()
    assert await queue.get_pending_jobs() == []


async def test_many_jobs_have_their_ids_in_the_order_given(queue: rushes.Queue, begin: Begin):
    later = datetime.now(UTC) + timedelta(hours=1)
    jobs = [
        NewJob("fetch", video_id=f"video-{n}", priority=n % 13, timeout=timedelta(seconds=n + 1)) for n in range(50)
    ]
    jobs.append(NewJob("write", run_at=later, retries=rushes.Retries(9, timedelta(milliseconds=1))))
    async with begin() as mine:
        ids = await queue.enqueue_jobs(jobs, connection=mine.connection)
        await mine.commit()
    found = [await queue.get_job(job) for job in ids]
    assert [job.video_id for job in found if job] == [job.video_id for job in jobs]
    last = found[-1]
    assert last is not None
    assert (last.status, last.run_at, last.max_attempts) == ("retrying", later, 9)


async def test_a_key_is_heeded_in_the_caller_s_transaction(queue: rushes.Queue, begin: Begin):
    known = await queue.enqueue_job("a", "fetch", dedup_key="known")
    async with begin() as mine:
        jobs = [NewJob("fetch", dedup_key=key) for key in ("new", "known", "new", None)]
        new, old, again, bare = await queue.enqueue_jobs(jobs, connection=mine.connection)
        await mine.commit()
    assert (old, again) == (known.id, new)
    assert sorted(job.id for job in await queue.get_pending_jobs()) == sorted([known.id, new, bare])


async def test_workers_hear_of_it_when_it_commits_and_not_before(
    queue: rushes.Queue, begin: Begin, db: rushes.Connection
):
    heard: list[object] = []
    rang = asyncio.Event()

    def hear(_connection: Any, _pid: int, _channel: str, payload: object) -> None:
        heard.append(payload)
        rang.set()

    ear = await asyncpg.connect(db.url)
    await ear.add_listener(CHANNEL, hear)
    async with begin() as mine:
        await queue.enqueue_job("a", "fetch", connection=mine.connection)
        await ear.fetchval("select 1")
        assert heard == []
        await mine.commit()
        await rang.wait()
    assert heard == [""]
    await ear.close()


@pytest.mark.parametrize(
    "driver", [by_psycopg, by_sqlalchemy, by_session, by_scoped_session], ids=lambda one: one.__name__
)
async def test_a_synchronous_program_does_so_too(settings, queue: rushes.Queue, driver, db: rushes.Connection):
    service = rushes.QueueService(db)
    async with driver(db.url) as mine:
        job = service.enqueue_job("a", "fetch", connection=mine.connection)
        more = service.enqueue_jobs([NewJob("fetch")] * 2, connection=mine.connection)
        assert await queue.get_pending_jobs() == []
        await mine.commit()
    assert [one.id for one in await queue.get_pending_jobs()] == [job.id, *more]


@pytest.mark.parametrize("driver", [by_asyncpg, by_psycopg_async, by_async_session], ids=lambda one: one.__name__)
async def test_a_synchronous_call_refuses_an_asynchronous_connection(driver, db: rushes.Connection):
    async with driver(db.url) as mine:
        with pytest.raises(rushes.UsageError, match=r"the connection is asynchronous: .*\n.*use rushes.Queue with it"):
            rushes.QueueService(db).enqueue_job("a", "fetch", connection=mine.connection)


async def test_their_own_writes_and_the_job_stand_or_fall_together(queue: rushes.Queue, begin: Begin):
    async with begin() as mine:
        await mine.run("create table if not exists public.orders (n integer)")
        await mine.run("insert into public.orders values (1)")
        job = await queue.enqueue_job("a", "fetch", connection=mine.connection)
        await mine.commit()
    async with begin() as mine:
        await mine.run("drop table public.orders")
        await mine.commit()
    assert [one.id for one in await queue.get_pending_jobs()] == [job.id]
