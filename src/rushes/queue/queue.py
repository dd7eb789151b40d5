"""The queue's verbs. They are plural: batching is the type, not an option."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rushes.database import storable
from rushes.model import BatchId, Job, JobId, Lease, Outcome, Verdict, WorkerId
from rushes.queue import presence, retention, upkeep
from rushes.queue.doorbell import Doorbell
from rushes.queue.enqueueing import enqueue, enqueue_one
from rushes.queue.jobs import Claimed, NewJob, read_claimed, read_job
from rushes.queue.limits import any_limits, follow_lanes
from rushes.queue.retention import Ages
from rushes.queue.settlement import Settled, settle
from rushes.queue.statements import sql
from rushes.queue.tallies import roll_up
from rushes.queue.turns import claim_in_turn

if TYPE_CHECKING:
    import asyncpg

    from rushes.queue.connection import Connection

LOOK_SECONDS = 5.0
"""How old what is known of limits may be: after that, a limited job may start late, but none too early."""
TIDY_SECONDS = 60.0

Beat = tuple[Lease, float | None, str | None]
"""A lease to prolong, with progress (0 to 1) and what is being done."""


class Queue:
    """A durable job queue in PostgreSQL. Safe to use from many tasks and beside many processes."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        *,
        lease: timedelta = timedelta(seconds=60),
        ages: Ages = Ages(),  # noqa: B008  (it is frozen)
    ) -> None:
        """`lease`: how long a job stays with a worker that has fallen silent; `ages`: how long what has ended is kept."""
        self._pool = pool
        self._lease = lease
        self._ages = ages
        self._tidied = float("-inf")
        self._limits = False
        self._looked = float("-inf")
        self.doorbell = Doorbell(pool)

    async def enqueue(self, jobs: Iterable[NewJob]) -> list[JobId]:
        """Add jobs in one transaction. Returns their ids in the order given; a job whose key lives already has that one's.

        Raises: UsageError, for a value of the wrong type or out of range.
        """
        async with self._pool.acquire() as connection:
            ids = await enqueue(connection, jobs)
        if ids:
            self.doorbell.ring()
        return ids

    async def enqueue_one(self, job: NewJob) -> Job:
        """Add one job, and return it, or the one that lives already under its key. Raises: UsageError, as `enqueue`."""
        async with self._pool.acquire() as connection:
            added = await enqueue_one(connection, job)
        self.doorbell.ring()
        return added

    async def claim(
        self, worker: WorkerId, slots: Mapping[str, int], *, host: str, batch: BatchId | None = None
    ) -> list[Claimed]:
        """Take up to `slots[kind]` ready jobs of each kind: priority first, then the oldest.

        Jobs tied to another host are left to it; with `batch`, only that batch's jobs are taken.
        """
        async with self._pool.acquire() as connection:
            if await self._limited(connection):
                turn = await claim_in_turn(connection, slots, worker=worker, lease=self._lease, host=host, batch=batch)
                rows = turn.rows
                if turn.next_start is not None:
                    self.doorbell.wake_in(turn.next_start)
            else:
                terms = (worker, self._lease, host, batch, False)
                rows = await connection.fetch(sql("claim"), list(slots), list(slots.values()), *terms)
        return [read_claimed(row, worker) for row in rows]

    async def _limited(self, connection: Connection) -> bool:
        """Whether a claim must heed limits. Ticks tell; who does not tick asks now and then."""
        now = asyncio.get_running_loop().time()
        if now > self._looked + LOOK_SECONDS:
            self._limits, self._looked = await any_limits(connection), now
        return self._limits

    async def extend(self, beats: Sequence[Beat]) -> list[Verdict]:
        """Prolong leases and store progress. Answers in the order given; a job that is not to go on stays unprolonged."""
        if not beats:
            return []
        leases, progress, notes = zip(*beats, strict=True)
        rows = await self._pool.fetch(
            sql("extend"),
            [lease.job_id for lease in leases],
            [lease.token for lease in leases],
            [lease.worker_id for lease in leases],
            list(progress),
            [note and storable(note) for note in notes],
            self._lease,
        )
        verdicts = {row["id"]: _verdict(held=row["held"], cancelled=row["cancelled"]) for row in rows}
        return [verdicts[lease.job_id] for lease in leases]

    async def settle(self, outcomes: Sequence[Outcome]) -> Settled:
        """Write outcomes, each exactly once. What was made under a lost lease is refused and named as stale."""
        async with self._pool.acquire() as connection:
            settled = await settle(connection, outcomes)
        if settled.next_jobs:
            self.doorbell.ring()
        return settled

    async def release(self, leases: Sequence[Lease]) -> Settled:
        """Give jobs back, uncounted."""
        settled = await self.settle([Outcome(lease) for lease in leases])
        if settled.applied:
            self.doorbell.ring()
        return settled

    async def tick(self) -> float | None:
        """Upkeep: call it every second. Returns in how many seconds there is more to do, if that is known."""
        async with self._pool.acquire() as connection:
            due = await connection.fetchrow(sql("due"))
            assert due is not None
            ready = 0
            self._limits, self._looked = due["limits"], asyncio.get_running_loop().time()
            if due["lanes"]:
                await follow_lanes(connection, upkeep.STEP)
            if due["expiries"]:
                ready += await upkeep.return_expired(connection)
            if due["promotions"]:
                ready += len(await upkeep.promote(connection))
            await self._tidy(connection)
        if ready:
            self.doorbell.ring()
        next_promotion: float | None = due["next_promotion"]
        return 0.0 if ready >= upkeep.STEP else next_promotion

    async def _tidy(self, connection: Connection) -> None:
        """Put tallies together and let go of what is old: once a minute, or as long as there is more to let go of."""
        now = asyncio.get_running_loop().time()
        if now - self._tidied >= TIDY_SECONDS:
            self._tidied = now
            await roll_up(connection)
            if await retention.upkeep(connection, self._ages):
                self._tidied = float("-inf")

    async def enter(self) -> WorkerId:
        """Register this process, and give back what dead processes of this host held."""
        async with self._pool.acquire() as connection:
            worker = await presence.enter(connection)
            dead = await presence.find_dead(connection)
            if dead:
                await upkeep.return_orphaned(connection, dead)
        return worker

    async def leave(self, worker: WorkerId) -> None:
        async with self._pool.acquire() as connection:
            await presence.leave(connection, worker)

    async def get(self, job: JobId) -> Job | None:
        row = await self._pool.fetchrow("select * from rushes.jobs where id = $1", job)
        return read_job(row) if row else None


def _verdict(*, held: bool, cancelled: bool) -> Verdict:
    if held:
        return Verdict.GO_ON
    return Verdict.CANCELLED if cancelled else Verdict.LOST
