"""A connection to an empty queue, the service on it, and stages to play with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, LiteralString

import psycopg
import pytest

import rushes
from rushes.database import Database
from rushes.settings import Settings
from rushes.stages import registry

RunStage = Callable[[rushes.Job, rushes.Context], Awaitable[rushes.Result]]


async def nothing(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
    """A stage that makes nothing."""
    return rushes.Result()


async def failing(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
    raise rushes.Transient("not now")


@pytest.fixture
def stage() -> Iterator[Callable[..., None]]:
    """Make stages for one test: `stage("a", "b", run=function)`."""
    before = dict(registry._decorated)

    def make(*names: str, run: RunStage = nothing, **declared: Any) -> None:
        for name in names:
            rushes.stage(name, **declared)(run)

    yield make
    registry._decorated.clear()
    registry._decorated.update(before)


@pytest.fixture
def db(database: Database, settings: Settings) -> Iterator[rushes.Connection]:
    """Connected as a synchronous program is."""
    with rushes.connect(settings) as connected:
        yield connected


@pytest.fixture
def service(db: rushes.Connection) -> rushes.QueueService:
    return rushes.QueueService(db)


@pytest.fixture
def sql(db: rushes.Connection) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the test's own, each statement for itself."""
    with psycopg.connect(db.url, autocommit=True) as connection:
        yield connection


def value(sql: psycopg.Connection[Any], statement: LiteralString, *arguments: Any) -> Any:
    """The one value that a statement gives."""
    row = sql.execute(statement, arguments).fetchone()
    return row and row[0]


def come_due(sql: psycopg.Connection[Any]) -> None:
    sql.execute("update rushes.jobs set run_at = now() where status = 'retrying'")
