"""`rushes worker`: work at whatever is queued, for ever or within bounds."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.arguments import (
    CENTURY,
    LARGEST,
    Concurrency,
    Modules,
    chosen,
    database,
    import_modules,
    parse_concurrency,
    within,
)
from rushes.cli.output import JsonFlag, print_json, safe, stderr
from rushes.cli.output import run as run_coroutine

if TYPE_CHECKING:
    from rushes.worker import Report

SOURCES = ("queue",)


def worker(
    *,
    source: Annotated[str, typer.Option(metavar="NAME", help=f"Where jobs come from: {', '.join(SOURCES)}.")] = "queue",
    kinds: Annotated[str, typer.Option(metavar="KIND,...", help="Only these kinds; by default all there are.")] = "",
    concurrency: Concurrency = "",
    max_runtime: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", callback=within(0, CENTURY), help="Claim no more after this time."),
    ] = None,
    empty_timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", callback=within(0, CENTURY), help="End after finding nothing for this time."),
    ] = None,
    max_jobs: Annotated[
        int | None, typer.Option(metavar="N", callback=within(1, LARGEST), help="End after so many jobs.")
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", callback=within(0, CENTURY), help="What running work gets after SIGTERM."),
    ] = None,
    modules: Modules = None,
    as_json: JsonFlag = False,
) -> None:
    """Work at whatever is queued. With bounds it is a job of Cloud Run or Kubernetes; without, a service.

    Exits 0 when it ended as it should, also if items failed: they are recorded.

    Examples:
      rushes worker --concurrency download=8,transcribe=1
      rushes worker --max-runtime 3300 --empty-timeout 60
    """
    chosen("--source", source, SOURCES)
    given = {"max_runtime": max_runtime, "empty_timeout": empty_timeout, "max_jobs": max_jobs, "grace": grace}
    overrides = {name: value for name, value in given.items() if value is not None}
    report = run_coroutine(_work(kinds, parse_concurrency(concurrency), modules or [], overrides))
    if as_json:
        print_json(report.as_json())
    else:
        _print(report)


async def _work(kinds: str, concurrency: dict[str, int], modules: list[str], overrides: dict[str, float]) -> Report:
    from rushes.queue import Queue
    from rushes.queue.retention import Ages
    from rushes.sources.postgres import QueueSource
    from rushes.worker import Bounds, Worker, slots_of, stopping_on_signals

    import_modules(modules)
    _collect_garbage_less_often()
    async with database(**overrides) as (settings, opened):
        queue = Queue(opened.pool, lease=settings.lease, ages=Ages.of(settings))
        runner = Worker(
            settings,
            QueueSource(opened.pool, queue),
            slots=slots_of(_kinds(kinds), concurrency),
            bounds=Bounds(settings.max_runtime, settings.empty_timeout, settings.max_jobs),
            trouble=_Trouble(),
        )
        with stopping_on_signals(runner):
            return await runner.run()


def _collect_garbage_less_often() -> None:
    """Jobs come and go by the thousand and leave hardly a cycle: looking for them took a fifth of a short job's time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _kinds(text: str) -> list[str]:
    from rushes.stages import registry

    wanted = [kind.strip() for kind in text.split(",") if kind.strip()] or list(registry.names())
    for kind in wanted:
        registry.get(kind)
    return wanted


class _Trouble:
    """Says once that the database is away, and once that it is back."""

    def __init__(self) -> None:
        self._away = False

    def __call__(self, error: Exception | None) -> None:
        if error is not None and not self._away:
            stderr().print(f"[yellow]the database cannot be reached, waiting: {safe(str(error))}[/]")
        if error is None and self._away:
            stderr().print("[green]the database is back[/]")
        self._away = error is not None


def _print(report: Report) -> None:
    rate = "–" if report.success_rate is None else f"{report.success_rate:.0f} %"
    stderr().print(
        f"[bold]{report.exit_reason}[/]: {report.processed} processed, {report.failed} failed, "
        f"success {rate}, {report.runtime.total_seconds():.1f} s"
        f"  [dim]{report.released} given back, {report.stale} refused as stale[/]"
    )
