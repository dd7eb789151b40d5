"""`rushes queue prune`: let go of what has ended and is old."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.arguments import chosen, database
from rushes.cli.output import JsonFlag, counted, print_json, run, stderr, stdout
from rushes.cli.selection import Yes, confirm, duration, known_kind, stepping

if TYPE_CHECKING:
    from rushes.queue.connection import Connection
    from rushes.queue.retention import Ages, Pruned

MONTH = timedelta(days=30)


def prune(
    *,
    status: Annotated[
        str, typer.Option(metavar="STATUS,...", help="Of what has ended, only this.")
    ] = "completed,failed,cancelled",
    older_than: Annotated[
        timedelta | None,
        typer.Option(metavar="TIME", parser=duration, help="Ended longer ago than this. Default: `30d`."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this kind of jobs, and no batches: theirs are of many kinds."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove old jobs without a batch, and old batches with all their items and jobs. Results stay.

    A batch goes when it has ended, is old enough, and all its items ended in one of the statuses. Files, videos and
    the index of what was said stay and are used again; statistics go on counting what went. It is done in small
    steps: interrupted, the same command goes on.

    Examples:
      rushes queue prune --older-than 90d --dry-run
      rushes queue prune --status completed,cancelled --older-than 2w --yes
    """
    ages = _ages(status, MONTH if older_than is None else older_than)
    gone = run(_prune(ages, kind, dry_run=dry_run, yes=yes))
    if as_json:
        print_json({"dry_run": dry_run, "jobs": gone.jobs, **asdict(gone)})
    else:
        stdout().print(_words(gone) + (" would go" if dry_run else " removed"))


def _ages(statuses: str, age: timedelta) -> Ages:
    from rushes.queue.retention import ENDED, Ages

    named = [status.strip() for status in statuses.split(",") if status.strip()]
    for status in named or [statuses]:
        chosen("--status", status, ENDED)
    return Ages(**dict.fromkeys(named, age))


def _words(gone: Pruned) -> str:
    """Such as `12 jobs (10 completed, 2 failed), 1 batch (40 items)`."""
    parts = [
        f"{count:,} {status}" for status in ("completed", "failed", "cancelled") if (count := getattr(gone, status))
    ]
    jobs = counted(gone.jobs, "job") + (f" ({', '.join(parts)})" if parts else "")
    return f"{jobs}, {counted(gone.batches, 'batch')}" + (f" ({counted(gone.items, 'item')})" if gone.items else "")


async def _prune(ages: Ages, kind: str | None, *, dry_run: bool, yes: bool) -> Pruned:
    from rushes.queue.retention import Pruned, count_old

    async with database() as (_, opened), opened.pool.acquire() as connection:
        await known_kind(connection, kind)
        old = await count_old(connection, ages, kind)
        if dry_run or old == Pruned():
            return old
        confirm(f"{_words(old)} would be removed for good", yes=yes)
        return await _remove(connection, ages, kind, old)


async def _remove(connection: Connection, ages: Ages, kind: str | None, old: Pruned) -> Pruned:
    from rushes.queue.retention import Pruned, prune

    gone = Pruned()
    with stepping(old.jobs + old.items, "removed") as advance:
        try:
            async for step in prune(connection, ages, kind):
                gone += step
                advance(step.jobs + step.items)
        except asyncio.CancelledError:
            stderr().print(f"interrupted: {_words(gone)} removed; the same command goes on")
            raise
    return gone
