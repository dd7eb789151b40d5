"""Jobs by column, checked and ready for PostgreSQL. Columns are looked at as a whole: there may be millions of values.

All is checked before any of it is sent, because a COPY that breaks off in its middle costs its connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from rushes.database import storable
from rushes.database.values import Encoded, encode_all
from rushes.errors import UsageError
from rushes.model import Retries
from rushes.queue.jobs import RETRIES, NewJob

_PARTS = {"max_attempts": "max_attempts", "backoff_base": "base", "backoff_cap": "cap", "backoff_jitter": "jitter"}
"""Columns, and which part of a job's `retries` they hold."""
_TYPES: dict[str, tuple[type, ...]] = {
    "kind": (str,), "priority": (int,), "payload": (dict,), "batch_id": (int, type(None)), "item_id": (int, type(None)),
    "step": (int, type(None)), "video_id": (str, type(None)), "lane": (str, type(None)), "host": (str, type(None)),
    "timeout": (timedelta, type(None)), "run_at": (datetime, type(None)), "dedup_key": (str, type(None)),
    "github_workflow_run_id": (str, type(None)), "max_attempts": (int,), "backoff_base": (timedelta,),
    "backoff_cap": (timedelta,), "backoff_jitter": (int, float),
}  # fmt: skip
_BOUNDS = {"priority": (0, 10), "max_attempts": (1, 32_767), "backoff_jitter": (0, 1)}
AT_ONCE = 500
"""Payloads written as JSON before others get their turn: half a millisecond's work."""
_NEEDS_A_LOOK = ("batch_id", "item_id", "lane", "run_at")
"""What a clock, a batch's pause or a lane's limits decide on."""
ORDER = (
    "kind", "priority", "payload", "batch_id", "item_id", "step", "video_id", "lane", "host", *_PARTS, "timeout", "run_at",
    "github_workflow_run_id",
)  # fmt: skip
"""The columns of `enqueue.sql`, in its order."""


class Columns:
    """The columns of some jobs."""

    def __init__(self, jobs: Sequence[NewJob]) -> None:
        """Raises: UsageError, for a value of the wrong type or out of range."""
        columns: dict[str, Sequence[Any]] = dict(zip(NewJob._fields, zip(*jobs, strict=True), strict=True))
        retries: Sequence[Retries] = columns.pop("retries")
        self._said = {"kind", *(name for name, column in columns.items() if any(column))}
        if set(map(id, retries)) != {id(RETRIES)}:
            self._said |= _PARTS.keys()
        self._by_name = columns | _parts(retries)
        for name in self._said:
            column = self._by_name[name]
            _check(name, column)
            if str in _TYPES[name]:
                self._by_name[name] = _texts(column)

    async def encode(self) -> None:
        """Write the payloads as JSON, so many at a time: what waits for the network goes on in between.

        Raises: UsageError, for what JSON cannot hold.
        """
        payloads = self._by_name["payload"]
        if "payload" in self._said:
            encoded: list[Encoded] = []
            for start in range(0, len(payloads), AT_ONCE):
                encoded += _encoded(payloads[start : start + AT_ONCE])
                await asyncio.sleep(0)
            self._by_name["payload"] = encoded

    @property
    def keys(self) -> bool:
        """Whether any of the jobs has a key."""
        return "dedup_key" in self._said

    @property
    def plain(self) -> bool:
        """Whether nothing has to be looked up in the database for them."""
        return self._said.isdisjoint(_NEEDS_A_LOOK)

    def given(self) -> dict[str, Sequence[Any]]:
        """The columns of plain jobs that say more than the table's defaults. What is not sent costs nothing."""
        return {name: self._by_name[name] for name in self._said}

    def all(self) -> list[Sequence[Any]]:
        """The columns of `enqueue.sql`."""
        return [self._by_name[name] for name in ORDER]

    def as_json(self, places: Sequence[int]) -> dict[str, Any]:
        """All of it for `enqueue_json.sql`. What all jobs share is said once: JSON is slow to write, and slower to read."""
        shared = {name: _plain(column[0]) for name, column in self._by_name.items() if _is_one_value(column)}
        own = {name: map(_plain, column) for name, column in self._by_name.items() if name not in shared}
        names = ("position", *own)
        rows = zip(places, *own.values(), strict=True)
        return {"shared": shared, "jobs": [dict(zip(names, row, strict=True)) for row in rows]}


def _parts(retries: Sequence[Retries]) -> dict[str, Sequence[Any]]:
    if len(set(map(id, retries))) == 1:
        return {name: [getattr(retries[0], part)] * len(retries) for name, part in _PARTS.items()}
    return {name: [getattr(one, part) for one in retries] for name, part in _PARTS.items()}


def _check(name: str, column: Sequence[Any]) -> None:
    wrong = tuple(kind for kind in set(map(type, column)) if not issubclass(kind, _TYPES[name]))
    if wrong:
        found = next(value for value in column if isinstance(value, wrong))
        wanted = " or ".join("none" if kind is type(None) else kind.__name__ for kind in _TYPES[name])
        raise UsageError(f"{name}: wanted {wanted}, found {found!r}")
    if name in {"kind", "dedup_key"} and "" in column:
        raise UsageError(f"{name}: wanted a text, found an empty one")
    if name in _BOUNDS:
        least, most = _BOUNDS[name]
        found = [value for value in (min(column), max(column)) if not least <= value <= most]
        if found:
            raise UsageError(f"{name}: wanted {least} to {most}, found {found[0]!r}")
    if name == "run_at" and any(value and value.tzinfo is None for value in column):
        raise UsageError("run_at: wanted a time with its time zone, found one without")


def _texts(column: Sequence[str | None]) -> Sequence[str | None]:
    """Texts as PostgreSQL can hold them. Looked at together, because nearly all are fit as they are."""
    together = "".join(filter(None, column))
    return column if storable(together) == together else [text and storable(text) for text in column]


def _encoded(column: Sequence[Any]) -> list[Encoded]:
    try:
        return encode_all(column)
    except (TypeError, ValueError) as error:
        raise UsageError(f"payload: wanted what JSON can hold: {error}") from error


def _is_one_value(column: Sequence[Any]) -> bool:
    return list(column).count(column[0]) == len(column)


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.6f} seconds"
    return value.isoformat() if isinstance(value, datetime) else value
