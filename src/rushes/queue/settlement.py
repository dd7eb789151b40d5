"""Settling: outcomes become rows in one transaction, or not at all.

In that transaction the job ends (fenced by its lease), what it made becomes visible, its item moves on or ends, the next
stage is enqueued, and the batch counts. Locks are taken in the order jobs, lanes, items, videos, batches, each by id or
name, so that two settlements never wait for each other in a circle, nor one and a claim, which waits for no job and no lane.

Pausing a batch writes the batch's row and then its jobs, skipping locked ones; cancelling may miss a job of the next stage.
What a settlement holds at that moment it finds out itself, because its own last write to the batch returns the batch's
status.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rushes.database import storable
from rushes.errors import ErrorClass
from rushes.model import (
    BatchId,
    BatchStatus,
    Failure,
    ItemId,
    ItemStatus,
    JobId,
    JobStatus,
    Lease,
    NewItem,
    Outcome,
    Produced,
)
from rushes.queue import control
from rushes.queue.events import add_events
from rushes.queue.items import add_items
from rushes.queue.statements import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from rushes.queue.connection import Connection

LANE_STEP = 1000
"""Jobs moved aside in one statement when a host asks for rest; the rest follow at the next ticks."""

LONGEST_REST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the outcomes."""

    applied: Mapping[JobId, JobStatus]
    stale: tuple[Lease, ...]
    """Leases that were no longer held: their outcomes were dropped."""
    next_jobs: int = 0
    """How many jobs became ready through them."""


@dataclass(slots=True)
class _Tally:
    """What one settlement changes in one batch."""

    total: int = 0
    ended: dict[ItemStatus, int] = field(default_factory=lambda: defaultdict(int))
    events: list[tuple[str, int | None, dict[str, Any]]] = field(default_factory=list)
    jobs: list[int] = field(default_factory=list)
    found: list[Sequence[NewItem]] = field(default_factory=list)
    """Videos that a stage found, a list for each line that stood for them."""


async def settle(connection: Connection, outcomes: Sequence[Outcome], verdicts: Sequence[str] = ()) -> Settled:
    """Write outcomes in one transaction. `verdicts` overrides how each is judged (`lost`, `orphaned`)."""
    if not outcomes:
        return Settled({}, ())
    judged = sorted(
        zip(outcomes, verdicts or map(_verdict, outcomes), strict=True), key=lambda pair: pair[0].lease.job_id
    )
    if all(map(_concerns_nothing_else, outcomes)):
        return _told(outcomes, await _end_jobs(connection, *zip(*judged, strict=True), telling="id, token, status"))
    by_lease = {(outcome.lease.job_id, outcome.lease.token): outcome for outcome in outcomes}
    async with connection.transaction():
        rows = await _end_jobs(connection, *zip(*judged, strict=True), telling="*")
        settled = sorted(((row, by_lease[row["id"], row["token"]]) for row in rows), key=lambda pair: pair[0]["id"])
        await _rest_lanes(connection, settled)
        following = await _move_on(connection, settled)
        paused = await _pause_for_input(connection, settled)
    for batch_id in paused:
        await control.hold_rest(connection, batch_id)
    return _told(outcomes, rows, following)


def _concerns_nothing_else(outcome: Outcome) -> bool:
    """Whether one statement, which is a transaction of its own, is all there is to do, as for a user's own small jobs."""
    made, failure = outcome.produced, outcome.failure
    return (
        outcome.lease.alone
        and not (made and made.artifacts)
        and not (failure and (failure.retry_after is not None or failure.environment))
    )


def _told(outcomes: Sequence[Outcome], rows: Sequence[Record], following: int = 0) -> Settled:
    applied = {JobId(row["id"]): JobStatus(row["status"]) for row in rows}
    counted = {(row["id"], row["token"]) for row in rows}
    stale = tuple(lease for outcome in outcomes if ((lease := outcome.lease).job_id, lease.token) not in counted)
    return Settled(applied, stale, following)


def _verdict(outcome: Outcome) -> str:
    failure = outcome.failure
    if outcome.produced is not None:
        return "completed"
    if failure is None or (failure.environment and failure.error_class is ErrorClass.NEEDS_INPUT):
        return "returned"
    if failure.error_class in (ErrorClass.PERMANENT, ErrorClass.NEEDS_INPUT):
        return "failed"
    return "deferred" if failure.error_class is ErrorClass.RATE_LIMITED else "retry"


async def _end_jobs(
    connection: Connection, outcomes: Sequence[Outcome], verdicts: Sequence[str], *, telling: str
) -> list[Record]:
    """End jobs. Returns these columns of those that were still held; where jobs are small every one more is felt."""
    failures = [outcome.failure for outcome in outcomes]
    produced = [outcome.produced for outcome in outcomes]
    leases = [outcome.lease for outcome in outcomes]
    rows: list[Record] = await connection.fetch(
        sql("settle").replace("select *", f"select {telling}"),
        [lease.job_id for lease in leases],
        [lease.token for lease in leases],
        [lease.worker_id for lease in leases],
        verdicts,
        _column(map(_result, produced)),
        _column(map(_identity, outcomes)),
        _column(failure and failure.error_class.value for failure in failures),
        _column(failure and storable(failure.message) for failure in failures),
        _column(map(_details, failures)),
        _column(map(_rest, failures)),
    )
    return rows


