"""`rushes queue`: pause, and steer jobs that are named by number or chosen by a filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli import batch as batches
from rushes.cli.arguments import LARGEST, chosen, database, within
from rushes.cli.output import JsonFlag, counted, print_json, run, safe, stdout
from rushes.cli.queue_enqueue import tell_workers
from rushes.cli.selection import (
    BatchOption,
    Kind,
    Priority,
    Top,
    Yes,
    chosen_priority,
    confirm,
    filtering,
    known_kind,
    stepping,
)
from rushes.errors import UsageError
from rushes.model import JobStatus

if TYPE_CHECKING:
    from rushes.queue.connection import Connection
    from rushes.queue.reading import Filter
JobNumbers = Annotated[
    list[int] | None,
    typer.Argument(metavar="JOB", callback=within(1, LARGEST), help="Their numbers; or choose them by options."),
]


def pause(*, kind: Kind = None, batch: BatchOption = None, as_json: JsonFlag = False) -> None:
    """Pause the whole queue, one kind of jobs, or a batch: what runs ends, nothing new starts.

    Example: rushes queue pause --kind download
    """
    if not _of_batch(batches.pause, kind, batch, as_json=as_json):
        _say_paused(run(_pause("pause", kind)), as_json=as_json)


def resume(*, kind: Kind = None, batch: BatchOption = None, as_json: JsonFlag = False) -> None:
    """Let the queue, one kind of jobs, or a batch go on. Without a kind, every kind that was paused goes on.

    Example: rushes queue resume
    """
    if not _of_batch(batches.resume, kind, batch, as_json=as_json):
        _say_paused(run(_pause("resume", kind)), as_json=as_json)


def _of_batch(verb: Callable[..., None], kind: str | None, batch: int | None, *, as_json: bool) -> bool:
    if kind and batch:
        raise UsageError("--kind and --batch: say one of them")
    if batch:
        verb(batch, as_json=as_json)
    return bool(batch)


async def _pause(verb: str, kind: str | None) -> list[str]:
    """Pause or resume, and tell what is paused now. Resuming all takes back each pause."""
    from rushes.queue import control

    async with database() as (_, opened), opened.pool.acquire() as connection:
        if verb == "pause":
            await control.pause(connection, await known_kind(connection, kind) or control.WHOLE_QUEUE)
        else:
            for one in [kind] if kind else await control.paused_kinds(connection):
                await control.resume(connection, one)
            await tell_workers(connection)
        return await control.paused_kinds(connection)


def _say_paused(kinds: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"paused": kinds})
    else:
        named = "the whole queue" if "*" in kinds else ", ".join(kinds)
        stdout().print(f"paused: {safe(named)}" if kinds else "nothing is paused")


@dataclass(frozen=True, slots=True)
class _Verb:
    """Something that is done to jobs."""

    function: str
    """In `rushes.queue.control`."""
    done: str
    statuses: tuple[JobStatus, ...]
    """What it can be done to."""
    meant: tuple[JobStatus, ...]
    """What it is done to, unless --status says otherwise."""
    rule: str


LIVE = (JobStatus.QUEUED, JobStatus.PROCESSING, JobStatus.RETRYING)
RETRY = _Verb(
    "retry_jobs", "retried", (JobStatus.FAILED, JobStatus.CANCELLED), (JobStatus.FAILED,),
    "only what has failed or was cancelled can run again, and of each key one job",
)  # fmt: skip
CANCEL = _Verb("cancel_jobs", "cancelled", LIVE, LIVE, "only what waits or runs can be cancelled")
WAITING = (JobStatus.QUEUED, JobStatus.RETRYING)
PRIORITIZE = _Verb("prioritize_jobs", "prioritized", WAITING, WAITING, "only what waits has use for a priority")


@filtering
def retry(jobs: JobNumbers = None, *, wanted: Filter, yes: Yes = False, as_json: JsonFlag = False) -> None:
    """Run failed or cancelled jobs again, also after their attempts are used up.

    Examples:
      rushes queue retry 42 43
      rushes queue retry --status failed --class transient --older-than 1h
    """
    _steer(RETRY, jobs, wanted, yes=yes, as_json=as_json)


@filtering
def cancel(jobs: JobNumbers = None, *, wanted: Filter, yes: Yes = False, as_json: JsonFlag = False) -> None:
    """Cancel jobs that wait or run, and with them their items.

    Examples:
      rushes queue cancel 42
      rushes queue cancel --kind download --status queued
    """
    _steer(CANCEL, jobs, wanted, yes=yes, as_json=as_json)


@filtering
def prioritize(
    jobs: JobNumbers = None,
    *,
    wanted: Filter,
    priority: Priority = None,
    top: Top = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Give jobs that wait another priority.

    Examples:
      rushes queue prioritize 42 --top
      rushes queue prioritize --batch 3 --kind transcribe --priority 7
    """
    _steer(PRIORITIZE, jobs, wanted, chosen_priority(priority, top=top), yes=yes, as_json=as_json)


