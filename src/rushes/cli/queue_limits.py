"""`rushes queue limit`: what is limited over all workers, and how to change that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli.arguments import database, within
from rushes.cli.output import JsonFlag, print_json, run, safe, stdout
from rushes.cli.queue_enqueue import tell_workers
from rushes.cli.selection import known_kind
from rushes.errors import UsageError

if TYPE_CHECKING:
    from rushes.queue.connection import Connection
    from rushes.queue.limits import Limit

HEADINGS = ("", "a second", "at once", "running", "waiting")


def limit(
    *,
    lane: Annotated[
        str | None, typer.Option(metavar="HOST", help="Jobs that fetch from this host: its name, or an address there.")
    ] = None,
    kind: Annotated[str | None, typer.Option(metavar="NAME", help="Jobs of this kind, such as transcribe.")] = None,
    rate: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", callback=within(1e-6, 1e6), help="So many starts a second, such as 0.5."),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(metavar="NUMBER", callback=within(1, 2**31 - 1), help="So many at once.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Take the limits of this host or kind away.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Limit a host or a kind of jobs, over all workers. Without options: show what is limited.

    What is not said stays as it was: a host that has a rate keeps it when it is given a concurrency.

    Examples:
      rushes queue limit --lane youtube.com --rate 0.5 --concurrency 2
      rushes queue limit --kind transcribe --concurrency 1
      rushes queue limit --lane youtube.com --off
    """
    wish = _wish(lane, kind, rate, concurrency, off=off)
    found = run(_limit(wish))
    if as_json:
        print_json(found)
        return
    stdout().print(_table(found) if found else "nothing is limited")


def _wish(
    lane: str | None, kind: str | None, rate: float | None, concurrency: int | None, *, off: bool
) -> dict[str, Any] | None:
    """What is to change; None: nothing. Raises: UsageError."""
    limits = {name: value for name, value in (("rate", rate), ("concurrency", concurrency)) if value is not None}
    if lane is not None and kind is not None:
        raise UsageError("--lane and --kind: say one of them")
    if lane is None and kind is None:
        if limits or off:
            raise UsageError("whose limit? say --lane HOST or --kind NAME")
        return None
    if off and limits:
        raise UsageError("--off takes all limits away: say it without --rate and --concurrency")
    if not off and not limits:
        raise UsageError("what limit? say --rate, --concurrency, or --off")
    if kind is not None and rate is not None:
        raise UsageError("a kind has no rate; its --concurrency can be limited, and the --rate of a host")
    return {"lane": None if lane is None else _lane(lane), "kind": kind, "off": off, **limits}


def _lane(text: str) -> str:
    from rushes.lanes import lane_named

    name = lane_named(text)
    if name is None:
        raise UsageError(f"--lane {text!r} names no host", remedy="give it as youtube.com, or as an address there")
    return name


async def _limit(wish: dict[str, Any] | None) -> list[Limit]:
    from rushes.queue import limits

    async with database() as (_, opened), opened.pool.acquire() as connection:
        if wish is not None:
            await _change(connection, **wish)
            await tell_workers(connection)
        return await limits.list_limits(connection)


async def _change(connection: Connection, *, lane: str | None, kind: str | None, off: bool, **given: Any) -> None:
    from rushes.queue import limits

    if off:
        gone = limits.unlimit_kind(connection, kind) if kind else limits.unlimit_lane(connection, str(lane))
        if not await gone:
            raise UsageError(f"{kind or lane} has no limit", remedy="`rushes queue limit` shows those there are")
    elif kind:
        await known_kind(connection, kind)
        await limits.limit_kind(connection, kind, **given)
    else:
        await limits.limit_lane(connection, str(lane), **given)


def _table(found: list[Limit]) -> Any:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    table.add_column("")
    for each in found:
        numbers = (each.rate and f"{each.rate:g}", each.concurrency, each.running, each.waiting)
        table.add_row(
            safe(f"{each.what} {each.name}"), *("" if number is None else str(number) for number in numbers),
            f"[yellow]{safe(_rest(each))}[/]",
        )  # fmt: skip
    return table


def _rest(each: Limit) -> str:
    return f"rests until {each.rests_until.astimezone():%H:%M:%S}: {each.reason}" if each.rests_until else ""
