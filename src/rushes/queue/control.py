"""Control by hand: pause, resume, cancel and retry, of batches, jobs and kinds.

One at a time for each batch: an advisory lock comes before any row's, because these verbs need the batch's row and its
jobs in whichever order suits them. Settlements and claims take no part in it. What they held while a verb swept the jobs
is swept once more when they have let go, in a transaction that holds nothing they could wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rushes.model import BatchId, JobId
from rushes.queue.endings import take_back, tally
from rushes.queue.events import add_events
from rushes.queue.statements import sql

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

WHOLE_QUEUE = "*"
STEP = 5000
"""Jobs of a batch that are locked at a time."""


async def alone(connection: Connection, batches: Sequence[int]) -> None:
    """Until this transaction ends, nobody else controls these batches."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('rushes batch ' || id, 0))"
        " from (select unnest($1::bigint[]) as id order by id) batch",
        batches,
    )


async def _alone_with_jobs(connection: Connection, jobs: Sequence[int]) -> None:
    rows = await connection.fetch(
        "select distinct batch_id from rushes.jobs where id = any($1::bigint[]) and batch_id is not null", jobs
    )
    await alone(connection, [row["batch_id"] for row in rows])


async def hold(connection: Connection, jobs: Sequence[int]) -> None:
    """Keep these jobs from being claimed: their batch is paused."""
    await connection.execute(
        "update rushes.jobs set held = true where id = any($1::bigint[]) and status in ('queued', 'retrying')", jobs
    )


async def drop(connection: Connection, jobs: Sequence[int]) -> None:
    """Cancel what of these jobs lives: their batch is cancelled."""
    await tally(connection, [row["id"] for row in await connection.fetch(sql("cancel_jobs"), jobs)])


async def pause_batch(
    connection: Connection, batch_id: BatchId, reason: str | None = None, remedy: str | None = None
) -> bool:
    """Pause a batch: running jobs end, no new one starts. Returns False if it had ended already."""
    async with connection.transaction():
        await alone(connection, [batch_id])
        paused = await mark_paused(connection, batch_id, reason, remedy)
    if paused:
        await hold_rest(connection, batch_id)
    return paused


async def mark_paused(connection: Connection, batch_id: BatchId, reason: str | None, remedy: str | None) -> bool:
    """Write the batch's row first and then the jobs that nobody has locked; `hold_rest` must follow the commit.

    A settlement that holds the others reads the new status when it counts, and holds them itself.
    """
    last = await connection.fetchval(sql("pause_batch"), batch_id, reason, remedy)
    if last is None:
        return False
    await add_events(connection, batch_id, last, [("batch_paused", None, {"reason": reason, "remedy": remedy})])
    await connection.execute(sql("hold_batch"), batch_id)
    return True


async def hold_rest(connection: Connection, batch_id: BatchId) -> None:
    """Hold what was locked, by a claim or by upkeep, when the batch was paused."""
    async with connection.transaction():
        await alone(connection, [batch_id])
        if await _status(connection, batch_id) == "paused":
            await connection.execute(sql("hold_batch_rest"), batch_id)


async def resume_batch(connection: Connection, batch_id: BatchId) -> bool:
    """Let a paused batch go on. Returns False if it was not paused."""
    async with connection.transaction():
        await alone(connection, [batch_id])
        last = await connection.fetchval(sql("resume_batch"), batch_id)
        if last is None:
            return False
        await add_events(connection, batch_id, last, [("batch_resumed", None, {})])
        await connection.execute(sql("let_go_batch"), batch_id)
    return True


async def cancel_batch(connection: Connection, batch_id: BatchId) -> bool:
    """Cancel a batch, at once and for good. Workers at its jobs learn of it at their next heartbeat."""
    async with connection.transaction():
        await alone(connection, [batch_id])
        await _cancel_jobs(connection, "cancel_jobs_of_batch", batch_id)
        cancelled = await connection.fetchval(sql("cancel_items"), batch_id)
        last = await connection.fetchval(sql("cancel_batch"), batch_id, cancelled)
        if last is None:
            return False
        await add_events(connection, batch_id, last, [("batch_cancelled", None, {})])
    async with connection.transaction():
        await alone(connection, [batch_id])
        # Next stages that settlements committed meanwhile, and that a worker may just have claimed. Somebody may also have
        # retried an item by now: what is its stays.
        await _cancel_jobs(connection, "cancel_rest_of_batch", batch_id)
    return True


