"""Which jobs a command means: the options of a filter, written once for every command that takes them."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli.arguments import CENTURY, LARGEST, chosen, within
from rushes.cli.output import Exit, stderr
from rushes.errors import ErrorClass, UsageError
from rushes.model import JobStatus

if TYPE_CHECKING:
    from rushes.queue.connection import Connection
    from rushes.queue.reading import Filter


def duration(text: str) -> timedelta:
    """Parse `90`, `90s`, `45m`, `12h`, `30d` or `2w`."""
    from rushes.settings import seconds

    length = seconds(text)
    if isinstance(length, str) or not 0 <= length <= CENTURY:
        raise typer.BadParameter(f"{text} is not a length of time such as 90, 45m, 12h, 30d or 2w")
    return timedelta(seconds=length)


def past(text: str) -> datetime:
    """Parse a date, a time, or how long ago it was."""
    return _moment(text, -1)


def future(text: str) -> datetime:
    """Parse a date, a time, or how long it is until then."""
    return _moment(text, 1)


def _moment(text: str, sign: int) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.now(UTC) + sign * duration(text)
    except typer.BadParameter:
        raise typer.BadParameter(
            f"{text} is neither a time such as 2026-11-22 or 2026-11-22T18:00, nor a length of time such as 45m, 12h or 30d"
        ) from None


Kind = Annotated[str | None, typer.Option(metavar="NAME", help="Only this kind of jobs, such as download.")]
ErrorClassName = Annotated[
    str | None, typer.Option("--class", metavar="CLASS", help=f"Only failures of this class: {', '.join(ErrorClass)}.")
]
BatchOption = Annotated[
    int | None, typer.Option(metavar="NUMBER", callback=within(1, LARGEST), help="Only this batch's jobs.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

Priority = Annotated[int | None, typer.Option(metavar="0-10", callback=within(0, 10), help="Higher goes first.")]
Top = Annotated[bool, typer.Option("--top", help="The highest priority, 10.")]

OPTIONS: dict[str, Any] = {
    "status": Annotated[str | None, typer.Option(metavar="STATUS", help=f"Only these: {', '.join(JobStatus)}.")],
    "kind": Kind,
    "error_class": ErrorClassName,
    "batch": BatchOption,
    "older_than": Annotated[
        timedelta | None,
        typer.Option(metavar="TIME", parser=duration, help="Only jobs made longer ago than this, such as 12h."),
    ],
    "since": Annotated[
        datetime | None, typer.Option(metavar="TIME", parser=past, help="Only jobs made since: 2026-11-22, or 2h ago.")
    ],
    "until": Annotated[
        datetime | None, typer.Option(metavar="TIME", parser=past, help="Only jobs made before: 2026-11-22, or 2h ago.")
    ],
    "workflow_run": Annotated[
        str | None, typer.Option(metavar="ID", help="Only jobs of this run of a GitHub workflow.")
    ],
    "dedup_key": Annotated[str | None, typer.Option(metavar="KEY", help="Only jobs with this deduplication key.")],
}  # fmt: skip


def filtering(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a filter. What they say arrives as its argument `wanted`."""
    del command.__annotations__["wanted"]  # evaluated, it would load the queue for a line of help
    own = [each for each in inspect.signature(command, eval_str=True).parameters.values() if each.name != "wanted"]
    arguments = [each for each in own if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in OPTIONS.items()
    ]

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        selected = {name: given.pop(name) for name in OPTIONS}
        command(wanted=_filter(**selected), **given)

    with_options.__signature__ = inspect.Signature([*arguments, *options, *own[len(arguments) :]])  # type: ignore[attr-defined]
    with_options.__annotations__ = {}
    return with_options


def _filter(*, status: str | None, error_class: str | None, **others: Any) -> Filter:
    from rushes.queue.reading import Filter

    return Filter(
        status=chosen("--status", status, JobStatus), error_class=chosen("--class", error_class, ErrorClass), **others
    )


# Through what lives and what was added up, and not through what has ended.
_SEEN = """
select exists (select from rushes.tallies where kind = $1)
    or exists (select from rushes.jobs where kind = $1 and status in ('queued', 'processing', 'retrying'))
"""


async def known_kind(connection: Connection, kind: str | None) -> str | None:
    """The kind, if there is a stage or a job of it. Raises: UsageError."""
    from rushes.stages import registry

    if kind is not None and kind not in registry.names() and not await connection.fetchval(_SEEN, kind):
        registry.get(kind)
    return kind


def chosen_priority(priority: int | None, *, top: bool) -> int:
    """What --priority or --top say. Raises: UsageError, unless exactly one of them does."""
    if top == (priority is not None):
        raise UsageError("which priority? give --priority 0 to 10, or --top")
    return 10 if priority is None else priority


def confirm(what: str, *, yes: bool) -> None:
    """Ask whether to go on. A no ends the command; where nobody can be asked, --yes must have been said."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{what}: there is no terminal to ask you at", remedy="give --yes to do it")
    stderr().print(f"{what}. Go on? [dim]\\[y/N][/] ", end="")
    if input().strip().lower() not in ("y", "yes"):
        stderr().print("nothing was done")
        raise typer.Exit(Exit.ERROR)


@contextlib.contextmanager
def stepping(total: int | None, what: str) -> Iterator[Callable[[int], None]]:
    """A bar for work in steps, where there is a terminal to show it on. Yields what moves it forward."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = stderr()
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda steps: progress.advance(task, steps)
