"""What there is to say about the database, for `rushes db status` and `rushes doctor`."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.database.access import Server, close, reach
from rushes.database.cluster import find_cluster
from rushes.database.schema import installed_version, our_revisions
from rushes.errors import DatabaseError
from rushes.locks import holders

if TYPE_CHECKING:
    from rushes.settings import Settings

SIZE = "select pg_catalog.pg_database_size(pg_catalog.current_database())"
CONNECTIONS = """
    select coalesce(nullif(application_name, ''), 'unnamed'), count(*) from pg_catalog.pg_stat_activity
    where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid() group by 1 order by 1"""


@dataclass(frozen=True, slots=True)
class User:
    """A process on this machine that keeps the embedded server running."""

    pid: int
    command: str


@dataclass(frozen=True, slots=True)
class Status:
    """The database as it is. Without a server version there is none yet."""

    embedded: bool
    schema_needed: int
    url: str | None = None
    """Masked."""
    server_version: str | None = None
    schema_version: int | None = None
    size: int | None = None
    """Bytes."""
    data_folder: Path | None = None
    users: tuple[User, ...] = ()
    connections: dict[str, int] = field(default_factory=dict)
    """Other connections to this database, by the name of their program."""


async def status(settings: Settings) -> Status:
    """Look, and make nothing. An embedded server that does not run is started for the moment.

    Raises:
        SettingsError, DatabaseError: as for `open_database`.
    """
    needed = our_revisions().head
    if settings.database_url is None and await asyncio.to_thread(_nothing_yet, settings.home):
        return Status(embedded=True, schema_needed=needed)
    async with reach(settings) as server:
        return await _ask(server, needed)


def _nothing_yet(home: Path) -> bool:
    try:
        return find_cluster(home) is None
    except OSError as error:
        raise DatabaseError(f"{home}: {error}", remedy="Choose another data folder with RUSHES_HOME.") from error


async def _ask(server: Server, needed: int) -> Status:
    connection = await server.dial()
    try:
        return Status(
            embedded=server.embedded,
            schema_needed=needed,
            url=server.address.masked,
            server_version=await connection.fetchval("show server_version"),
            schema_version=await installed_version(connection),
            size=await connection.fetchval(SIZE),
            data_folder=server.local.cluster.data if server.local else None,
            users=_users(server.local.cluster.lock("users")) if server.local else (),
            connections={row[0]: row[1] for row in await connection.fetch(CONNECTIONS)},
        )
    finally:
        await close(connection)


def _users(lock: Path) -> tuple[User, ...]:
    return tuple(User(pid, _command(pid)) for pid in holders(lock) if pid != os.getpid())


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return ""
    return " ".join(word.decode(errors="replace") for word in words)