async def _cancel_jobs(connection: Connection, statement: str, batch_id: BatchId) -> None:
    await tally(connection, [row["id"] for row in await connection.fetch(sql(statement), batch_id)])


async def _status(connection: Connection, batch_id: BatchId) -> str:
    return str(await connection.fetchval("select status from rushes.batches where id = $1", batch_id))


async def cancel_jobs(connection: Connection, jobs: Sequence[int]) -> int:
    """Cancel live jobs and end their items. Returns how many were live."""
    async with connection.transaction():
        await _alone_with_jobs(connection, jobs)
        cancelled = await connection.fetch(sql("cancel_jobs"), jobs)
        await tally(connection, [row["id"] for row in cancelled])
        items = [row["item_id"] for row in cancelled if row["item_id"]]
        ended = await connection.fetch(sql("cancel_items_by_id"), items)
        for batch_id in sorted({row["batch_id"] for row in ended}):
            mine = [row["id"] for row in ended if row["batch_id"] == batch_id]
            count = await connection.fetchrow(sql("count"), batch_id, 0, 0, 0, len(mine), 0, len(mine))
            last = count["last_event"] if count else 0
            await add_events(connection, batch_id, last, [("item_cancelled", item, {}) for item in mine])
    return len(cancelled)


async def retry_items(connection: Connection, batch_id: BatchId, error_classes: Sequence[str] | None = None) -> int:
    """Run failed items of a batch again from the stage that failed. Returns how many."""
    async with connection.transaction():
        await alone(connection, [batch_id])
        failed = await connection.fetch(sql("failed_jobs_of_batch"), batch_id, error_classes)
        return await _run_again(connection, [row["id"] for row in failed])


async def retry_jobs(connection: Connection, jobs: Sequence[JobId]) -> int:
    """Run failed or cancelled jobs again with fresh attempts, also after their attempts are used up. Returns how many."""
    async with connection.transaction():
        await _alone_with_jobs(connection, jobs)
        ended = [row["id"] for row in await connection.fetch(sql("ended_jobs"), jobs)]
        await _run_again(connection, ended)
    return len(ended)


async def _run_again(connection: Connection, ended: Sequence[int]) -> int:
    """Queue jobs that have ended, and that this transaction has locked. Returns how many items that opens again."""
    await take_back(connection, ended)
    rows = await connection.fetch(sql("retry_jobs"), ended)
    return await _reopen(connection, [row["item_id"] for row in rows if row["item_id"]])


async def _reopen(connection: Connection, items: Sequence[int]) -> int:
    opened = await connection.fetch(sql("reopen_items"), items)
    for batch_id in sorted({row["batch_id"] for row in opened}):
        mine = [row for row in opened if row["batch_id"] == batch_id]
        failed = sum(row["was"] == "failed" for row in mine)
        last = await connection.fetchval(sql("reopen_batch"), batch_id, failed, len(mine) - failed, len(mine))
        await add_events(connection, batch_id, last, [("item_retried", row["id"], {}) for row in mine])
    return len(opened)


async def prioritize_jobs(connection: Connection, jobs: Sequence[int], priority: int) -> int:
    """Give jobs that wait another priority, 0 to 10. Returns how many waited."""
    return len(await connection.fetch(sql("prioritize_jobs"), jobs, priority))


async def prioritize_batch(connection: Connection, batch_id: BatchId, priority: int) -> bool:
    """Give a batch, and what is left of its jobs, another priority. Returns False if it had ended already."""
    async with connection.transaction():
        await alone(connection, [batch_id])
        last = await connection.fetchval(sql("prioritize_batch"), batch_id, priority)
        if last is None:
            return False
        await add_events(connection, batch_id, last, [("batch_prioritized", None, {"priority": priority})])
    # Until a look finds none: a settlement may have enqueued a next stage while this waited for the job before it.
    while await connection.fetchval(sql("prioritize_jobs_of_batch"), batch_id, priority, STEP):
        pass
    return True


async def pause(connection: Connection, kind: str = WHOLE_QUEUE) -> None:
    """Pause a kind of jobs, or the whole queue. It is stored, and every claim looks."""
    await connection.execute("insert into rushes.pauses (kind) values ($1) on conflict do nothing", kind)


async def resume(connection: Connection, kind: str = WHOLE_QUEUE) -> None:
    await connection.execute("delete from rushes.pauses where kind = $1", kind)


async def paused_kinds(connection: Connection) -> list[str]:
    """What is paused by hand; `*` is the whole queue."""
    return [row["kind"] for row in await connection.fetch("select kind from rushes.pauses order by kind")]
