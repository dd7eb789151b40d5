"""`rushes worker`: work at whatever is queued, for ever or within bounds."""

from __future__ import annotations

import gc
import importlib
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

import rushes.forks  # noqa: F401  (before gRPC, which a module of the user's may import)
from rushes.cli.arguments import (
    LARGEST,
    Concurrency,
    Modules,
    Set,
    chosen,
    import_modules,
    parse_concurrency,
    within,
)
from rushes.cli.asked import Asked
from rushes.cli.logs import logged
from rushes.cli.output import Exit, JsonFlag, print_json
from rushes.cli.output import run as run_coroutine
from rushes.cli.selection import duration
from rushes.cli.worker_log import WorkerLog
from rushes.errors import UsageError
from rushes.pipelines import PIPELINES

if TYPE_CHECKING:
    from rushes.worker import Report

SOURCES = {
    "queue": "rushes.cli.from_queue",
    "bigquery": "rushes.cli.from_bigquery",
    "pubsub": "rushes.cli.from_pubsub",
}
"""Where jobs may come from, and the module that opens it."""


def worker(
    *,
    source: Annotated[str, typer.Option(metavar="NAME", help=f"Where jobs come from: {', '.join(SOURCES)}.")] = "queue",
    kinds: Annotated[str, typer.Option(metavar="KIND,...", help="Only these kinds; by default all there are.")] = "",
    pipeline: Annotated[
        str | None,
        typer.Option(
            "--pipeline", "-p", metavar="NAME", help=f"What a cloud source's items go through: {', '.join(PIPELINES)}."
        ),
    ] = None,
    options: Set = None,
    into_queue: Annotated[
        bool, typer.Option("--into-queue", help="Messages of `pubsub` become items of the queue; nothing is run here.")
    ] = False,
    concurrency: Concurrency = "",
    max_runtime: Annotated[
        timedelta | None,
        typer.Option(metavar="TIME", parser=duration, help="Claim no more after this time, such as 55m."),
    ] = None,
    empty_timeout: Annotated[
        timedelta | None, typer.Option(metavar="TIME", parser=duration, help="End after finding nothing for this time.")
    ] = None,
    max_jobs: Annotated[
        int | None, typer.Option(metavar="N", callback=within(1, LARGEST), help="End after so many jobs.")
    ] = None,
    grace: Annotated[
        timedelta | None, typer.Option(metavar="TIME", parser=duration, help="What running work gets after SIGTERM.")
    ] = None,
    modules: Modules = None,
    as_json: JsonFlag = False,
) -> None:
    """Work at whatever is queued. With bounds it is a job of Cloud Run or Kubernetes; without, a service.

    Exits 0 when it ended as it should, also if items failed: they are recorded.

    Examples:
      rushes worker --concurrency download=8,transcribe=1
      rushes worker --max-runtime 3300 --empty-timeout 60
      rushes worker --source bigquery --concurrency 200
    """
    chosen("--source", source, SOURCES)
    if into_queue and source != "pubsub":
        raise UsageError(f"--into-queue is for messages: --source pubsub, not {source}")
    given = {"max_runtime": max_runtime, "empty_timeout": empty_timeout, "max_jobs": max_jobs, "grace": grace}
    overrides = {name: value for name, value in given.items() if value is not None}
    said = WorkerLog(source)
    with logged(source, overrides, quiet=as_json):
        import_modules(modules or [])
        asked = Asked(kinds, parse_concurrency(concurrency), pipeline, options or (), overrides, into_queue)
        report = run_coroutine(_work(source, asked, said))
        said.ended(report)
    if as_json:
        print_json(report.as_json())
    # What waits for somebody did not end as it should: whoever started it should look.
    raise typer.Exit(Exit.SOME_FAILED if report.exit_reason == "paused" else Exit.OK)


async def _work(source: str, asked: Asked, said: WorkerLog) -> Report:
    from rushes.worker import Worker, stopping_on_signals
    from rushes.worker.health import answering_probes

    _collect_garbage_less_often()
    async with importlib.import_module(SOURCES[source]).opened(asked) as opening:
        runner = Worker(
            opening.settings, opening.source, slots=opening.slots, bounds=opening.bounds,
            trouble=said.trouble, told=said.told,
        )  # fmt: skip
        said.started(opening)
        with stopping_on_signals(runner):
            probes = answering_probes(opening.settings.health_port, lambda: runner.unready)
            async with said.following(runner), probes:
                report: Report = await runner.run()
    return report


def _collect_garbage_less_often() -> None:
    """Jobs come and go by the thousand and leave hardly a cycle: looking for them took a fifth of a short job's time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
