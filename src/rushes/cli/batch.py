"""`rushes batch`: look at batches, follow them, take their results out, and steer them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli.arguments import BatchNumber, Limit, chosen, database, path
from rushes.cli.output import Exit, JsonFlag, counted, json_line, print_json, run, safe, stdout
from rushes.cli.selection import Priority, Top, chosen_priority
from rushes.cli.shell import group
from rushes.errors import ErrorClass, UsageError
from rushes.model import BatchId, BatchStatus, ItemStatus

if TYPE_CHECKING:
    from rushes.batches.export.formats import Format
    from rushes.batches.export.values import ExportedItem
    from rushes.batches.progress import Progress

app = group("Batches: look, follow, take results out, steer.")

STYLES = {"completed": "green", "failed": "red", "paused": "yellow", "cancelled": "yellow", "processing": "cyan"}


@app.command("list")
def list_command(*, limit: Limit = 20, as_json: JsonFlag = False) -> None:
    """List batches, newest first.

    Example: rushes batch list --limit 5
    """
    rows = run(_list(limit))
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for column in ("", "name", "pipeline", "status", "done", "failed", "of", "made"):
        right = column in ("", "done", "failed", "of")
        table.add_column(column, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    for row in rows:
        status = f"[{STYLES.get(row['status'], 'default')}]{row['status']}[/]"
        made = row["created_at"].astimezone().strftime("%Y-%m-%d %H:%M")
        counts = (str(row["completed"]), str(row["failed"]), str(row["total"]))
        table.add_row(str(row["id"]), safe(row["name"]), row["pipeline"], status, *counts, made)
    stdout().print(table if rows else "no batches yet: `rushes run` makes one")


async def _list(limit: int) -> list[dict[str, Any]]:
    from rushes.batches.progress import list_batches

    async with database() as (_, opened):
        return [dict(row) for row in await list_batches(opened.pool, limit=limit)]


@app.command()
def show(
    batch: BatchNumber,
    *,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="Only items of this status.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a batch and its items.

    Example: rushes batch show 3 --status failed
    """
    wanted = chosen("--status", status, ItemStatus)
    progress, items = run(_show(BatchId(batch), wanted))
    if as_json:
        print_json({**_shown(progress), "items": [_item(item) for item in items]})
        return
    console = stdout()
    console.print(_headline(progress))
    for item in items:
        style = STYLES.get(item.status, "default")
        reason = f" — {safe(item.reason)}" if item.reason else ""
        console.print(f"{item.position:5}  [{style}]{item.status:10}[/]  {safe(item.title or item.given)}{reason}")
        if item.remedy:
            console.print(f"{'':19}[dim]{safe(item.remedy)}[/]")


async def _show(batch: BatchId, status: str | None) -> tuple[Progress, list[ExportedItem]]:
    from rushes.batches.export.query import read_items
    from rushes.batches.progress import read_progress
    from rushes.storage import LocalStorage

    async with database() as (settings, opened):
        progress = await read_progress(opened.pool, batch)
        found = read_items(opened.pool, LocalStorage(settings.artifacts), batch)
        return progress, [item async for item in found if status in (None, item.status)]


@app.command()
def watch(batch: BatchNumber, *, as_json: JsonFlag = False) -> None:
    """Follow a batch until it ends or pauses. With --json, a line for each change.

    Example: rushes batch watch 3
    """
    progress = run(_watch(BatchId(batch), as_json=as_json))
    if not as_json:
        stdout().print(_headline(progress))
    raise typer.Exit(Exit.OK if progress.over and not progress.failed else Exit.SOME_FAILED)


async def _watch(batch: BatchId, *, as_json: bool) -> Progress:
    from rushes.batches.progress import read_progress
    from rushes.cli.display import observing

    last: Progress | None = None
    async with database() as (_, opened):
        with observing(quiet=as_json) as display:
            while True:
                progress = await read_progress(opened.pool, batch)
                display.looked(progress)
                if as_json and progress != last:
                    typer.echo(json_line(_shown(progress)))
                if progress.over or progress.status is BatchStatus.PAUSED:
                    return progress
                last = progress
                await asyncio.sleep(1)


