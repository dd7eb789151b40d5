"""`rushes queue enqueue`: put a job in by hand."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli.arguments import Modules, database, import_modules, within
from rushes.cli.output import JsonFlag, print_json, run, safe, stderr, stdout
from rushes.cli.selection import duration, future
from rushes.errors import UsageError

if TYPE_CHECKING:
    from rushes.queue import NewJob
    from rushes.queue.connection import Connection

MOST_ATTEMPTS = 32_767
"""As many as the database can count."""


def enqueue(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What to do, such as download.")],
    *,
    video: Annotated[str | None, typer.Option(metavar="VIDEO", help="A video's key, or an address.")] = None,
    payload: Annotated[str, typer.Option(metavar="JSON", help="An object for the stage.")] = "{}",
    priority: Annotated[int, typer.Option(metavar="0-10", callback=within(0, 10), help="Higher goes first.")] = 0,
    run_at: Annotated[
        datetime | None,
        typer.Option(metavar="TIME", parser=future, help="Not before: 2026-11-22T18:00, or 2h from now."),
    ] = None,
    dedup_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Add none if a job with this key waits or runs.")
    ] = None,
    max_attempts: Annotated[
        int, typer.Option(metavar="N", callback=within(1, MOST_ATTEMPTS), help="How often it may run.")
    ] = 3,
    timeout: Annotated[
        timedelta | None, typer.Option(metavar="TIME", parser=duration, help="How long a run may take.")
    ] = None,
    lane: Annotated[str | None, typer.Option(metavar="NAME", help="Whose limits it shares, such as a host.")] = None,
    workflow_run: Annotated[
        str | None, typer.Option(metavar="ID", help="The run of a GitHub workflow that it belongs to.")
    ] = None,
    modules: Modules = None,
    as_json: JsonFlag = False,
) -> None:
    """Put a job into the queue, and say its number.

    Examples:
      rushes queue enqueue download --video https://example.org/talk.mp4 --priority 10
      rushes queue enqueue scrape --video https://example.org/feed.xml --dedup-key feed --run-at 2h
    """
    from rushes.model import Retries
    from rushes.queue import NewJob

    import_modules(modules or [])
    job = NewJob(
        kind=kind, priority=priority, payload=_object(payload), video_id=video, lane=lane, timeout=timeout, run_at=run_at,
        retries=Retries(max_attempts=max_attempts), dedup_key=dedup_key, github_workflow_run_id=workflow_run,
    )  # fmt: skip
    number, new = run(_enqueue(job))
    if as_json:
        print_json({"job": number, "new": new})
    else:
        stdout().print(f"job {number}" + ("" if new else ": it lives already under this key"))


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--payload is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError(f"--payload {text}: wanted an object, such as {{}}")
    return value


async def _enqueue(job: NewJob) -> tuple[int, bool]:
    """Returns its number, and whether it is new."""
    from rushes.queue.enqueueing import enqueue
    from rushes.stages import registry

    if job.kind not in registry.names():
        here = ", ".join(sorted(registry.names()))
        stderr().print(
            f"[yellow]no stage here is called {safe(job.kind)}, it must be a worker's own[/]  [dim]({here})[/]"
        )
    async with database() as (_, opened), opened.pool.acquire() as connection:
        begun = await connection.fetchval("select clock_timestamp()")
        (number,) = await enqueue(connection, [job])
        await tell_workers(connection)
        made = await connection.fetchval("select created_at from rushes.jobs where id = $1", number)
    return number, made >= begun


async def tell_workers(connection: Connection) -> None:
    """Ring the doorbell: there may be work."""
    from rushes.queue.doorbell import CHANNEL

    await connection.execute("select pg_notify($1, '')", CHANNEL)
