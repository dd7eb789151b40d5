"""What a run looks like in a terminal: an overall bar with the time left, and the items at work with stage and share.

Where there is no terminal, a plain line for each item that ends.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.batches.export.values import ExportedItem
from rushes.cli.output import counted, plain, safe
from rushes.clock import clock
from rushes.model import BatchStatus, ItemStatus
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
        self._stages: list[str] = []
        self._held: list[str] = []
        self._pace = Pace()

    def opened(self, opened: Opened, plan: Plan) -> None:
        lines = opened.report
        self._stages = [step.stage for step in plan.steps]
        stages = " → ".join(self._stages)
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
        if item.remedy:
            self._say(f"    [dim]{safe(item.remedy)}[/]")

    def trouble(self, error: Exception | None) -> None:
        if error is not None and not self._troubled:
            self._say(f"[yellow]the database cannot be reached, waiting: {safe(str(error))}[/]")
        if error is None and self._troubled:
            self._say("[green]the database is back[/]")
        self._troubled = error is not None

    def held(self, kinds: Sequence[str]) -> None:
        kinds = [kind for kind in kinds if kind == "*" or kind in self._stages]
        if kinds and kinds != self._held:
            what = "the queue" if "*" in kinds else ", ".join(kinds)
            self._say(f"[yellow]{safe(what)} is paused by hand: nothing new starts until[/] rushes queue resume")
        if self._held and not kinds:
            self._say("[green]the queue goes on[/]")
        self._held = kinds

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
        for line in paused(progress):
            self._say(line)
        if report.interrupted:
            self._say("interrupted: the same command goes on where it stopped")
        self._say(f"results: {safe(str(report.out / 'index.html'))}")

    def left_out(self, count: int) -> None:
        """Say that an earlier list wrote to the same folder."""
        if count:
            self._say(
                f"[yellow]{counted(count, 'item')} of an earlier list in this folder: no longer in its index; the folders "
                "stay.[/] Another --out keeps lists apart."
            )

    def _say(self, text: str) -> None:
        self._console.print(text)

    def _clear(self) -> None:
        if self._live:
            from rich.text import Text

            self._live.update(Text(""), refresh=True)
            self._live.stop()
            self._live = None


def paused(progress: Progress) -> Iterator[str]:
    """Why a batch is paused and what lets it go on, in lines; none where it is not."""
    if progress.status is BatchStatus.PAUSED:
        yield f"[yellow]paused:[/] {safe(progress.pause_reason or 'by hand')}"
        yield f"  {safe(progress.pause_remedy or f'`rushes batch resume {progress.id}`, or the same command again')}"


class Pace:
    """How fast a run goes, by what it did lately: a pause or a slow start long ago says nothing of what is to come."""

    WINDOW = 180.0
    """Seconds."""
    ENOUGH = 5.0
    """Seconds to watch before saying anything."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, float]] = deque()
        self._rate = 0.0

    def saw(self, progress: Progress) -> None:
        """Take in a look. What failed counts as no work done: it mostly fails at once."""
        now = self._clock()
        self._seen.append((now, progress.done - progress.failed - progress.cancelled))
        while now - self._seen[0][0] > self.WINDOW:
            self._seen.popleft()
        (began, before), (_, done) = self._seen[0], self._seen[-1]
        self._rate = (done - before) / (now - began) if now - began >= self.ENOUGH else 0.0

    def seconds_left(self, progress: Progress) -> float | None:
        """None as long as nothing has been seen to move."""
        return (progress.total - progress.done) / self._rate if self._rate > 0 else None


@contextlib.contextmanager
def observing(*, quiet: bool) -> Iterator[Display]:
    """A display that fits where stderr goes."""
    from rich.live import Live

    from rushes.cli.consoles import Words

    console = Words(stderr=True, highlight=False, quiet=quiet)
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
    rows += [Text.from_markup(f"[yellow]  waiting: {safe(reason)}[/]") for reason in progress.waiting]
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
    table.add_column(max_width=40, ratio=1)
    for _ in range(4):
        table.add_column(no_wrap=True)
    table.add_row(
        ProgressBar(total=max(1, progress.total), completed=progress.done),
        Text(f"{progress.ended}/{progress.total}", style="bold"),
        Text(f"{progress.failed} failed", style="red") if progress.failed else "",
        Text(f"{progress.retrying} to retry", style="yellow") if progress.retrying else "",
        Text(f"about {clock(round(left))} left" if left is not None else "", style="dim"),
    )
    return table


def _at_work(progress: Progress) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(min_width=4, justify="right", style="dim")
    table.add_column(min_width=10, no_wrap=True, style="cyan")
    table.add_column(min_width=4, justify="right")
    table.add_column(ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column(ratio=2, no_wrap=True, overflow="ellipsis", style="dim")
    for one in progress.at_work[:SHOWN_AT_WORK]:
        share = "" if one.fraction is None else f"{one.fraction:.0%}"
        table.add_row(str(one.position), one.stage, share, Text(plain(one.title)), Text(plain(one.note or "")))
    return table
