"""`rushes demo`: the main job on a channel that this machine makes itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.arguments import path
from rushes.cli.output import Exit, JsonFlag, print_json, run, safe, stderr, stdout
from rushes.clock import clock
from rushes.errors import UsageError
from rushes.model import ItemStatus

if TYPE_CHECKING:
    from rich.console import JustifyMethod

    from rushes.batches.export.values import ExportedItem
    from rushes.demo import Channel
    from rushes.runs import RunReport


def demo(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", parser=path, help="Where results go.")] = Path(
        "rushes-demo"
    ),
    fresh: Annotated[bool, typer.Option("--fresh", help="Use no results of earlier runs.")] = False,
    pubsub: Annotated[
        bool, typer.Option("--pubsub", help="Instead: a dozen messages, on a Pub/Sub that this machine plays.")
    ] = False,
    bigquery: Annotated[
        bool, typer.Option("--bigquery", help="Instead: a table of talks, on a BigQuery that this machine plays.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Record five short talks on this machine, serve them on loopback, and run the main job on their feed.

    Nothing leaves the machine and nothing is pretended: speech is spoken, heard and summed up by the engines that a run
    uses. One talk has captions; one file is broken, and fails with its reason. Exits 0 if that is what came out.

    Example: rushes demo --out /tmp/demo
    """
    if pubsub and bigquery:
        raise UsageError("--pubsub and --bigquery are demos of their own: one at a time")
    if pubsub:
        from rushes.cli.demo_pubsub import show

        raise typer.Exit(show(as_json=as_json))
    if bigquery:
        from rushes.cli.demo_bigquery import show

        raise typer.Exit(show(as_json=as_json))
    report, items, as_expected = run(_demo(out, fresh=fresh, quiet=as_json))
    if as_json:
        print_json({"items": [_row(item) for item in items], "out": out.absolute(), "as_expected": as_expected})
    else:
        _show(report, items)
    if report.interrupted:
        raise typer.Exit(Exit.INTERRUPTED)
    raise typer.Exit(Exit.OK if as_expected else Exit.ERROR)


async def _demo(out: Path, *, fresh: bool, quiet: bool) -> tuple[RunReport, list[ExportedItem], bool]:
    from rushes.batches.export.query import read_items
    from rushes.cli.arguments import database
    from rushes.cli.display import observing
    from rushes.demo import demo_channel
    from rushes.runs import Request
    from rushes.runs import run as run_batch
    from rushes.settings import Settings, make_home
    from rushes.storage import LocalStorage

    settings = Settings.load()
    say = stderr()
    say.quiet = quiet
    make_home(settings.home)
    folder = settings.home / "demo-channel"
    async with demo_channel(settings, folder, tell=lambda talk: say.print(f"recorded: {safe(talk.title)}")) as channel:
        say.print(f"a channel of {len(channel.talks)} talks at {channel.index_url}")
        if not channel.usual_address:
            say.print("[dim]its usual port is taken, so nothing that an earlier demo made is found again[/]")
        async with database() as (_, opened):
            request = Request(inputs=[channel.feed_url], out=out, name="demo", reuse=not fresh)
            with observing(quiet=quiet) as observer:
                report = await run_batch(settings, opened, request, observer)
                observer.finish(report)
            storage = LocalStorage(settings.artifacts)
            items = [item async for item in read_items(opened.pool, storage, report.opened.id)]
        return report, items, _as_expected(channel, items)


def _as_expected(channel: Channel, items: list[ExportedItem]) -> bool:
    """Every talk completed but the one whose file is broken, which failed for good."""
    failed = [item.title for item in items if item.status is ItemStatus.FAILED and item.error_class == "permanent"]
    broken = [each.talk.title for each in channel.talks if each.talk.broken_off]
    completed = sum(item.status is ItemStatus.COMPLETED for item in items)
    return failed == broken and completed == len(channel.talks) - len(broken)


def _row(item: ExportedItem) -> dict[str, object]:
    return {
        "position": item.position, "title": item.title, "status": item.status, "reason": item.reason,
        "engines": dict(item.engines), "durations": dict(item.durations), "reused": list(item.reused),
    }  # fmt: skip


def _show(report: RunReport, items: list[ExportedItem]) -> None:
    from rich.table import Table

    table = Table(title="What became of the channel", title_justify="left", title_style="bold", box=None)
    widths = {"": 1, "talk": None, "status": 9, "words from": 10, "chapters": 8, "length": 6, "work": 10}
    for column, width in widths.items():
        right = column in ("", "chapters", "length", "work")
        justify: JustifyMethod = "right" if right else "left"
        table.add_column(column, justify=justify, no_wrap=True, min_width=width, header_style="dim")
    for item in items:
        table.add_row(*_cells(item))
    console = stdout()
    console.print()
    console.print(table)
    for item in items:
        if item.reason:
            console.print(f"{item.position} failed: [red]{safe(item.reason)}[/]")
    console.print(f"\nRead them:    [bold]{safe(str(report.out.absolute() / 'index.html'))}[/]")
    console.print('Search them:  [bold]rushes search "lease"[/]')
    console.print(f"Take out:     [bold]rushes batch export {report.opened.id} --format pdf[/]")
    console.print("Your own:     [bold]rushes run talk.mp4 https://… list.csv[/]")


def _cells(item: ExportedItem) -> tuple[str, ...]:
    documents = item.documents.load()
    words = documents.transcript.source.replace("_", " ") if documents.transcript else ""
    chapters = str(len(documents.summary.chapters)) if documents.summary else ""
    length = clock(round(item.video_duration)) if item.video_duration else ""
    work = "used again" if item.reused else f"{sum(item.durations.values()):.1f} s" if item.durations else ""
    status = "[green]completed[/]" if item.status is ItemStatus.COMPLETED else f"[red]{item.status}[/]"
    return (str(item.position), safe(item.title or item.given), status, words, chapters, length, work)
