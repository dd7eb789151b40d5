"""Requests in PostgreSQL, shared by all workers of a database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rushes.database import storable
from rushes.requests.ledger import Answer, Beat, Ending, Permit, Request
from rushes.requests.statements import sql

if TYPE_CHECKING:
    import asyncpg


class StoredLedger:
    """A ledger in PostgreSQL."""

    lasting = True

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], subscription: str, *, lease: timedelta) -> None:
        """`lease`: how long a request stays with a worker that has fallen silent."""
        self._pool = pool
        self._subscription = subscription
        self._lease = lease

    async def begin(self, requests: Sequence[Request]) -> Sequence[Permit]:
        columns = zip(*(row_of(request) for request in requests), strict=True)
        begun = await self._pool.fetch(sql("begin"), *map(list, columns), self._lease, self._subscription)
        permits = {row["request_id"]: Permit(Answer.GO, row["token"], row["attempts"], row["crashes"]) for row in begun}
        others = [request.id for request in requests if request.id not in permits]
        if others:
            permits |= {row["request_id"]: _standing(row) for row in await self._pool.fetch(sql("standing"), others)}
        return [permits.get(request.id, Permit(Answer.BUSY)) for request in requests]

    async def beat(self, beats: Sequence[Beat]) -> Sequence[bool]:
        columns = zip(*((beat.id, beat.token, beat.stage, beat.percentage) for beat in beats), strict=True)
        held = {tuple(row) for row in await self._pool.fetch(sql("beat"), *map(list, columns), self._lease)}
        return [(beat.id, beat.token) in held for beat in beats]

    async def end(self, endings: Sequence[Ending]) -> Sequence[bool]:
        known = [ending for ending in endings if ending.request.id]
        nameless = [ending for ending in endings if not ending.request.id]
        counted: set[tuple[UUID, int]] = set()
        if known:
            columns = zip(*map(_ended_row, known), strict=True)
            counted = {tuple(row) for row in await self._pool.fetch(sql("end"), *map(list, columns))}
        if nameless:
            columns = zip(*map(_malformed_row, nameless), strict=True)
            await self._pool.execute(sql("add_malformed"), *map(list, columns), self._subscription)
        return [ending.request.id is None or (ending.request.id, ending.token) in counted for ending in endings]

    async def told(self, requests: Collection[UUID]) -> None:
        await self._pool.execute(sql("told"), list(requests))


def row_of(request: Request) -> tuple[Any, ...]:
    """A request as the statements take it."""
    return (
        request.id, _text(request.correlation_id), request.message_id, _text(request.pipeline), _text(request.about)
    )  # fmt: skip


def _standing(row: asyncpg.Record) -> Permit:
    if row["done"]:
        return Permit(Answer.DONE, untold=row["untold"])
    return Permit(Answer.BUSY, wait=timedelta(seconds=row["seconds_left"]))


def _ended_row(ending: Ending) -> tuple[Any, ...]:
    return (ending.request.id, ending.token, ending.status.value, *_failure(ending), ending.result)


def _malformed_row(ending: Ending) -> tuple[Any, ...]:
    return (ending.request.message_id, _text(ending.request.correlation_id), *_failure(ending))


def _failure(ending: Ending) -> tuple[str | None, str | None, str | None]:
    failure = ending.failure
    if failure is None:
        return None, None, None
    return failure.error_class.value, _text(failure.message), _text(failure.remedy)


def _text(text: str | None) -> str | None:
    return None if text is None else storable(text)
