"""What a run looks like in a terminal: an overall bar with the time left, and the items at work with stage and share.

Where there is no terminal, a plain line for each item that ends.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.batches.export.values import ExportedItem
from rushes.cli.output import safe
from rushes.model import ItemStatus
from rushes.runs import Observer

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.live import Live

    from rushes.batches.creating import Opened
    from rushes.batches.progress import Progress
    from rushes.model import Plan
    from rushes.runs import RunReport

MARKS = {
    ItemStatus.COMPLETED: "[green]✓[/]",
    ItemStatus.FAILED: "[red]✗[/]",
    ItemStatus.CANCELLED: "[yellow]–[/]",
    ItemStatus.SKIPPED: "[dim]·[/]",
}
SHOWN_AT_WORK = 8
SHOWN_LINES = 20
REFRESHES_PER_SECOND = 8


class Display(Observer):
    """Shows a run on the console of progress."""

    def __init__(self, console: Console, live: Live | None) -> None:
        self._console = console
        self._live = live
        self._total = 0
        self._troubled = False
        self._pace = Pace()

    def opened(self, opened: Opened, plan: Plan) -> None:
        lines = opened.report
        stages = " → ".join(step.stage for step in plan.steps)
        again = "going on with batch" if opened.joined else "batch"
        self._say(
            f"[bold]{again} {opened.id}[/]  {lines.valid} valid, {lines.duplicates} duplicate, {lines.invalid} invalid"
            f"  [dim]{stages}[/]"
        )
        if opened.joined:
            self._say(f"[dim]  {opened.added} new, {opened.retried} failed before and run again[/]")
        for invalid in lines.first_invalid[:SHOWN_LINES]:
            self._say(f"  [red]invalid[/]    {safe(invalid.origin)}: {safe(invalid.text)} — {safe(invalid.reason)}")
        for twice in lines.first_duplicates[:SHOWN_LINES]:
            self._say(f"  [yellow]duplicate[/]  {safe(twice.origin)}: {safe(twice.text)} — as {safe(twice.repeats)}")
        hidden = max(0, lines.invalid - SHOWN_LINES) + max(0, lines.duplicates - SHOWN_LINES)
        if hidden:
            self._say(f"  [dim]and {hidden} more; manifest.json lists all[/]")

    def looked(self, progress: Progress) -> None:
        self._total = progress.total
        self._pace.saw(progress)
        if self._live:
            self._live.update(render(progress, self._pace))

    def ended(self, item: ExportedItem, folder: Path | None) -> None:
        what = safe(item.title or item.given)
        took = f" [dim]{sum(item.durations.values()):.1f} s[/]" if item.durations else ""
        reused = f" [dim](used again: {', '.join(item.reused)})[/]" if item.reused else ""
        reason = f" — {safe(item.reason)}" if item.reason else ""
        place = f" [dim]{safe(folder.name)}[/]" if folder and item.status is ItemStatus.COMPLETED else ""
        number = f"{item.position}/{self._total}" if self._total >= item.position else str(item.position)
        self._say(f"{MARKS.get(item.status, ' ')} {number}  {what}{reason}{took}{reused}{place}")

    def trouble(self, error: Exception | None) -> None:
        if error is not None and not self._troubled:
            self._say(f"[yellow]the database cannot be reached, waiting: {safe(str(error))}[/]")
        if error is None and self._troubled:
            self._say("[green]the database is back[/]")
        self._troubled = error is not None

    def finish(self, report: RunReport) -> None:
        """The last words: what became of it, what to do, where to look."""
        self._clear()
        progress = report.progress
        parts = [f"{progress.completed} completed", f"{progress.failed} failed"]
        parts += [f"{progress.cancelled} cancelled"] if progress.cancelled else []
        parts += [f"{progress.skipped} skipped"] if progress.skipped else []
        rate = report.worker.success_rate
        self._say(
            f"[bold]{progress.status}[/]: {', '.join(parts)} of {progress.total}"
            f"  [dim]{report.worker.processed} stages run"
            + (f", {rate:.0f} % of them well" if rate is not None else "")
            + f", {report.worker.runtime.total_seconds():.1f} s, {report.worker.exit_reason}[/]"
        )
        if progress.pause_reason:
            self._say(f"[yellow]paused:[/] {safe(progress.pause_reason)}")
            self._say(f"  {safe(progress.pause_remedy or '')}")
        if report.interrupted:
            self._say("interrupted: the same command goes on where it stopped")
        self._say(f"results: {safe(str(report.out / 'index.html'))}")

    def _say(self, text: str) -> None:
        self._console.print(text)

    def _clear(self) -> None:
        if self._live:
            from rich.text import Text

            self._live.update(Text(""), refresh=True)
            self._live.stop()
            self._live = None


class Pace:
    """How fast a run goes, from when it began to be watched."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._rate = 0.0

    def saw(self, progress: Progress) -> None:
        now = time.monotonic()
        self._first = self._first or (now, progress.done)
        began, done = self._first
        if now > began:
            self._rate = (progress.done - done) / (now - began)

    def seconds_left(self, progress: Progress) -> float | None:
        """None as long as nothing has been seen to move."""
        return (progress.total - progress.done) / self._rate if self._rate > 0 else None


@contextlib.contextmanager
def observing(*, quiet: bool) -> Iterator[Display]:
    """A display that fits where stderr goes."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False, quiet=quiet)
    if quiet or not console.is_terminal:
        console.soft_wrap = True
        yield Display(console, None)
        return
    with Live(console=console, refresh_per_second=REFRESHES_PER_SECOND, transient=True) as live:
        yield Display(console, live)


def render(progress: Progress, pace: Pace) -> Group:
    """The live part: overall bar, what waits, and what is at work."""
    from rich.console import Group
    from rich.text import Text

    rows: list[RenderableType] = [_overall(progress, pace)]
    rows += [Text.from_markup(f"[yellow]  waiting: {safe(reason)}[/]") for reason in progress.resting]
    rows.append(_at_work(progress))
    more = len(progress.at_work) - SHOWN_AT_WORK
    if more > 0:
        rows.append(Text(f"  and {more} more at work", style="dim"))
    return Group(*rows)


def _overall(progress: Progress, pace: Pace) -> RenderableType:
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    left = pace.seconds_left(progress)
    table = Table.grid(padding=(0, 1))
    table.add_row(
        ProgressBar(total=max(1, progress.total), completed=progress.done, width=40),
        Text(f"{progress.ended}/{progress.total}", style="bold"),
        Text(f"{progress.failed} failed", style="red") if progress.failed else "",
        Text(f"{progress.retrying} waiting to retry", style="yellow") if progress.retrying else "",
        Text(f"about {_clock(left)} left" if left is not None else "", style="dim"),
    )
    return table


def _at_work(progress: Progress) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(width=4, justify="right", style="dim")
    table.add_column(width=11, style="cyan")
    table.add_column(width=5, justify="right")
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column(style="dim", no_wrap=True, overflow="ellipsis")
    for one in progress.at_work[:SHOWN_AT_WORK]:
        share = "" if one.fraction is None else f"{one.fraction:.0%}"
        table.add_row(str(one.position), one.stage, share, Text(one.title), Text(one.note or ""))
    return table


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
