"""`rushes queue`: look at jobs and steer them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from rushes.cli.arguments import chosen, database
from rushes.cli.output import JsonFlag, print_json, run, safe, stdout
from rushes.errors import ErrorClass, UsageError
from rushes.model import BatchId, Job, JobId, JobStatus

app = typer.Typer(help="The queue: look at jobs and steer them.", no_args_is_help=True, add_completion=False)

JobNumbers = Annotated[list[int], typer.Argument(metavar="JOB...", help="Their numbers.")]
Kind = Annotated[str | None, typer.Option(help="Only this kind of jobs, such as download.")]


@app.command()
def stats(*, kind: Kind = None, as_json: JsonFlag = False) -> None:
    """The queue in numbers.

    Example: rushes queue stats --kind transcribe
    """
    numbers = run(_stats(kind))
    if as_json:
        print_json(numbers)
        return
    from rich.table import Table

    table = Table(box=None, show_header=False)
    for name, value in numbers.items():
        shown = ", ".join(value) or "no" if isinstance(value, list) else "–" if value is None else str(value)
        table.add_row(name.replace("_", " "), shown)
    stdout().print(table)


async def _stats(kind: str | None) -> dict[str, Any]:
    from rushes.queue.reading import statistics

    async with database() as (_, opened):
        return await statistics(opened.pool, kind)


@app.command("list")
def list_command(
    *,
    status: Annotated[str | None, typer.Option(help=f"One of {', '.join(JobStatus)}.")] = None,
    kind: Kind = None,
    error_class: Annotated[str | None, typer.Option("--class", help=f"One of {', '.join(ErrorClass)}.")] = None,
    batch: Annotated[int | None, typer.Option(help="Only this batch's jobs.")] = None,
    older_than: Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="Only jobs made before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: JsonFlag = False,
) -> None:
    """List jobs, newest first.

    Example: rushes queue list --status failed --class transient
    """
    from rushes.queue.reading import Filter

    age = None if older_than is None else timedelta(seconds=older_than)
    wanted = Filter(
        status=chosen("--status", status, JobStatus), kind=kind, error_class=chosen("--class", error_class, ErrorClass),
        batch=None if batch is None else BatchId(batch), older_than=age,
    )  # fmt: skip
    jobs = run(_list(wanted, limit))
    if as_json:
        print_json(jobs)
        return
    console = stdout()
    for job in jobs:
        reason = f" — {safe(job.error)}" if job.error else ""
        tries = f"{job.attempts}/{job.max_attempts}"
        console.print(
            f"{job.id:8}  {job.kind:11} {job.status:10} p{job.priority:<2} {tries:5} {safe(_what(job))}{reason}"
        )
    if not jobs:
        console.print("no such jobs")


async def _list(wanted: Any, limit: int) -> list[Job]:
    from rushes.queue.reading import list_jobs

    async with database() as (_, opened):
        return await list_jobs(opened.pool, wanted, limit=limit)


def _what(job: Job) -> str:
    return f"batch {job.batch_id} {job.video_id}" if job.batch_id else job.video_id or ""


@app.command()
def show(job: Annotated[int, typer.Argument(metavar="JOB", help="Its number.")], *, as_json: JsonFlag = False) -> None:
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
def retry(jobs: JobNumbers, *, as_json: JsonFlag = False) -> None:
    """Run failed or cancelled jobs again, also after their attempts are used up.

    Example: rushes queue retry 42 43
    """
    _say(as_json, run(_control("retry_jobs", [JobId(job) for job in jobs])), "to run again")


@app.command()
def cancel(jobs: JobNumbers, *, as_json: JsonFlag = False) -> None:
    """Cancel jobs that wait or run, and with them their items.

    Example: rushes queue cancel 42
    """
    _say(as_json, run(_control("cancel_jobs", [JobId(job) for job in jobs])), "cancelled")


@app.command()
def pause(*, kind: Kind = None, as_json: JsonFlag = False) -> None:
    """Pause the whole queue, or one kind of jobs: what runs ends, nothing new starts.

    Example: rushes queue pause --kind download
    """
    run(_control("pause", kind or "*"))
    _say(as_json, 0, f"paused: {kind or 'the whole queue'}")


@app.command()
def resume(*, kind: Kind = None, as_json: JsonFlag = False) -> None:
    """Let the queue, or one kind of jobs, go on.

    Example: rushes queue resume
    """
    run(_control("resume", kind or "*"))
    _say(as_json, 0, f"resumed: {kind or 'the whole queue'}")


async def _control(verb: str, what: Any) -> int:
    from rushes.queue import control

    async with database() as (_, opened), opened.pool.acquire() as connection:
        return int(await getattr(control, verb)(connection, what) or 0)


def _say(as_json: bool, count: int, what: str) -> None:  # noqa: FBT001  (a command's own flag)
    if as_json:
        print_json({"jobs": count, "done": what})
    else:
        stdout().print(safe(what) if ":" in what else f"{count} jobs {what}")
