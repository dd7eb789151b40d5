"""The queue as a source: one stage of an item at a time, each with its own retries, on whichever worker suits it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from rushes.keys import BadAddress, is_address, source_of
from rushes.model import (
    Artifact,
    BatchId,
    Engine,
    Job,
    Lease,
    Outcome,
    Plan,
    Produced,
    Source,
    Step,
    Trust,
    Verdict,
    VideoKey,
    WorkerId,
)
from rushes.queue import Claimed, Queue
from rushes.queue.plans import load
from rushes.queue.statements import sql
from rushes.sources.base import Assignment, Beat, Standing

if TYPE_CHECKING:
    import asyncpg
    from asyncpg import Record


class QueueSource:
    """Jobs of the PostgreSQL queue, of all batches or of one."""

    name = "queue"

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], queue: Queue, *, batch: BatchId | None = None) -> None:
        self._pool = pool
        self._queue = queue
        self._batch = batch
        self._host = socket.gethostname()
        self._worker: WorkerId | None = None
        self._plans: dict[BatchId, Plan] = {}
        self._bare: dict[str, Plan] = {}
        self._claimed: Sequence[Claimed] = ()
        """Claimed, but not handed out yet."""
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._worker = await self._queue.enter()
        await self._stack.enter_async_context(self._queue.doorbell.listening())
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()
        if self._worker is not None:
            with contextlib.suppress(*outages()):
                await self._queue.leave(self._worker)

    async def claim(self, slots: Mapping[str, int]) -> Sequence[Assignment]:
        assert self._worker is not None, "enter the source first"
        if not self._claimed:
            self._claimed = await self._queue.claim(self._worker, slots, host=self._host, batch=self._batch)
        # If the connection breaks from here on, the next call hands them out.
        assignments = await self._assign(self._claimed) if self._claimed else ()
        self._claimed = ()
        return assignments

    async def end_claims(self) -> None:
        """Nothing is found before it is claimed."""

    async def extend(self, beats: Sequence[Beat]) -> Sequence[Verdict]:
        return await self._queue.extend(beats)

    async def settle(self, outcomes: Sequence[Outcome]) -> Sequence[Lease]:
        return (await self._queue.settle(outcomes)).stale

    async def find_made(self, fingerprint: str) -> Produced | None:
        rows = await self._pool.fetch(sql("find_made"), fingerprint)
        if not rows:
            return None
        result = rows[0]["result"] or {}
        return Produced(
            artifacts=tuple(_artifact(row) for row in rows),
            fingerprint=fingerprint,
            engine=Engine(**result["engine"]) if result.get("engine") else None,
            notes=tuple(result.get("notes", ())),
            reused=True,
        )

    async def keep_made(self, produced: Produced) -> None:
        """Nothing is left to keep: a job is one stage, and its settlement publishes what that made."""

    async def tick(self) -> float | None:
        return await self._queue.tick()

    async def wait(self, timeout: float) -> None:
        await self._queue.doorbell.wait(timeout)

    async def standing(self) -> Standing:
        if self._batch is None:
            return Standing.EMPTY
        row = await self._pool.fetchrow("select status from rushes.batches where id = $1", self._batch)
        if row is None or row["status"] in ("completed", "failed", "cancelled"):
            return Standing.ENDED
        return Standing.PAUSED if row["status"] == "paused" else Standing.WORK_LEFT

    def is_outage(self, error: Exception) -> bool:
        return is_outage(error)

    async def _assign(self, claimed: Sequence[Claimed]) -> list[Assignment]:
        items = [one.job.item_id for one in claimed if one.job.item_id]
        facts: dict[int, Record] = {}
        made: dict[int, list[Artifact]] = {}
        if items:
            facts = {row["id"]: row for row in await self._pool.fetch(sql("items_at_work"), items)}
            for row in await self._pool.fetch(sql("made_for_items"), items):
                made.setdefault(row["item_id"], []).append(_artifact(row))
        videos = await self._named_videos(claimed)
        return [self._assignment(one, facts.get(one.job.item_id or 0), made, videos) for one in claimed]

    async def _named_videos(self, claimed: Sequence[Claimed]) -> dict[str, Record]:
        """The known videos that jobs without an item name."""
        named = [_key_named_by(one.job) for one in claimed if one.job.video_id and not one.job.item_id]
        return {row["reference"]: row for row in await self._pool.fetch(sql("known_videos"), named)} if named else {}

    def _assignment(
        self, one: Claimed, item: Record | None, made: Mapping[int, list[Artifact]], videos: Mapping[str, Record]
    ) -> Assignment:
        if item is None or one.job.step is None or one.job.batch_id is None:
            plan = self._plan_of_one(one.job)
            source, title = _source_named_by(one.job, videos)
            return Assignment(one.lease, one.job, plan, 0, source, title, timeout=one.timeout)
        return Assignment(
            lease=one.lease,
            job=one.job,
            plan=self._plan(one.job.batch_id, item["plan"]),
            step=one.job.step,
            source=Source(VideoKey(item["video_key"]), item["location"], item["collection"]),
            title=item["title"],
            trust=Trust(item["trust"]),
            owner=item["owner"],
            reuse=item["reuse"],
            inputs=made.get(item["id"], ()),
            item_options=item["options"],
            timeout=one.timeout,
            reference=item["reference"],
        )

    def _plan_of_one(self, job: Job) -> Plan:
        """The plan of a job that is no part of a batch: that one stage, with the options of its payload."""
        options = job.payload.get("options")
        if options:
            return Plan(job.kind, (Step(job.kind, options),))
        if job.kind not in self._bare:
            self._bare[job.kind] = Plan(job.kind, (Step(job.kind),))
        return self._bare[job.kind]

    def _plan(self, batch: BatchId, frozen: dict[str, Any]) -> Plan:
        """A batch's plan never changes, so it is read once."""
        if batch not in self._plans:
            self._plans[batch] = load(frozen)
        return self._plans[batch]


def _source_named_by(job: Job, videos: Mapping[str, Record]) -> tuple[Source | None, str | None]:
    """What a job without an item works at, with its title where that is known."""
    if location := job.payload.get("url"):
        # Never under a video's own key: what is made of this address must not pass for what is made of that video.
        return Source(VideoKey(f"job:{job.id}"), str(location)), None
    if video := videos.get(_key_named_by(job)):
        return Source(VideoKey(video["key"]), video["location"]), video["title"]
    return _source_of_address(job), None


def _key_named_by(job: Job) -> str:
    """Under which key a job's video may be known: its address's, or what it is called."""
    source = _source_of_address(job)
    return source.key if source else job.video_id or ""


def _source_of_address(job: Job) -> Source | None:
    if job.video_id and is_address(job.video_id):
        with contextlib.suppress(BadAddress):
            return source_of(job.video_id)
    return None


def _artifact(row: Record) -> Artifact:
    return Artifact(row["kind"], row["name"], row["size"], row["sha256"], row["media_type"], row["metadata"])


def is_outage(error: Exception) -> bool:
    """Whether an error says that the database cannot be reached or written to now, and may be later."""
    # Values that PostgreSQL cannot take are errors of the interface too, but they will not pass.
    return isinstance(error, outages()) and not isinstance(error, ValueError)


def outages() -> tuple[type[Exception], ...]:
    """What is raised while the server restarts, refuses, is read-only or has no room, and by a deadlock: it may pass."""
    import asyncpg

    from rushes.database import LOST

    return (
        *LOST,
        asyncpg.InsufficientResourcesError,
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.PostgresSystemError,
        asyncpg.TransactionRollbackError,
    )
