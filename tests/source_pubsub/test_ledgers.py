"""Who keeps the requests: in memory and in PostgreSQL they answer alike."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from rushes.database import Database
from rushes.errors import ErrorClass
from rushes.model import Failure, JobStatus, Plan
from rushes.requests import Answer, Beat, Ending, Ledger, LedgerInMemory, Permit, Request, memory
from rushes.requests.statements import sql
from rushes.requests.stored import StoredLedger
from tests.plans import explain, read, walked

SUBSCRIPTION = "projects/p/subscriptions/s"
WHY = Failure(ErrorClass.TRANSIENT, "the line\0went dead", remedy="wait")


def asked(request: UUID | None = None, message_id: str = "1") -> Request:
    return Request(request or uuid4(), message_id, "req_1", Plan("play", ()), about="https://example.org/a")


@pytest.fixture(params=["in memory", "in PostgreSQL"])
def ledger(request: pytest.FixtureRequest, database: Database) -> Ledger:
    if request.param == "in memory":
        return LedgerInMemory()
    return StoredLedger(database.pool, SUBSCRIPTION, lease=timedelta(seconds=30))


async def begun(ledger: Ledger, request: Request) -> Permit:
    (permit,) = await ledger.begin([request])
    return permit


async def ended(ledger: Ledger, request: Request, permit: Permit, status: JobStatus, **facts: Any) -> bool:
    (counted,) = await ledger.end([Ending(request, permit.token, status, **facts)])
    return counted


async def test_a_request_is_one_at_a_time(ledger: Ledger):
    request, other = asked(), asked()
    first = await begun(ledger, request)
    assert (first.answer, first.attempts) == (Answer.GO, 1)
    again, fresh = await ledger.begin([request, other])
    assert (again.answer, fresh.answer) == (Answer.BUSY, Answer.GO)
    assert again.wait > timedelta(0)


async def test_what_is_completed_is_done(ledger: Ledger):
    request = asked()
    assert await ended(ledger, request, await begun(ledger, request), JobStatus.COMPLETED, result={"value": 1})
    assert (await begun(ledger, request)).answer is Answer.DONE


@pytest.mark.parametrize(
    ("status", "attempts"), [(JobStatus.RETRYING, 2), (JobStatus.QUEUED, 1), (JobStatus.FAILED, 1)]
)
async def test_anything_else_is_begun_again(ledger: Ledger, status: JobStatus, attempts: int):
    request = asked()
    first = await begun(ledger, request)
    await ended(ledger, request, first, status, failure=WHY)
    second = await begun(ledger, request)
    assert (second.answer, second.attempts) == (Answer.GO, attempts)
    assert second.token > first.token


async def test_workers_that_fell_silent_are_counted(database: Database):
    ledger, request = StoredLedger(database.pool, SUBSCRIPTION, lease=timedelta(0)), asked()
    assert [(await begun(ledger, request)).crashes for _ in range(3)] == [0, 1, 2]
    await ended(ledger, request, await begun(ledger, request), JobStatus.QUEUED)
    last = await begun(ledger, request)
    assert last.crashes == 3
    await ended(ledger, request, last, JobStatus.FAILED, failure=WHY)
    assert (await begun(ledger, request)).crashes == 0


async def test_who_lost_a_request_writes_nothing(ledger: Ledger):
    request = asked()
    first = await begun(ledger, request)
    await ended(ledger, request, first, JobStatus.QUEUED)
    second = await begun(ledger, request)
    assert request.id
    assert not await ended(ledger, request, first, JobStatus.COMPLETED)
    assert await ledger.beat([Beat(request.id, first.token), Beat(request.id, second.token)]) == [False, True]
    assert await ended(ledger, request, second, JobStatus.COMPLETED)


async def test_the_same_ending_once_more_counts_again(ledger: Ledger):
    request = asked()
    permit = await begun(ledger, request)
    for _ in range(2):
        assert await ended(ledger, request, permit, JobStatus.RETRYING, failure=WHY)
    assert (await begun(ledger, request)).attempts == 2


async def test_what_is_given_back_twice_is_uncounted_once(ledger: Ledger):
    request = asked()
    await ended(ledger, request, await begun(ledger, request), JobStatus.RETRYING)
    permit = await begun(ledger, request)
    for _ in range(2):
        await ended(ledger, request, permit, JobStatus.QUEUED)
    assert (await begun(ledger, request)).attempts == 2


async def test_a_message_without_an_id_is_recorded(ledger: Ledger, database: Database):
    ending = Ending(Request(None, "77"), 0, JobStatus.FAILED, WHY)
    assert await ledger.end([ending, ending]) == [True, True]
    assert await database.pool.fetchval("select count(*) from rushes.requests") == ledger.lasting


async def test_memory_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "REMEMBERED", 2)
    ledger = LedgerInMemory()
    requests = [asked() for _ in range(3)]
    for request in requests:
        await ended(ledger, request, await begun(ledger, request), JobStatus.COMPLETED)
    assert [(await begun(ledger, request)).answer for request in requests[1:]] == [Answer.DONE] * 2
    assert (await begun(ledger, requests[0])).answer is Answer.GO


async def test_a_silent_worker_s_request_is_taken_over_when_its_lease_has_run_out(database: Database):
    silent = StoredLedger(database.pool, SUBSCRIPTION, lease=timedelta(seconds=0.2))
    request = asked()
    first = await begun(silent, request)
    assert (await begun(silent, request)).answer is Answer.BUSY
    await asyncio.sleep(0.25)
    second = await begun(silent, request)
    assert (second.answer, second.attempts) == (Answer.GO, 2)
    assert not await ended(silent, request, first, JobStatus.COMPLETED)


async def test_beats_prolong_the_lease_and_write_only_news(database: Database):
    ledger = StoredLedger(database.pool, SUBSCRIPTION, lease=timedelta(seconds=30))
    request = asked()
    permit = await begun(ledger, request)
    assert request.id
    beat = Beat(request.id, permit.token, "play", 40)
    assert await ledger.beat([beat]) == [True]
    row = await database.pool.fetchrow("select stage, percentage, xmin::text, lease_until from rushes.requests")
    assert row is not None
    assert (row["stage"], row["percentage"]) == ("play", 40)
    assert await ledger.beat([beat]) == [True]
    assert await database.pool.fetchval("select xmin::text from rushes.requests") == row["xmin"]
    await database.pool.execute("update rushes.requests set lease_until = now() + interval '3 seconds'")
    await ledger.beat([beat])
    assert await database.pool.fetchval("select lease_until > now() + interval '20 seconds' from rushes.requests")


async def test_a_result_that_was_not_told_comes_along(database: Database):
    ledger = StoredLedger(database.pool, SUBSCRIPTION, lease=timedelta(seconds=30))
    request = asked()
    await ended(ledger, request, await begun(ledger, request), JobStatus.COMPLETED, result={"text": "a\0b"})
    assert (await begun(ledger, request)).untold == {"text": "a\N{REPLACEMENT CHARACTER}b"}
    assert request.id
    await ledger.told([request.id])
    assert (await begun(ledger, request)).untold is None


@pytest.mark.parametrize("generic", [False, True])
async def test_no_statement_reads_the_table_whole(database: Database, generic: bool):  # noqa: FBT001  (a parameter)
    await database.pool.execute(
        "insert into rushes.requests (request_id, subscription, message_id, status, token, correlation_id)"
        " select gen_random_uuid(), 's', n::text, case when n % 2 = 0 then 'completed' else 'processing' end, 1, 'c' || n"
        " from generate_series(1, 5000) n"
    )
    await database.pool.execute("analyze rushes.requests")
    ids = [row["request_id"] for row in await database.pool.fetch("select request_id from rushes.requests limit 3")]
    lease, texts = timedelta(seconds=30), ["x"] * 3
    for name, arguments in {
        "begin": (ids, texts, texts, texts, texts, lease, "s"),
        "standing": (ids,),
        "queued": (ids,),
        "beat": (ids, [1] * 3, texts, [7] * 3, lease),
        "end": (ids, [1] * 3, ["failed"] * 3, texts, texts, texts, [None] * 3),
        "told": (ids,),
        "enqueue": (ids, texts, texts, texts, texts, "s"),
        "list_requests": (None, "c7", None, None, False, None, 50),
    }.items():
        plan = await explain(database, sql(name), *arguments, generic=generic and name != "list_requests")
        assert read(plan, "requests") <= 20, name
        assert "the whole table" not in walked(plan, "requests"), name
