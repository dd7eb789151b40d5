"""How every command speaks: two consoles, JSON for scripts, exit codes, and one way to run a coroutine.

Results go to stdout, everything about the run to stderr, so that `rushes … --json | jq` always works.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from datetime import datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import typer

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    ERROR = 1
    USAGE = 2
    SOME_FAILED = 3
    INTERRUPTED = 130


def stdout() -> Console:
    """The console of results."""
    from rushes.cli.consoles import UNBOUNDED, Results

    console = Results(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = UNBOUNDED
    return console


def stderr() -> Console:
    """The console of progress and errors."""
    from rushes.cli.consoles import Words

    return Words(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as JSON: times as ISO 8601, durations as seconds, dataclasses by their fields."""
    typer.echo(json.dumps(value, default=_plain, indent=1, ensure_ascii=False))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end."""
    return asyncio.run(work)


def json_line(value: Any) -> str:
    """A value as one line of JSON."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def plain(text: str) -> str:
    """Text of strangers without control characters, which would drive the terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def safe(text: str) -> str:
    """Text of strangers for a console that reads markup: none of theirs, and no control characters."""
    from rich.markup import escape

    return escape(plain(text))


def counted(number: int, what: str) -> str:
    """A number of things, in words."""
    plural = what + ("es" if what.endswith(("s", "ch")) else "s")
    return f"{number:,} {what if number == 1 else plural}"


def _plain(value: Any) -> Any:
    from dataclasses import asdict, is_dataclass

    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (Path, UUID)):
        return str(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no JSON form")