@app.command()
def export(
    batch: BatchNumber,
    *,
    form: Annotated[
        str,
        typer.Option("--format", "-f", metavar="FORMAT", help="zip, md, html, pdf, json, jsonl, csv, txt, srt or vtt."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", parser=path, help="A new file, or - for stdout.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Take a batch's results out of the database, at any time, also while it runs.

    Example: rushes batch export 3 --format pdf --out talks.pdf
    """
    from rushes.batches.export.formats import Format

    chosen("--format", form, Format)
    target = run(_export(BatchId(batch), Format(form), out))
    if as_json and target:
        print_json({"batch": batch, "format": form, "file": target.absolute(), "bytes": target.stat().st_size})
    elif target:
        stdout().print(safe(str(target)))


async def _export(batch: BatchId, form: Format, out: Path | None) -> Path | None:
    """Write to `out`, by default a file named for the batch. Returns the file; None: it went to stdout."""
    from rushes.batches.export.formats import file_name, write_export
    from rushes.batches.export.query import read_batch, read_items
    from rushes.storage import LocalStorage

    async with database() as (settings, opened):
        facts = await read_batch(opened.pool, batch)
        items = read_items(opened.pool, LocalStorage(settings.artifacts), batch)
        if str(out) == "-":
            await write_export(form, facts, items, sys.stdout.buffer)
            return None
        target = out or Path(file_name(form, facts))
        if target.is_dir() or not target.parent.is_dir():
            wrong = target if target.is_dir() else target.parent
            raise UsageError(f"--out {target}: {wrong} is {'a' if target.is_dir() else 'no'} folder")
        partial = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with partial.open("wb") as file:
                await write_export(form, facts, items, file)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    return target


@app.command()
def retry(
    batch: BatchNumber,
    *,
    error_class: Annotated[
        list[str] | None, typer.Option("--class", metavar="CLASS", help="Only failures of this class.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Run failed items again, from the stage that failed. A worker, or the same `rushes run`, does the work.

    Example: rushes batch retry 3 --class transient
    """
    for one in error_class or ():
        chosen("--class", one, ErrorClass)
    count = run(_retry(BatchId(batch), error_class))
    if as_json:
        print_json({"batch": batch, "retried": count})
    else:
        stdout().print(f"batch {batch}: {counted(count, 'item')} to run again")


async def _retry(batch: BatchId, classes: list[str] | None) -> int:
    from rushes.queue import control

    async with database() as (_, opened), opened.pool.acquire() as connection:
        await _exists(connection, batch)
        return await control.retry_items(connection, batch, classes)


@app.command()
def cancel(batch: BatchNumber, *, as_json: JsonFlag = False) -> None:
    """Cancel a batch, at once and for good. What is finished stays.

    Example: rushes batch cancel 3
    """
    run(_control(BatchId(batch), "cancel_batch", "it had ended already"))
    _say(batch, "cancelled", as_json=as_json)


@app.command()
def pause(batch: BatchNumber, *, as_json: JsonFlag = False) -> None:
    """Pause a batch: what runs ends, nothing new starts.

    Example: rushes batch pause 3
    """
    run(_control(BatchId(batch), "pause_batch", "it had ended already"))
    _say(batch, "paused", as_json=as_json)


@app.command()
def resume(batch: BatchNumber, *, as_json: JsonFlag = False) -> None:
    """Let a paused batch go on.

    Example: rushes batch resume 3
    """
    run(_control(BatchId(batch), "resume_batch", "it was not paused"))
    _say(batch, "resumed", as_json=as_json)


@app.command()
def prioritize(batch: BatchNumber, *, priority: Priority = None, top: Top = False, as_json: JsonFlag = False) -> None:
    """Give a batch, and all of its jobs that have not ended, another priority.

    Example: rushes batch prioritize 3 --top
    """
    level = chosen_priority(priority, top=top)
    run(_control(BatchId(batch), "prioritize_batch", "it had ended already", level))
    if as_json:
        print_json({"batch": batch, "priority": level})
    else:
        stdout().print(f"batch {batch}: priority {level}")


async def _control(batch: BatchId, verb: str, refused: str, *arguments: object) -> None:
    from rushes.queue import control

    async with database() as (_, opened), opened.pool.acquire() as connection:
        await _exists(connection, batch)
        if not await getattr(control, verb)(connection, batch, *arguments):
            raise UsageError(f"batch {batch}: {refused}")


async def _exists(connection: Any, batch: BatchId) -> None:
    if not await connection.fetchval("select true from rushes.batches where id = $1", batch):
        raise UsageError(f"there is no batch {batch}", remedy="`rushes batch list` shows those there are")


def _say(batch: int, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"batch": batch, done: True})
    else:
        stdout().print(f"batch {batch}: {done}")


def _headline(progress: Progress) -> str:
    from rushes.cli.display import paused

    style = STYLES.get(progress.status, "default")
    line = (
        f"[bold]batch {progress.id}[/] {safe(progress.name)}  {progress.pipeline}  [{style}]{progress.status}[/]  "
        f"{progress.completed} completed, {progress.failed} failed, {progress.cancelled} cancelled, "
        f"{progress.skipped} skipped of {progress.total}  ({progress.percentage:.0f} %)"
    )
    return "\n".join((line, *paused(progress)))


def _shown(progress: Progress) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(progress), "percentage": progress.percentage}


def _item(item: ExportedItem) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(item), "documents": {name: str(path) for name, path in asdict(item.documents).items() if path}}
