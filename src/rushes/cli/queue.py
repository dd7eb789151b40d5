"""`rushes queue`: look at jobs and steer them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli.arguments import CENTURY, LARGEST, Limit, chosen, database, within
from rushes.cli.output import JsonFlag, counted, print_json, run, safe, stdout
from rushes.cli.shell import group
from rushes.errors import ErrorClass, UsageError
from rushes.model import BatchId, Job, JobId, JobStatus

if TYPE_CHECKING:
    from rushes.queue.reading import Filter

app = group("The queue: look at jobs and steer them.")

JobNumbers = Annotated[list[int], typer.Argument(metavar="JOB", callback=within(1, LARGEST), help="Their numbers.")]
Kind = Annotated[str | None, typer.Option(metavar="NAME", help="Only this kind of jobs, such as download.")]


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

    async with database() as (_, opened), opened.pool.acquire() as connection:
        await _known(connection, kind)
        return await statistics(opened.pool, kind)


@app.command("list")
def list_command(
    *,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help=f"One of {', '.join(JobStatus)}.")] = None,
    kind: Kind = None,
    error_class: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help=f"One of {', '.join(ErrorClass)}.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(metavar="NUMBER", callback=within(1, LARGEST), help="Only this batch's jobs.")
    ] = None,
    older_than: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", callback=within(0, CENTURY), help="Only jobs made longer ago than this."),
    ] = None,
    limit: Limit = 50,
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


async def _list(wanted: Filter, limit: int) -> list[Job]:
    from rushes.queue.reading import list_jobs

    async with database() as (_, opened), opened.pool.acquire() as connection:
        await _known(connection, wanted.kind)
        return await list_jobs(opened.pool, wanted, limit=limit)


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
def retry(jobs: JobNumbers, *, as_json: JsonFlag = False) -> None:
    """Run failed or cancelled jobs again, also after their attempts are used up.

    Example: rushes queue retry 42 43
    """
    _steer("retry_jobs", jobs, "retried", "only what has failed or was cancelled can run again", as_json=as_json)


@app.command()
def cancel(jobs: JobNumbers, *, as_json: JsonFlag = False) -> None:
    """Cancel jobs that wait or run, and with them their items.

    Example: rushes queue cancel 42
    """
    _steer("cancel_jobs", jobs, "cancelled", "only what waits or runs can be cancelled", as_json=as_json)


def _steer(verb: str, jobs: list[int], done: str, rule: str, *, as_json: bool) -> None:
    count = run(_control(verb, [JobId(job) for job in dict.fromkeys(jobs)], rule))
    if as_json:
        print_json({"jobs": jobs, done: count})
        return
    stdout().print(f"{counted(count, 'job')} {done}" + ("" if count == len(set(jobs)) else f"; {rule}"))


async def _control(verb: str, jobs: list[JobId], rule: str) -> int:
    from rushes.queue import control

    async with database() as (_, opened), opened.pool.acquire() as connection:
        rows = await connection.fetch("select id from rushes.jobs where id = any($1::bigint[])", jobs)
        missing = sorted(set(jobs) - {row["id"] for row in rows})
        if missing:
            named = ", ".join(map(str, missing))
            raise UsageError(f"there is no job {named}", remedy="`rushes queue list` shows those there are")
        count = int(await getattr(control, verb)(connection, jobs))
        if not count:
            raise UsageError(f"nothing to do: {rule}")
    return count


@app.command()
def pause(*, kind: Kind = None, as_json: JsonFlag = False) -> None:
    """Pause the whole queue, or one kind of jobs: what runs ends, nothing new starts.

    Example: rushes queue pause --kind download
    """
    _say_paused(run(_pause("pause", kind)), as_json=as_json)


@app.command()
def resume(*, kind: Kind = None, as_json: JsonFlag = False) -> None:
    """Let the queue, or one kind of jobs, go on. Without a kind, whatever was paused goes on.

    Example: rushes queue resume
    """
    _say_paused(run(_pause("resume", kind)), as_json=as_json)


async def _pause(verb: str, kind: str | None) -> list[str]:
    """Pause or resume, and tell what is paused now. Resuming all takes back each pause."""
    from rushes.queue import control

    async with database() as (_, opened), opened.pool.acquire() as connection:
        if verb == "pause":
            await control.pause(connection, await _known(connection, kind) or control.WHOLE_QUEUE)
        else:
            for one in [kind] if kind else await control.paused_kinds(connection):
                await control.resume(connection, one)
        return await control.paused_kinds(connection)


def _say_paused(kinds: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"paused": kinds})
    else:
        named = "the whole queue" if "*" in kinds else ", ".join(kinds)
        stdout().print(f"paused: {safe(named)}" if kinds else "nothing is paused")


async def _known(connection: Any, kind: str | None) -> str | None:
    """The kind, if there is a stage or a job of it. Raises: UsageError."""
    from rushes.stages import registry

    found = "select exists (select from rushes.jobs where kind = $1)"
    if kind is not None and kind not in registry.names() and not await connection.fetchval(found, kind):
        registry.get(kind)
    return kind
