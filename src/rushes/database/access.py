"""The way in: reach the server (starting the embedded one), check the schema, hand out a pool."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

from rushes.database.connect import dial
from rushes.database.schema import Revisions, check_schema, our_revisions
from rushes.database.url import Address, parse_url
from rushes.errors import DatabaseError

if TYPE_CHECKING:
    from rushes.database.embedded import EmbeddedServer
    from rushes.settings import Settings

POOL_SIZE = 10
STATEMENT_WITHIN = timedelta(seconds=60)
"""How long a statement from the pool may take: without a limit, one to a host that vanished would wait for a quarter of
an hour. What may take longer says so (`timeout=`)."""
CLOSE_WITHIN = 10.0
LOST = (
    DatabaseError,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg makes of a connection that breaks between two messages
)
"""What a statement raises when the server or the way to it is gone. The pool heals itself: wait a moment, try again."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that can be connected to, for as long as its `reach` lasts."""

    address: Address
    local: EmbeddedServer | None

    @property
    def embedded(self) -> bool:
        return self.local is not None

    async def dial(self, **options: Any) -> asyncpg.Connection:
        """A connection of one's own. An embedded server that died meanwhile is started again."""
        try:
            return await dial(self.address, **options)
        except DatabaseError:
            if self.local is None:
                raise
            await asyncio.to_thread(self.local.ensure_running)
            return await dial(self.address, **options)


@dataclass(frozen=True, slots=True)
class Database:
    """An open database whose schema is the one this program needs."""

    pool: asyncpg.Pool
    server: Server

    @property
    def url(self) -> str:
        """With its password."""
        return self.server.address.url

    @property
    def masked_url(self) -> str:
        return self.server.address.masked

    @property
    def embedded(self) -> bool:
        return self.server.embedded

    @contextlib.asynccontextmanager
    async def dedicated(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection outside the pool, for LISTEN or a session's state."""
        connection = await self.server.dial()
        try:
            yield connection
        finally:
            await close(connection)


@contextlib.asynccontextmanager
async def reach(settings: Settings) -> AsyncIterator[Server]:
    """Have the server running: the user's own, or the embedded one as one of its users. The schema is not looked at.

    Raises:
        SettingsError, DatabaseError: as for `open_database`.
        UsageError: there is no URL, and the embedded PostgreSQL is not installed.
    """
    if settings.database_url is not None:
        yield Server(parse_url(settings.database_url.get_secret_value()), None)
        return
    from rushes.database.embedded import embedded_server

    server = await asyncio.to_thread(embedded_server, settings.home)
    joining = asyncio.ensure_future(asyncio.to_thread(server.join))
    try:
        await asyncio.shield(joining)
        yield Server(parse_url(server.url), server)
    finally:
        await asyncio.wait([joining])  # a thread cannot be cancelled: what it has taken is given back when it is done
        server.leave()


@contextlib.asynccontextmanager
async def open_database(
    settings: Settings, *, pool_size: int = POOL_SIZE, revisions: Revisions | None = None
) -> AsyncIterator[Database]:
    """The database, ready for work.

    Raises:
        SettingsError: the URL, its user, password or database is wrong.
        SchemaError: the schema is not this program's, and not ours to change unasked.
        DatabaseError: the server cannot be reached, or the embedded one not be started.
        UsageError: there is no URL, and the embedded PostgreSQL is not installed.
    """
    async with reach(settings) as server, _open_pool(server.dial, pool_size) as pool:
        async with pool.acquire() as connection:
            await check_schema(
                connection, revisions or our_revisions(), embedded=server.embedded, where=server.address.masked
            )
        yield Database(pool, server)


async def close(connection: asyncpg.Connection) -> None:
    """Close politely, or at once if the server does not answer."""
    try:
        await connection.close(timeout=CLOSE_WITHIN)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


@contextlib.asynccontextmanager
async def _open_pool(dial: Callable[..., Awaitable[asyncpg.Connection]], size: int) -> AsyncIterator[asyncpg.Pool]:
    dialling = _Dialling(dial)
    # No connections are kept without need: asyncpg would mend them in the background, and log what that meets.
    pool = await asyncpg.create_pool(connect=dialling.connect, reset=_keep_session, min_size=0, max_size=size)
    try:
        yield pool
    finally:
        dialling.over = True
        try:
            await asyncio.wait_for(pool.close(), CLOSE_WITHIN)
        except TimeoutError:
            pool.terminate()
        await dialling.end()


class _Dialling:
    """Dials for a pool. What is being dialled while that closes is in nobody's list: it is waited for here, and closed."""

    def __init__(self, dial: Callable[..., Awaitable[asyncpg.Connection]]) -> None:
        self._dial = dial
        self._under_way: set[asyncio.Task[asyncpg.Connection]] = set()
        self.over = False

    async def connect(self, *_: Any, **options: Any) -> asyncpg.Connection:
        limit = STATEMENT_WITHIN.total_seconds()
        dialling = asyncio.ensure_future(self._dial(**options, command_timeout=limit))
        self._under_way.add(dialling)
        dialling.add_done_callback(self._under_way.discard)
        connection = await dialling
        if self.over:
            connection.terminate()
            raise asyncpg.InterfaceError("the pool is closed")
        return connection

    async def end(self) -> None:
        if self._under_way:
            await asyncio.wait(list(self._under_way), timeout=CLOSE_WITHIN)


async def _keep_session(_connection: Any) -> None:
    """Nothing of ours leaves state in a session, so giving a connection back costs no round trip.

    (asyncpg rolls back an open transaction before it comes here.)
    """
