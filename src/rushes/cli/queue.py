"""`rushes queue`: look at jobs. What changes them stands in the modules beside this one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli import queue_enqueue, queue_limits, queue_pruning, queue_steering, queue_workflow
from rushes.cli.arguments import LARGEST, Limit, chosen, database, within
from rushes.cli.output import JsonFlag, counted, print_json, run, safe, stderr, stdout
from rushes.cli.selection import ErrorClassName, Kind, duration, filtering, known_kind
from rushes.cli.shell import group
from rushes.errors import ErrorClass, UsageError
from rushes.model import Job, JobId

if TYPE_CHECKING:
    from rushes.queue.dead_letters import DeadLetters
    from rushes.queue.reading import Filter
app = group("The queue: look at jobs and steer them.")

Window = Annotated[
    timedelta | None,
    typer.Option(metavar="TIME", parser=duration, help="Only what ended in the last 24h, say. By default ever."),
]
ByKind = Annotated[bool, typer.Option("--by-kind", help="Each kind of jobs, too.")]
COLUMNS = {
    "queued": "queued", "processing": "running", "retrying": "retrying", "completed": "completed", "failed": "failed",
    "cancelled": "cancelled", "success_rate": "success", "wait_p50": "wait p50", "wait_p95": "p95", "run_p50": "run p50",
    "run_p95": "p95", "throughput": "per s", "oldest_waiting": "oldest",
}  # fmt: skip
"""What is shown of each kind."""


@app.command()
def stats(*, kind: Kind = None, window: Window = None, by_kind: ByKind = False, as_json: JsonFlag = False) -> None:
    """The queue in numbers: what lives now, and what has ended. Times are seconds.

    Examples:
      rushes queue stats --kind transcribe
      rushes queue stats --window 24h --by-kind
    """
    numbers = run(_stats(kind, window, by_kind=by_kind))
    if as_json:
        print_json(numbers)
        return
    from rich.table import Table

    kinds = numbers.pop("by_kind", {})
    table = Table(box=None, show_header=False)
    for name, value in numbers.items():
        table.add_row(name.replace("_", " "), safe(_shown(value)))
    stdout().print(table)
    if kinds:
        stdout().print(_by_kind(kinds))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "no"
    return "–" if value is None else f"{value:,}"


def _by_kind(kinds: dict[str, dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("kind")
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right")
    for kind, numbers in kinds.items():
        table.add_row(safe(kind), *(_shown(numbers[name]) for name in COLUMNS))
    return table


async def _stats(kind: str | None, window: timedelta | None, *, by_kind: bool) -> dict[str, Any]:
    from rushes.queue.reading import statistics

    async with database() as (_, opened):
        async with opened.pool.acquire() as connection:
            await known_kind(connection, kind)
        return await statistics(opened.pool, kind, window, by_kind=by_kind)


@app.command("list")
@filtering
def list_command(
    *,
    wanted: Filter,
    before: Annotated[
        int | None, typer.Option(metavar="JOB", callback=within(1, LARGEST), help="Go on after this one.")
    ] = None,
    limit: Limit = 50,
    as_json: JsonFlag = False,
) -> None:
    """List jobs, newest first.

    Examples:
      rushes queue list --status failed --class transient
      rushes queue list --batch 3 --since 2h
    """
    jobs = run(_list(wanted, limit, None if before is None else JobId(before)))
    if as_json:
        print_json(jobs)
        return
    console = stdout()
    for job in jobs:
        reason = f" — {safe(job.error)}" if job.error else ""
        tries = f"{job.attempts}/{job.max_attempts}"
        console.print(
            f"{job.id:8}  {safe(job.kind):11} {job.status:10} p{job.priority:<2} {tries:5} {safe(_what(job))}{reason}"
        )
    if not jobs:
        console.print("no such jobs")
    elif len(jobs) == limit:
        stderr().print(f"[dim]there may be more: --before {jobs[-1].id}[/]")


async def _list(wanted: Filter, limit: int, before: JobId | None) -> list[Job]:
    from rushes.queue.reading import list_jobs

    async with database() as (_, opened):
        async with opened.pool.acquire() as connection:
            await known_kind(connection, wanted.kind)
        return await list_jobs(opened.pool, wanted, limit=limit, before=before)


def _what(job: Job) -> str:
    return f"batch {job.batch_id} {job.video_id}" if job.batch_id else job.video_id or ""


@app.command()
def show(
    job: Annotated[int, typer.Argument(metavar="JOB", callback=within(1, LARGEST), help="Its number.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Everything about one job.

    Example: rushes queue show 42
    """
    found = run(_show(JobId(job)))
    if as_json:
        print_json(found)
        return
    from rich.table import Table

    table = Table(box=None, show_header=False)
    for name, value in found.items():
        if value is not None:
            table.add_row(name.replace("_", " "), safe(str(value)))
    stdout().print(table)


async def _show(job: JobId) -> dict[str, Any]:
    from rushes.queue.reading import show_job

    async with database() as (_, opened):
        found = await show_job(opened.pool, job)
    if found is None:
        raise UsageError(f"there is no job {job}", remedy="`rushes queue list` shows those there are")
    return found


@app.command()
def dead(*, kind: Kind = None, error_class: ErrorClassName = None, as_json: JsonFlag = False) -> None:
    """What failed for good, by class of error and kind.

    Example: rushes queue dead --kind download
    """
    groups = run(_dead(kind, chosen("--class", error_class, ErrorClass)))
    if as_json:
        print_json(groups)
        return
    console = stdout()
    for each in groups:
        console.print(
            f"[bold]{each.error_class}[/] in {safe(each.kind)}: {counted(each.jobs, 'job')}, "
            f"first {_time(each.first_seen)}, last {_time(each.last_seen)}"
        )
        console.print(f"  job {each.example}: {safe(each.message or '')}")
        console.print(
            f"  [dim]rushes queue retry --status failed --class {each.error_class} --kind {safe(each.kind)}[/]"
        )
    if not groups:
        console.print("nothing has failed for good")


async def _dead(kind: str | None, error_class: str | None) -> list[DeadLetters]:
    from rushes.queue.dead_letters import dead_letters

    async with database() as (_, opened):
        async with opened.pool.acquire() as connection:
            await known_kind(connection, kind)
        return await dead_letters(opened.pool, kind=kind, error_class=error_class)


def _time(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


for command in (
    queue_enqueue.enqueue, queue_steering.pause, queue_steering.resume, queue_steering.retry, queue_steering.cancel,
    queue_steering.prioritize, queue_limits.limit, queue_pruning.prune, queue_workflow.workflow, queue_workflow.dispatch,
):  # fmt: skip
    app.command()(command)
