"""`rushes requests`: what messages asked for, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from rushes.cli.arguments import LARGEST, Limit, chosen, database, within
from rushes.cli.output import JsonFlag, print_json, run, safe, stderr, stdout
from rushes.cli.shell import group
from rushes.errors import UsageError
from rushes.model import JobStatus

if TYPE_CHECKING:
    from rushes.requests.reading import Kept

app = group("Requests that came as messages: list them, show one.")


@app.command("list")
def list_command(
    *,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help=f"Only these: {', '.join(JobStatus)}.")] = None,
    correlation_id: Annotated[
        str | None,
        typer.Option("--correlation", metavar="ID", help="Only those that their publisher knows by this id."),
    ] = None,
    before: Annotated[
        int | None, typer.Option(metavar="NUMBER", callback=within(1, LARGEST), help="Go on after this one.")
    ] = None,
    limit: Limit = 50,
    as_json: JsonFlag = False,
) -> None:
    """List requests, newest first.

    Examples:
      rushes requests list --status failed
      rushes requests list --correlation req_9f2c
    """
    chosen("--status", status, JobStatus)
    found = run(_list(JobStatus(status) if status else None, correlation_id, limit, before))
    if as_json:
        print_json(found)
        return
    console = stdout()
    for request in found:
        at = f"{request.stage} {request.percentage} %" if request.stage and not request.finished_at else ""
        reason = f" — {safe(request.error)}" if request.error else ""
        console.print(
            f"{request.id:6}  {safe(request.name):36}  {request.status:10} {safe(request.pipeline or ''):10} "
            f"{safe(at or request.about or '')}{reason}"
        )
    if not found:
        console.print("no such requests")
    elif len(found) == limit:
        stderr().print(f"[dim]there may be more: --before {found[-1].id}[/]")


async def _list(status: JobStatus | None, correlation_id: str | None, limit: int, before: int | None) -> list[Kept]:
    from rushes.requests.reading import list_requests

    async with database() as (_, opened):
        return await list_requests(
            opened.pool, status=status, correlation_id=correlation_id, limit=limit, before=before
        )


@app.command()
def show(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="Its id, or that of a message which named none.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Everything about one request; with --json its result too.

    Example: rushes requests show 6f9619ff-8b86-4d01-b42d-00c04fc964ff
    """
    found = run(_show(request))
    if as_json:
        print_json(found)
        return
    from dataclasses import fields

    from rich.table import Table

    table = Table(box=None, show_header=False)
    for field in fields(found):
        value = getattr(found, field.name)
        if value is not None and field.name != "result":
            table.add_row(field.name.replace("_", " "), safe(str(value)))
    console = stdout()
    console.print(table)
    if found.result and found.result.get("text"):
        console.print(f"\n{safe(found.result['text'])}")


async def _show(name: str) -> Kept:
    from rushes.requests.reading import find_request

    async with database() as (_, opened):
        found = await find_request(opened.pool, _named(name))
    if found is None:
        raise UsageError(f"there is no request {name!r}", remedy="`rushes requests list` shows those there are")
    return found


def _named(name: str) -> UUID | str:
    try:
        return UUID(name)
    except ValueError:
        return name
