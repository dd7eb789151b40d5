"""Arguments and options that several commands take, written once."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.errors import UsageError
from rushes.pipelines import PIPELINES

if TYPE_CHECKING:
    from rushes.database import Database
    from rushes.settings import Settings


def _no_empty(inputs: list[str]) -> list[str]:
    if "" in inputs:
        raise typer.BadParameter("one of them is empty")
    return inputs


def path(text: str) -> Path:
    """Parse a path. An empty one, as an unset variable of the shell gives, is not taken for the current folder."""
    if not text:
        raise typer.BadParameter("the name is empty")
    return Path(text)


Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        callback=_no_empty,
        help="URLs, files, folders, patterns, lists (.txt .csv .tsv .json .jsonl), channels, playlists, feeds, or -.",
    ),
]
Pipeline = Annotated[
    str,
    typer.Option("--pipeline", "-p", metavar="NAME", help=f"What to do with each: {', '.join(PIPELINES)}."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="STAGE.OPTION=VALUE", help="An option of a stage. Give it as often as needed."),
]
Concurrency = Annotated[
    str,
    typer.Option("--concurrency", "-c", metavar="N|KIND=N,...", help="Jobs of each kind at once, such as download=8."),
]
Modules = Annotated[
    list[str] | None, typer.Option("--import", metavar="MODULE", help="A module with stages of your own.")
]
MOST_AT_ONCE = 10_000
LARGEST = 2**63 - 1
"""The largest number that the database gives."""
CENTURY = 3_000_000_000
"""Seconds."""


def within(low: float, high: float) -> Callable[[Any], Any]:
    """A check of an option's numbers, said only to whoever needs it."""

    def check(value: Any) -> Any:
        for number in value if isinstance(value, list) else [value]:
            if number is not None and not low <= number <= high:
                raise typer.BadParameter(f"{number} is not from {low:,} to {high:,}")
        return value

    return check


BatchNumber = Annotated[
    int,
    typer.Argument(metavar="BATCH", callback=within(1, LARGEST), help="Its number; `rushes batch list` shows them."),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="So many at most.")]


def parse_concurrency(text: str) -> dict[str, int]:
    """Parse `4` or `download=8,transcribe=1`; the plain number stands for every kind not named. Raises: UsageError."""
    parsed: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        kind, equals, number = part.partition("=")
        kind, number = (kind.strip(), number.strip()) if equals else ("*", kind.strip())
        if not number.isdecimal() or not 1 <= int(number) <= MOST_AT_ONCE:
            raise UsageError(f"--concurrency {text!r}: wanted a number from 1 to {MOST_AT_ONCE}, found {number!r}")
        parsed[kind] = int(number)
    return parsed


def import_modules(modules: Iterable[str]) -> None:
    """Import modules, found as `python -m` would find them, for the stages they register. Raises: UsageError."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UsageError(f"--import {module}: {error}") from error


def chosen(name: str, value: str | None, allowed: Iterable[str]) -> str | None:
    """The value, if it is one of those allowed. Raises: UsageError."""
    names = list(allowed)
    if value is not None and value not in names:
        raise UsageError(f"{name} {value!r}: wanted one of {', '.join(names)}")
    return value


@contextlib.asynccontextmanager
async def database(**overrides: Any) -> AsyncIterator[tuple[Settings, Database]]:
    """The settings, some of them given on the command line, and the database open."""
    from rushes.database import open_database
    from rushes.settings import Settings

    settings = Settings.load(**overrides)
    async with open_database(settings) as opened:
        yield settings, opened
