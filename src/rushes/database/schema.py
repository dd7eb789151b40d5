"""The schema's version: looked at on every start, brought forward only where that is ours to do.

The embedded server and an empty database are prepared unasked. Anything else is somebody's: no table of ours appears
there before they say `rushes db upgrade`.

This is our own migrator because the revisions are SQL and go one way: version table, order and lock are the few lines
below, while importing Alembic and SQLAlchemy alone takes a second of the first start.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, TypeAlias

from rushes.errors import DatabaseError, SchemaError

if TYPE_CHECKING:
    from asyncpg import Connection
    from asyncpg.pool import PoolConnectionProxy

    AnyConnection: TypeAlias = Connection | PoolConnectionProxy

OLDEST_SERVER = 14
"""PostgreSQL majors that the statements are written for."""
LOCK = 0x7275736865  # "rushe"; an advisory lock is known by a number alone
VERSION = "select max(number) from rushes.schema_versions"
VERSION_TABLE = """
    create schema if not exists rushes;
    create table if not exists rushes.schema_versions (
        number integer primary key, name text not null, applied_at timestamptz not null default now()
    )"""
ON_PURPOSE = (
    "To install Rushes there on purpose: rushes db upgrade. To use another database: set RUSHES_DATABASE_URL, "
    "which wins over DATABASE_URL. To use the embedded one: unset both."
)
# Relations of extensions are nobody's tables: managed servers bring some along.
FOREIGN = """
    select format('%I.%I', n.nspname, c.relname)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname <> 'information_schema' and n.nspname !~ '^pg_' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and not exists (select from pg_catalog.pg_depend d
                      where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    order by 1"""


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema's history."""

    number: int
    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Revisions:
    """All steps that this program knows, from the files' names."""

    folder: Traversable

    @property
    def head(self) -> int:
        """The version that this program needs."""
        return max(self._files())

    def after(self, version: int) -> list[Revision]:
        """What is missing from a schema of this version, in order."""
        return [
            Revision(number, path.name.removesuffix(".sql"), path.read_text(encoding="utf-8"))
            for number, path in sorted(self._files().items())
            if number > version
        ]

    def _files(self) -> dict[int, Traversable]:
        return {int(path.name[:4]): path for path in self.folder.iterdir() if path.name.endswith(".sql")}


@functools.cache
def our_revisions() -> Revisions:
    return Revisions(files("rushes.database.migrations") / "versions")


async def installed_version(connection: AnyConnection) -> int | None:
    """The schema's version, or None where Rushes is not installed."""
    from asyncpg import InsufficientPrivilegeError, InvalidSchemaNameError, UndefinedTableError

    try:
        version: int | None = await connection.fetchval(VERSION)
    except (UndefinedTableError, InvalidSchemaNameError):
        return None
    except InsufficientPrivilegeError as error:
        raise DatabaseError(
            f"This user may not look into the schema rushes: {error}.",
            remedy="Connect as the user who owns it, or let its owner GRANT USAGE ON SCHEMA rushes and its tables.",
        ) from error
    return version


async def foreign_relations(connection: AnyConnection) -> list[str]:
    """Tables, views and sequences that somebody has made in a database without Rushes."""
    return [row[0] for row in await connection.fetch(FOREIGN)]


async def check_schema(connection: AnyConnection, revisions: Revisions, *, embedded: bool, where: str) -> None:
    """Make sure the schema is the one this program needs; prepare it where that is ours to do.

    Raises:
        SchemaError: it is missing among somebody else's tables, older on a server not ours, or newer.
    """
    version = await installed_version(connection)
    if version == revisions.head:
        return
    if version is not None and version > revisions.head:
        raise _newer(version, revisions, where)
    if not embedded:
        await _refuse_uninvited(connection, version, revisions, where)
    await upgrade(connection, revisions, where=where)


async def upgrade(connection: AnyConnection, revisions: Revisions, *, where: str) -> list[Revision]:
    """Apply what is missing, in one transaction. Of several who try at once, one does it. Returns what was applied."""
    from asyncpg import InsufficientPrivilegeError, PostgresError

    major = connection.get_server_version().major
    if major < OLDEST_SERVER:
        raise DatabaseError(f"{where} is PostgreSQL {major}; Rushes needs {OLDEST_SERVER} or newer.")
    try:
        async with connection.transaction():
            await connection.execute("select pg_catalog.pg_advisory_xact_lock($1)", LOCK, timeout=600)
            return await _apply_missing(connection, revisions, where)
    except InsufficientPrivilegeError as error:
        raise DatabaseError(
            f"Rushes cannot be installed in {where}: {error}.",
            remedy="Use a user who may create a schema there: GRANT CREATE ON DATABASE … TO …",
        ) from error
    except PostgresError as error:
        raise DatabaseError(
            f"The schema in {where} could not be brought up to date, and is as before: {error}"
        ) from error


async def _apply_missing(connection: AnyConnection, revisions: Revisions, where: str) -> list[Revision]:
    await connection.execute(VERSION_TABLE)
    version = await connection.fetchval(VERSION) or 0
    if version > revisions.head:
        raise _newer(version, revisions, where)
    missing = revisions.after(version)
    for revision in missing:
        await connection.execute(revision.sql, timeout=3600)
        await connection.execute(
            "insert into rushes.schema_versions (number, name) values ($1, $2)", revision.number, revision.name
        )
    return missing


async def _refuse_uninvited(connection: AnyConnection, version: int | None, revisions: Revisions, where: str) -> None:
    if version is not None:
        raise SchemaError(
            f"The schema in {where} has version {version}; this program needs {revisions.head}.",
            remedy="Stop the other workers and servers, then run: rushes db upgrade",
        )
    if found := await foreign_relations(connection):
        names = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")  # noqa: PLR2004  (as many as are named)
        raise SchemaError(f"{where} holds somebody else's data ({names}) and not Rushes.", remedy=ON_PURPOSE)


def _newer(version: int, revisions: Revisions, where: str) -> SchemaError:
    return SchemaError(
        f"The schema in {where} has version {version}; this program knows only up to {revisions.head}.",
        remedy="A newer Rushes was here: pip install --upgrade rushes",
    )