def _column(values: Iterable[Any]) -> list[Any] | None:
    """An array for `unnest`, which fills up with nulls whatever is shorter: for nulls alone nothing need be sent."""
    column = list(values)
    return column if any(value is not None for value in column) else None


def _identity(outcome: Outcome) -> str | None:
    """Under which name what it made can be found; nothing where nothing was made."""
    made = outcome.produced
    if made is None:
        return None
    return made.fingerprint or (_own(outcome.lease.job_id) if made.artifacts else None)


def _own(job_id: int) -> str:
    """Under which name its artifacts stand that are for no other job to use."""
    return f"job:{job_id}"


def _result(made: Produced | None) -> dict[str, Any] | None:
    """What there is to tell of a completed run; None, for most jobs of a user's own, costs nothing."""
    if made is None:
        return None
    told: dict[str, Any] = {}
    if made.value is not None:
        told["value"] = made.value
    if made.reused:
        told["reused"] = True
    if made.notes:
        told["notes"] = list(made.notes)
    if (engine := made.engine) is not None:
        told["engine"] = {
            "name": engine.name, "model": engine.model, "input_tokens": engine.input_tokens,
            "output_tokens": engine.output_tokens, "cost": engine.cost,
        }  # fmt: skip
    return told or None


def _rest(failure: Failure | None) -> timedelta | None:
    """What a host asked for, within reason: it is a stranger's word."""
    return min(failure.retry_after, LONGEST_REST) if failure and failure.retry_after is not None else None


def _details(failure: Failure | None) -> dict[str, Any] | None:
    return {**failure.details, "remedy": failure.remedy} if failure else None


async def _move_on(connection: Connection, settled: Sequence[tuple[Record, Outcome]]) -> int:
    """Publish what was made, enqueue next stages, end items, count batches. Returns how many jobs are new."""
    completed = [(row, made) for row, outcome in settled if row["status"] == "completed" and (made := outcome.produced)]
    items = [row["item_id"] for row, _ in settled if row["item_id"]]
    locked = await connection.fetch(sql("lock_items"), items) if items else []
    live = {row["id"] for row in locked if row["live"]}
    await _publish(connection, completed)
    same_as = await _late_duplicates(connection, completed)
    onward = [
        row["id"]
        for row, made in completed
        if row["item_id"] in live and not made.items and row["item_id"] not in same_as
    ]
    followers = await connection.fetch(sql("enqueue_next"), onward) if onward else []
    with_next = {row["item_id"] for row in followers}
    tallies = await _end_items(connection, settled, with_next, same_as)
    for row in followers:
        tallies[row["batch_id"]].jobs.append(row["id"])
    for row, made in completed:
        if made.items and row["item_id"] in live:
            tallies[row["batch_id"]].found.append(made.items)
    if strays := [row["id"] for row, _ in settled if row["item_id"] and row["item_id"] not in live]:
        await control.drop(connection, strays)
    for batch_id, changes in sorted(tallies.items()):
        await _count(connection, batch_id, changes)
    return len(followers)


async def _publish(connection: Connection, completed: Sequence[tuple[Record, Produced]]) -> None:
    """Make artifacts, facts and passages visible."""
    fresh = [(row, made) for row, made in completed if not made.reused]
    if items := [row["item_id"] for row, _ in fresh if row["item_id"]]:
        await connection.execute(sql("lock_videos"), items)
    made_files = [
        (made.fingerprint or _own(row["id"]), row["id"], a.kind, a.name, a.size, a.sha256, a.media_type, a.metadata)
        for row, made in fresh
        for a in made.artifacts
    ]
    if made_files:
        await connection.execute(sql("add_artifacts"), *map(list, zip(*made_files, strict=True)))
    facts = [
        (row["item_id"], storable(made.facts.title or "") or None, made.facts.duration)
        for row, made in fresh
        if row["item_id"] and (made.facts.title or made.facts.duration)
    ]
    if facts:
        await connection.execute(sql("learn"), *map(list, zip(*facts, strict=True)))
    if aliases := _aliases(fresh):
        await connection.execute(sql("add_aliases"), *map(list, zip(*aliases, strict=True)))
    for row, made in fresh:
        if row["item_id"] and made.search_text:
            await _index(connection, row, made)


def _aliases(completed: Sequence[tuple[Record, Produced]]) -> list[tuple[ItemId, str]]:
    return [(row["item_id"], alias) for row, made in completed if row["item_id"] for alias in made.facts.aliases]


