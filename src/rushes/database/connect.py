"""One connection to the database, with every way it can fail put in words."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rushes.database.url import VARIABLES, Address
from rushes.database.values import use_json
from rushes.errors import DatabaseError, RushesError, SettingsError

if TYPE_CHECKING:
    from asyncpg import Connection

APPLICATION = "rushes"
CONNECT_WITHIN = timedelta(seconds=15)
STARTING_UP_WITHIN = timedelta(seconds=60)
"""How long a server is waited for that answers, but is still starting or recovering."""

PLANNING = "set random_page_cost = 1.1; set enable_seqscan = off; set jit = off"
"""No statement of ours is meant to read a table whole, but a plan made while a table was small would go on doing so when it
has grown. A queue's live rows are in memory, and what touches so few has no time to be compiled."""


async def dial(address: Address, **options: Any) -> Connection:
    """Connect. `options` go to `asyncpg.connect`.

    Raises:
        SettingsError: the URL, its user, password or database is wrong.
        DatabaseError: the server cannot be reached, or refuses for now.
    """
    from asyncpg import CannotConnectNowError

    deadline = asyncio.get_running_loop().time() + STARTING_UP_WITHIN.total_seconds()
    while True:
        try:
            return await _dial_once(address, options)
        except CannotConnectNowError as error:
            if asyncio.get_running_loop().time() > deadline:
                raise DatabaseError(f"{address.masked} does not accept connections: {error}") from error
            await asyncio.sleep(0.05)


async def _dial_once(address: Address, options: dict[str, Any]) -> Connection:
    import asyncpg
    from asyncpg import TargetServerAttributeNotMatched as NotMatched

    try:
        connection: Connection = await asyncpg.connect(
            address.dsn,
            timeout=CONNECT_WITHIN.total_seconds(),
            server_settings={"application_name": APPLICATION},
            **options,
        )
    except asyncpg.CannotConnectNowError:
        raise
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError, NotMatched) as error:
        raise explain(address, error) from error
    try:
        await use_json(connection)
        await connection.execute(PLANNING)
    except BaseException:
        connection.terminate()  # nobody else knows of it yet
        raise
    return connection


def explain(address: Address, error: Exception) -> RushesError:
    """The error of a failed connect, for the person who reads it."""
    import asyncpg

    where, correct = address.masked, f"Correct {VARIABLES}."
    match error:
        case asyncpg.InvalidCatalogNameError():
            return SettingsError(f"{where}: {error}", remedy=f"Create it (createdb), or correct {VARIABLES}.")
        case asyncpg.InvalidAuthorizationSpecificationError() | ValueError():
            return SettingsError(f"{where}: {error}", remedy=correct)
        case asyncpg.TooManyConnectionsError():
            remedy = "Run fewer workers, raise max_connections, or put PgBouncer before it."
            return DatabaseError(f"{where} has no connection left: {error}", remedy=remedy)
        case asyncpg.TargetServerAttributeNotMatched():
            remedy = "Connect to the primary. Of several (postgresql://user@one,two/name) the one that writes is used."
            return DatabaseError(f"{where} only reads now: it is a standby, or set to read only.", remedy=remedy)
        case OSError():
            what = str(error) or f"no answer in {CONNECT_WITHIN.total_seconds():.0f} s"  # a timeout has no words
            return DatabaseError(f"{where} cannot be reached: {what}", remedy=_reach())
    return DatabaseError(f"{where} refused the connection: {error}")


def _reach() -> str:
    return f"Start that server, correct {VARIABLES}, or unset both to use the embedded one."
