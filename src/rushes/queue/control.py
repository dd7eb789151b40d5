"""Control by hand: pause, resume, cancel and retry, of batches, jobs and kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rushes.model import BatchId, JobId
from rushes.queue.events import add_events
from rushes.queue.statements import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from rushes.queue.connection import Connection

WHOLE_QUEUE = "*"


async def hold(connection: Connection, jobs: Sequence[int]) -> None:
    """Keep these jobs from being claimed: their batch is paused."""
    await connection.execute(
        "update rushes.jobs set held = true where id = any($1::bigint[]) and status in ('queued', 'retrying')", jobs
    )


async def pause_batch(
    connection: Connection, batch_id: BatchId, reason: str | None = None, remedy: str | None = None
) -> bool:
    """Pause a batch: running jobs end, no new one starts. Returns False if it had ended already.

    Writes the batch's row first and then the jobs that nobody has locked: a settlement that holds the others reads the
    new status when it counts, and holds them itself.
    """
    async with connection.transaction():
        last = await connection.fetchval(sql("pause_batch"), batch_id, reason, remedy)
        if last is None:
            return False
        await add_events(connection, batch_id, last, [("batch_paused", None, {"reason": reason, "remedy": remedy})])
        await connection.execute(sql("hold_batch"), batch_id)
    return True


async def resume_batch(connection: Connection, batch_id: BatchId) -> bool:
    """Let a paused batch go on. Returns False if it was not paused."""
    async with connection.transaction():
        last = await connection.fetchval(sql("resume_batch"), batch_id)
        if last is None:
            return False
        await add_events(connection, batch_id, last, [("batch_resumed", None, {})])
        await connection.execute("update rushes.jobs set held = false where batch_id = $1 and held", batch_id)
    return True


async def cancel_batch(connection: Connection, batch_id: BatchId) -> bool:
    """Cancel a batch, at once and for good. Workers at its jobs learn of it at their next heartbeat."""
    async with connection.transaction():
        live = await connection.fetch(sql("live_jobs"), batch_id)
        await _cancel(connection, [row["id"] for row in live])
        cancelled = await connection.fetch(sql("cancel_items"), batch_id)
        last = await connection.fetchval(sql("cancel_batch"), batch_id, len(cancelled))
        if last is None:
            return False
        await add_events(connection, batch_id, last, [("batch_cancelled", None, {})])
        late = await connection.fetch(sql("live_jobs_unlocked"), batch_id)
        await _cancel(connection, [row["id"] for row in late])
    return True


async def cancel_jobs(connection: Connection, jobs: Sequence[int]) -> int:
    """Cancel live jobs and end their items. Returns how many were live."""
    async with connection.transaction():
        cancelled = await _cancel(connection, jobs)
        items = [row["item_id"] for row in cancelled if row["item_id"]]
        ended = await connection.fetch(sql("cancel_items_by_id"), items)
        for batch_id in sorted({row["batch_id"] for row in ended}):
            mine = [row["id"] for row in ended if row["batch_id"] == batch_id]
            count = await connection.fetchrow(sql("count"), batch_id, 0, 0, 0, len(mine), 0, len(mine))
            last = count["last_event"] if count else 0
            await add_events(connection, batch_id, last, [("item_cancelled", item, {}) for item in mine])
    return len(cancelled)


async def _cancel(connection: Connection, jobs: Sequence[int]) -> Sequence[Record]:
    return await connection.fetch(sql("cancel_jobs"), jobs) if jobs else []


async def retry_items(connection: Connection, batch_id: BatchId, error_classes: Sequence[str] | None = None) -> int:
    """Run failed items of a batch again from the stage that failed. Returns how many."""
    async with connection.transaction():
        jobs = await connection.fetch(sql("retry_jobs_of_batch"), batch_id, error_classes)
        return await _reopen(connection, [row["item_id"] for row in jobs])


async def retry_jobs(connection: Connection, jobs: Sequence[JobId]) -> int:
    """Run failed or cancelled jobs again with fresh attempts, also after their attempts are used up. Returns how many."""
    async with connection.transaction():
        rows = await connection.fetch(sql("retry_jobs"), jobs)
        await _reopen(connection, [row["item_id"] for row in rows if row["item_id"]])
    return len(rows)


async def _reopen(connection: Connection, items: Sequence[int]) -> int:
    opened = await connection.fetch(sql("reopen_items"), items)
    for batch_id in sorted({row["batch_id"] for row in opened}):
        mine = [row for row in opened if row["batch_id"] == batch_id]
        failed = sum(row["was"] == "failed" for row in mine)
        last = await connection.fetchval(sql("reopen_batch"), batch_id, failed, len(mine) - failed, len(mine))
        await add_events(connection, batch_id, last, [("item_retried", row["id"], {}) for row in mine])
    return len(opened)


async def pause(connection: Connection, kind: str = WHOLE_QUEUE) -> None:
    """Pause a kind of jobs, or the whole queue. It is stored, and every claim looks."""
    await connection.execute("insert into rushes.pauses (kind) values ($1) on conflict do nothing", kind)


async def resume(connection: Connection, kind: str = WHOLE_QUEUE) -> None:
    await connection.execute("delete from rushes.pauses where kind = $1", kind)


async def paused_kinds(connection: Connection) -> list[str]:
    """What is paused by hand; `*` is the whole queue."""
    return [row["kind"] for row in await connection.fetch("select kind from rushes.pauses order by kind")]