async def _late_duplicates(connection: Connection, completed: Sequence[tuple[Record, Produced]]) -> dict[ItemId, int]:
    """Items that turned out to be another item's video under another address, and that item's position."""
    named = _aliases(completed)
    if not named:
        return {}
    rows = await connection.fetch(sql("late_duplicates"), *map(list, zip(*named, strict=True)))
    return {row["item_id"]: row["same_as"] for row in rows}


async def _index(connection: Connection, row: Record, made: Produced) -> None:
    key = await connection.fetchval("select video_key from rushes.items where id = $1", row["item_id"])
    starts, texts = map(list, zip(*made.search_text, strict=True))
    await connection.execute(sql("add_passages"), key, row["kind"], starts, list(map(storable, texts)))


async def _end_items(
    connection: Connection,
    settled: Sequence[tuple[Record, Outcome]],
    with_next: set[ItemId],
    same_as: Mapping[ItemId, int],
) -> dict[BatchId, _Tally]:
    tallies: dict[BatchId, _Tally] = defaultdict(_Tally)
    endings = []
    for row, outcome in settled:
        if row["item_id"] is None:
            continue
        tally = tallies[row["batch_id"]]
        tally.jobs.append(row["id"])
        ending = _ending(row, outcome, more=row["item_id"] in with_next, same_as=same_as.get(row["item_id"]))
        tally.events.append(_event(row, ending))
        if ending:
            endings.append((row["batch_id"], row["item_id"], *ending))
    if endings:
        endings.sort(key=lambda ending: ending[1])
        columns = list(map(list, zip(*endings, strict=True)))
        ended = {row["id"] for row in await connection.fetch(sql("end_items"), *columns[1:])}
        for batch_id, item_id, status, skip_reason, *_ in endings:
            if item_id in ended and skip_reason != "expanded":
                tallies[batch_id].ended[status] += 1
    return tallies


def _ending(
    row: Record, outcome: Outcome, *, more: bool, same_as: int | None
) -> tuple[ItemStatus, str | None, str | None, str | None, str | None] | None:
    """How this outcome ends its item: status, skip reason, error class, error, remedy. None: it goes on."""
    if row["status"] == "failed":
        failure = outcome.failure or Failure(ErrorClass.BUG, row["error"])
        return ItemStatus.FAILED, None, failure.error_class.value, storable(failure.message), failure.remedy
    if same_as is not None:
        return ItemStatus.SKIPPED, "already_done", None, f"the same video as item {same_as}", None
    if row["status"] == "completed" and not more:
        if outcome.produced and outcome.produced.items:
            return ItemStatus.SKIPPED, "expanded", None, None, None
        return ItemStatus.COMPLETED, None, None, None, None
    return None


def _event(row: Record, ending: tuple[Any, ...] | None) -> tuple[str, int | None, dict[str, Any]]:
    if ending:
        return f"item_{ending[0].value}", row["item_id"], {"stage": row["kind"], "reason": ending[3]}
    data = {"stage": row["kind"], "reason": row["error"]} if row["error"] else {"stage": row["kind"]}
    return ("stage_completed" if row["status"] == "completed" else f"job_{row['status']}"), row["item_id"], data


async def _count(connection: Connection, batch_id: BatchId, tally: _Tally) -> None:
    for items in tally.found:
        # The line that stood for them is not counted itself.
        tally.total += await add_items(connection, batch_id, items) - 1
    events = tally.events
    row = await connection.fetchrow(
        sql("count"),
        batch_id,
        tally.total,
        *(tally.ended[status] for status in (
            ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.CANCELLED, ItemStatus.SKIPPED,
        )),
        len(events),
    )  # fmt: skip
    assert row is not None
    await add_events(connection, batch_id, row["last_event"], events)
    if row["status"] == BatchStatus.PAUSED:
        await control.hold(connection, tally.jobs)
    elif row["status"] == BatchStatus.CANCELLED:
        await control.drop(connection, tally.jobs)


async def _rest_lanes(connection: Connection, settled: Iterable[tuple[Record, Outcome]]) -> None:
    asked: dict[str, tuple[timedelta, str]] = {}
    for row, outcome in settled:
        failure = outcome.failure
        if failure and failure.error_class is ErrorClass.RATE_LIMITED and row["lane"] and (rest := _rest(failure)):
            asked[row["lane"]] = max(asked.get(row["lane"], (rest, "")), (rest, failure.message))
    for lane, (rest, message) in sorted(asked.items()):
        await connection.execute(sql("rest_lane"), lane, rest, storable(f"{lane}: {message}"), LANE_STEP)


async def _pause_for_input(connection: Connection, settled: Iterable[tuple[Record, Outcome]]) -> list[BatchId]:
    """What the environment lacks concerns every item: the batch waits until somebody has supplied it."""
    lacking = {
        row["batch_id"]: outcome.failure
        for row, outcome in settled
        if outcome.failure and outcome.failure.environment and row["batch_id"] is not None
    }
    for batch_id, failure in sorted(lacking.items()):
        await control.mark_paused(connection, batch_id, storable(failure.message), failure.remedy)
    return sorted(lacking)