def _steer(verb: _Verb, jobs: list[int] | None, wanted: Filter, *arguments: object, yes: bool, as_json: bool) -> None:
    from rushes.queue.reading import Filter

    if bool(jobs) == (wanted != Filter()):
        remedy = "for example `--status failed --class transient`; `--help` tells the others"
        raise UsageError("which jobs? give their numbers, or choose them by options", remedy=remedy)
    if jobs:
        _told(
            run(_named(verb, list(dict.fromkeys(jobs)), arguments)),
            len(set(jobs)),
            verb,
            {"jobs": jobs},
            as_json=as_json,
        )
    else:
        chosen("--status", wanted.status, verb.statuses)
        count, meant = run(_selected(verb, wanted, arguments, yes=yes))
        _told(count, meant, verb, {"selected": meant}, as_json=as_json)


def _told(count: int, meant: int, verb: _Verb, which: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({**which, verb.done: count})
        return
    stdout().print(f"{counted(count, 'job')} {verb.done}" + ("" if count == meant else f"; {verb.rule}"))


async def _named(verb: _Verb, jobs: list[int], arguments: tuple[object, ...]) -> int:
    async with database() as (_, opened), opened.pool.acquire() as connection:
        rows = await connection.fetch("select id from rushes.jobs where id = any($1::bigint[])", jobs)
        missing = sorted(set(jobs) - {row["id"] for row in rows})
        if missing:
            named = ", ".join(map(str, missing))
            raise UsageError(f"there is no job {named}", remedy="`rushes queue list` shows those there are")
        count = await _act(connection, verb, jobs, arguments)
        if not count:
            raise UsageError(f"nothing to do: {verb.rule}")
    return count


async def _selected(verb: _Verb, wanted: Filter, arguments: tuple[object, ...], *, yes: bool) -> tuple[int, int]:
    """Returns to how many jobs it was done, and how many were meant."""
    from rushes.queue.selection import select

    async with database() as (_, opened), opened.pool.acquire() as connection:
        await known_kind(connection, wanted.kind)
        statuses = [wanted.status] if wanted.status else verb.meant
        jobs = await select(connection, wanted, statuses)
        if jobs:
            confirm(f"{counted(len(jobs), 'job')} would be {verb.done}", yes=yes)
        return await _act(connection, verb, jobs, arguments), len(jobs)


async def _act(connection: Connection, verb: _Verb, jobs: Sequence[int], arguments: tuple[object, ...]) -> int:
    from rushes.queue import control
    from rushes.queue.selection import in_steps

    async def act(step: Sequence[int]) -> int:
        return int(await getattr(control, verb.function)(connection, step, *arguments))

    count = 0
    with stepping(len(jobs), verb.done) as advance:
        async for done in in_steps(jobs, act):
            count += done
            advance(done)
    await tell_workers(connection)
    return count
