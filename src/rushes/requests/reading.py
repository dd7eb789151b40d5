"""Looking at requests: a list by filter, or one with its result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rushes.model import BatchId, ItemId, JobStatus
from rushes.requests.statements import sql

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True)
class Kept:
    """A request as it is kept. One that was made into an item of the queue stands as that does."""

    id: int
    request_id: UUID | None
    """None: the message named none."""
    correlation_id: str | None
    message_id: str
    subscription: str
    pipeline: str | None
    about: str | None
    status: JobStatus
    stage: str | None
    percentage: int
    attempts: int
    error_class: str | None
    error: str | None
    remedy: str | None
    batch_id: BatchId | None
    item_id: ItemId | None
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime
    finished_at: datetime | None
    told_at: datetime | None
    """When its result was published."""
    result: Any = None

    @property
    def name(self) -> str:
        """What a person calls it by."""
        return str(self.request_id or f"message {self.message_id}")


async def list_requests(
    pool: asyncpg.Pool[asyncpg.Record],
    *,
    status: JobStatus | None = None,
    correlation_id: str | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[Kept]:
    """Requests, newest first, without their results; `before` continues a list."""
    rows = await pool.fetch(
        sql("list_requests"), status and status.value, correlation_id, before, None, False, None, limit
    )
    return [_kept(row) for row in rows]


async def find_request(pool: asyncpg.Pool[asyncpg.Record], name: UUID | str) -> Kept | None:
    """A request with its result, by its own id or, where its message named none, by that message's."""
    own, message = (name, None) if isinstance(name, UUID) else (None, name)
    row = await pool.fetchrow(sql("list_requests"), None, None, None, own, True, message, 1)
    return _kept(row) if row else None


def _kept(row: asyncpg.Record) -> Kept:
    return Kept(**{**row, "status": JobStatus(row["status"])})
