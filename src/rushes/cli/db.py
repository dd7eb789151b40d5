"""`rushes db`: the database itself. Where it is, bringing its schema up to date, backup and restore."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli.arguments import path
from rushes.cli.output import JsonFlag, print_json, run, stderr, stdout
from rushes.cli.shell import group

if TYPE_CHECKING:
    from rushes.database.status import Status

app = group(
    "The database: status, upgrade, url, backup, restore.",
    epilog="Without RUSHES_DATABASE_URL (or DATABASE_URL) it is an embedded PostgreSQL in the data folder.",
)
MEGABYTE = 1_000_000


@app.command(epilog="Example: rushes db status --json")
def status(*, as_json: JsonFlag = False) -> None:
    """Which database, its versions, its size, who uses it. Starts the embedded server for the moment, but makes none."""
    from rushes.database.status import status as look
    from rushes.settings import Settings

    found = run(look(Settings.load()))
    if as_json:
        print_json(found)
        return
    for name, value in _described(found):
        stdout().print(f"{name:10}  {value}", markup=False)


@app.command(epilog="Example: RUSHES_DATABASE_URL=postgresql://me@host/rushes rushes db upgrade")
def upgrade(*, as_json: JsonFlag = False) -> None:
    """Bring the schema `rushes` up to what this version needs; install it where it is missing."""
    applied, version = run(_upgrade())
    if as_json:
        print_json({"applied": applied, "schema_version": version})
    elif applied:
        stdout().print(f"Applied {', '.join(applied)}. The schema now has version {version}.", markup=False)
    else:
        stdout().print(f"Nothing to do: the schema has version {version}.", markup=False)


@app.command(epilog='Example: rushes db url --hold &  psql "$(rushes db url)"')
def url(
    *,
    hold: Annotated[bool, typer.Option("--hold", help="Keep the embedded server running until Ctrl-C.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print the URL for psql and other programs, with its password if it has one."""
    run(_url(hold=hold, as_json=as_json))


@app.command(epilog="Example: rushes db backup rushes-2026-11-22.dump")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", parser=path, help="A new file.")], *, as_json: JsonFlag = False
) -> None:
    """Write everything of ours in the database to a file, consistent while work goes on. Artifacts are not in it."""
    size = run(_backup(file))
    if as_json:
        print_json({"file": file.absolute(), "bytes": size})
    else:
        stdout().print(f"{file}: {size / MEGABYTE:.1f} MB", markup=False)


@app.command(epilog="Example: rushes db restore rushes-2026-11-22.dump")
def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", parser=path, help="A file of `rushes db backup`, from any machine.")
    ],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Give up what is there now.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Load a backup: all of it, or nothing if anything goes wrong."""
    backup_version, version = run(_restore(file, replace=replace))
    if as_json:
        print_json({"file": file.absolute(), "backup_version": backup_version, "schema_version": version})
    else:
        stdout().print(f"Restored {file}. The schema has version {version}.", markup=False)


def _described(found: Status) -> list[tuple[str, Any]]:
    where = "embedded" if found.embedded else "your own"
    if found.server_version is None:
        return [("database", f"{where}, not made yet: the first command that needs it makes it")]
    rows: list[tuple[str, Any]] = [
        ("database", f"{where}, {found.url}"),
        ("server", f"PostgreSQL {found.server_version}"),
        ("schema", _schema(found)),
        ("size", f"{(found.size or 0) / MEGABYTE:.1f} MB"),
    ]
    if found.data_folder:
        rows.append(("data", found.data_folder))
    rows.extend(("used by", f"{user.command or 'a process'} (pid {user.pid})") for user in found.users)
    rows.extend(("connected", f"{name}: {count}") for name, count in found.connections.items())
    return rows


def _schema(found: Status) -> str:
    if found.schema_version is None:
        return f"not installed (this program needs version {found.schema_needed})"
    if found.schema_version == found.schema_needed:
        return f"version {found.schema_version}, up to date"
    return f"version {found.schema_version}, this program needs {found.schema_needed}"


async def _upgrade() -> tuple[list[str], int]:
    from rushes.database.access import close, reach
    from rushes.database.schema import our_revisions
    from rushes.database.schema import upgrade as bring_up_to_date
    from rushes.settings import Settings

    async with reach(Settings.load()) as server:
        connection = await server.dial()
        try:
            applied = await bring_up_to_date(connection, our_revisions(), where=server.address.masked)
        finally:
            await close(connection)
    return [revision.name for revision in applied], our_revisions().head


async def _url(*, hold: bool, as_json: bool) -> None:
    from rushes.database import reach
    from rushes.settings import Settings

    async with reach(Settings.load()) as server:
        if as_json:
            print_json({"url": server.address.url, "embedded": server.embedded})
        else:
            typer.echo(server.address.url)
        if server.address.password:
            stderr().print("This URL holds a password.", markup=False)
        if hold:
            await asyncio.Event().wait()
        elif server.embedded:
            stderr().print("It answers while a rushes command runs; `rushes db url --hold` keeps it up.", markup=False)


async def _backup(file: Path) -> int:
    from rushes.database import reach
    from rushes.database.dump import backup as write
    from rushes.settings import Settings

    async with reach(Settings.load()) as server:
        return await write(server, file)


async def _restore(file: Path, *, replace: bool) -> tuple[int, int]:
    from rushes.database import reach
    from rushes.database.dump import restore as load
    from rushes.database.schema import our_revisions
    from rushes.settings import Settings

    async with reach(Settings.load()) as server:
        restored = await load(server, file, our_revisions(), replace=replace)
    return restored.backup_version, restored.version
