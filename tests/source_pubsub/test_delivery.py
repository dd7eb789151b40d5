"""How messages are pulled, kept, ordered and given back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from rushes.database import Database
from rushes.requests.stored import StoredLedger
from rushes.sources.pubsub import deadlines
from rushes.testing.pubsub import PubSubServer
from rushes.worker import ExitReason
from tests.pubsub import Clients, texts

from .conftest import AT_ONCE, Work, WorkerAt, message, plays, until


async def test_no_more_is_pulled_than_free_slots_can_begin(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work
):
    clients.publish(topic, *(message(f"m{n}") for n in range(20)))
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(server.inspect(subscription).outstanding))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    report = await work(subscription, slots=3)
    watching.cancel()
    assert (report.completed, most) == (20, 3)


async def test_a_pull_that_finds_nothing_is_not_taken_for_an_empty_subscription(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work, played: Path
):
    clients.publish(topic, message("a"))
    server.hide()
    await work(subscription)
    assert plays(played) == ["a"]


async def test_two_pulls_that_found_nothing_before_a_message_do_not_count_after_it(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, worker_at: WorkerAt
):
    running = asyncio.create_task(worker_at(subscription, empty_timeout=2).run())
    await until(lambda: server.calls["Pull"] == 2)
    clients.publish(topic, message("a"))
    await until(lambda: server.inspect(subscription).record.acked)
    pulls = server.calls["Pull"]
    assert (await running).exit_reason is ExitReason.EMPTY
    assert server.calls["Pull"] > pulls


async def test_a_busy_worker_with_a_backlog_behind_it_is_not_done(
    clients: Clients, topic: str, subscription: str, work: Work, played: Path
):
    clients.publish(topic, message("long", sleep=1.5))
    clients.publish(topic, *(message(f"m{n}") for n in range(3)))
    report = await work(subscription, slots=1, empty=0.2)
    assert (report.completed, report.exit_reason) == (4, ExitReason.EMPTY)
    assert sorted(plays(played)) == ["long", "m0", "m1", "m2"]


async def test_a_long_message_on_a_short_deadline_is_delivered_once(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, worker_at: WorkerAt, played: Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setattr(deadlines, "AT", 0.02)  # of ten seconds
    running = asyncio.create_task(worker_at(subscription, lease=10, max_jobs=1).run())
    clients.publish(topic, message("long", sleep=3))
    await until(lambda: plays(played, "began"))

    def extended() -> int:
        return len(server.inspect(subscription).record.extended)

    for _ in range(5):
        before = extended()
        server.advance(9)
        while extended() == before:
            await asyncio.sleep(0.02)
    report = await running
    assert report.completed == 1
    record = server.inspect(subscription).record
    assert (len(record.delivered), record.expired) == (1, [])


async def test_leases_that_cannot_be_prolonged_for_a_while_are_prolonged_then(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work
):
    clients.publish(topic, message("a", sleep=0.5))
    server.fail("ModifyAckDeadline", times=3)
    report = await work(subscription)
    assert report.completed == 1
    assert len(server.inspect(subscription).record.extended) == 1


async def test_a_message_that_comes_again_while_it_is_worked_at_is_the_same_one(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, worker_at: WorkerAt, played: Path
):
    running = asyncio.create_task(worker_at(subscription, empty_timeout=1).run())
    clients.publish(topic, message("a", sleep=1))
    await until(lambda: plays(played, "began"))
    server.advance(100)  # its lease is over, and the other slot is free
    await until(lambda: len(server.inspect(subscription).record.delivered) == 2)
    report = await running
    assert (report.completed, plays(played, "began")) == (1, ["a"])
    assert server.inspect(subscription).backlog == 0


async def test_stage_and_percentage_are_stored_while_it_runs(
    clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database, worker_at: WorkerAt
):
    running = asyncio.create_task(worker_at(subscription, ledger=ledger).run())
    clients.publish(topic, message("a", sleep=3, pipeline="play+play"))
    seen: list[Any] = []
    while not seen or seen[-1]["percentage"] == 0:
        seen = list(await database.pool.fetch("select status, stage, percentage from rushes.requests"))
        await asyncio.sleep(0.05)
    assert tuple(seen[0]) == ("processing", "play", 25)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_somebody_else_took_over_is_stopped_and_its_outcome_refused(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    worker_at: WorkerAt, played: Path,
):  # fmt: skip
    running = asyncio.create_task(worker_at(subscription, ledger=ledger, empty_timeout=1).run())
    clients.publish(topic, message("a", sleep=600))
    await until(lambda: plays(played, "began"))
    await database.pool.execute(
        "update rushes.requests set token = token + 1, status = 'completed', result = '{}', told_at = now()"
    )
    report = await running  # it is given back, comes again, and is skipped
    assert (report.processed, report.exit_reason) == (0, ExitReason.EMPTY)
    assert server.inspect(subscription).backlog == 0


async def test_a_late_outcome_of_what_somebody_else_took_over_is_refused(
    clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database, work: Work, played: Path
):
    clients.publish(topic, message("a", sleep=0.3))
    running = asyncio.create_task(work(subscription, ledger=ledger, max_jobs=1, empty=60))
    await until(lambda: plays(played, "began"))
    await database.pool.execute("update rushes.requests set token = token + 1")
    report = await running
    assert (report.stale, report.completed) == (1, 0)
    assert await database.pool.fetchval("select status from rushes.requests") == "processing"


async def test_a_request_that_another_worker_runs_is_given_back_for_a_while(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    work: Work, played: Path,
):  # fmt: skip
    clients.publish(topic, message("a"))
    await database.pool.execute(
        "insert into rushes.requests (request_id, subscription, message_id, status, token, lease_until)"
        " select (convert_from($1, 'utf8')::jsonb ->> 'request_id')::uuid, 's', 'm', 'processing', 1,"
        " now() + interval '1 second'",
        server.inspect(subscription).waiting[0].data,
    )
    report = await work(subscription, ledger=ledger, empty=3)  # longer than the other one's lease
    assert (report.completed, plays(played)) == (1, ["a"])
    record = server.inspect(subscription).record
    assert (len(record.delivered), len(record.expired)) == (2, 1)


async def test_messages_of_one_key_are_worked_at_in_order_and_one_at_a_time(
    server: PubSubServer, clients: Clients, topic: str, work: Work, played: Path
):
    subscription = clients.subscription(topic, enable_message_ordering=True)
    for n in range(6):
        clients.publish(topic, message(f"a{n}", sleep=0.02), key="a")
    clients.publish(topic, message("b0", sleep=0.02), key="b")
    report = await work(subscription, slots=4)
    assert report.completed == 7
    lines = [line.split()[:2] for line in played.read_text().splitlines() if " a" in line]
    assert lines == [[what, f"a{n}"] for n in range(6) for what in ("began", "done")]
    assert server.inspect(subscription).backlog == 0


async def test_what_follows_a_failed_message_of_its_key_waits_for_it(
    server: PubSubServer, clients: Clients, topic: str, work: Work, played: Path
):
    subscription = clients.subscription(topic, enable_message_ordering=True, retry_policy=AT_ONCE)
    clients.publish(topic, message("a0", fail="transient", times=1), key="a")
    clients.publish(topic, message("a1"), key="a")
    clients.publish(topic, message("a2", fail="permanent"), key="a")
    clients.publish(topic, message("a3"), key="a")
    await work(subscription, slots=4, empty=1)
    assert plays(played, "began") == ["a0", "a0", "a1", "a2", "a3"]
    assert server.inspect(subscription).backlog == 0


@pytest.fixture
def exactly_once(clients: Clients, topic: str) -> str:
    return clients.subscription(topic, enable_exactly_once_delivery=True, ack_deadline_seconds=60)


async def test_an_exactly_once_subscription_is_worked_at(
    server: PubSubServer, clients: Clients, topic: str, exactly_once: str, work: Work
):
    clients.publish(topic, *(message(f"m{n}") for n in range(10)))
    report = await work(exactly_once)
    assert (report.completed, report.stale) == (10, 0)
    assert len(server.inspect(exactly_once).record.delivered) == 10


async def test_acknowledgements_that_fail_for_a_passing_reason_are_made_again(
    server: PubSubServer, clients: Clients, topic: str, exactly_once: str, work: Work, played: Path
):
    clients.publish(topic, message("a"))
    server.refuse_acks("TRANSIENT_FAILURE_SERVICE_UNAVAILABLE", times=2)
    report = await work(exactly_once)
    assert (report.completed, report.stale, plays(played, "began")) == (1, 0, ["a"])
    assert server.inspect(exactly_once).backlog == 0


async def test_an_acknowledgement_that_comes_too_late_is_a_stale_outcome(
    server: PubSubServer,
    clients: Clients,
    topic: str,
    exactly_once: str,
    ledger: StoredLedger,
    work: Work,
    played: Path,
):
    clients.publish(topic, message("a"))
    server.refuse_acks("PERMANENT_FAILURE_INVALID_ACK_ID")
    report = await work(exactly_once, ledger=ledger)
    assert (report.completed, report.stale) == (0, 1)
    server.advance(100)
    report = await work(exactly_once, ledger=ledger)  # it was recorded, and is not run again
    assert (report.processed, plays(played, "began")) == (0, ["a"])
    assert server.inspect(exactly_once).backlog == 0


async def test_a_lost_lease_of_an_exactly_once_subscription_ends_the_run(
    server: PubSubServer, clients: Clients, topic: str, exactly_once: str, worker_at: WorkerAt, played: Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setattr(deadlines, "AT", 0.02)
    running = asyncio.create_task(worker_at(exactly_once, slots=1, lease=10, empty_timeout=1).run())
    clients.publish(topic, message("a", sleep=1.5, fail="permanent", times=0))
    await until(lambda: plays(played, "began"))
    server.advance(100)  # its one slot is taken, so that it is not handed to it again
    await until(lambda: len(plays(played, "began")) == 2)
    report = await running
    assert (report.completed, plays(played)) == (1, ["a"])  # the second run's alone


async def test_an_answer_that_was_lost_changes_nothing(
    server: PubSubServer,
    clients: Clients,
    topic: str,
    subscription: str,
    ledger: StoredLedger,
    work: Work,
    played: Path,
):
    results = clients.topic()
    clients.publish(topic, message("a"))
    server.cut("Acknowledge")
    report = await work(subscription, ledger=ledger, pubsub_results=results)
    assert (report.completed, plays(played, "began")) == (1, ["a"])
    assert server.inspect(subscription).backlog == 0
    assert len(server.published(results)) == 1


async def test_a_result_that_could_not_be_published_is_published_at_the_next_delivery(
    server: PubSubServer,
    clients: Clients,
    topic: str,
    subscription: str,
    ledger: StoredLedger,
    work: Work,
    played: Path,
):
    results = clients.topic()
    clients.publish(topic, message("a"))
    server.fail("Publish", "PERMISSION_DENIED")
    report = await work(subscription, ledger=ledger, pubsub_results=results)
    assert report.exit_reason is ExitReason.PAUSED
    assert server.inspect(subscription).backlog == 1
    await work(subscription, ledger=ledger, pubsub_results=results)
    assert plays(played, "began") == ["a"]
    assert len(server.published(results)) == 1
    assert server.inspect(subscription).backlog == 0


async def test_a_worker_waits_while_the_service_is_away_and_goes_on(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, worker_at: WorkerAt, played: Path
):
    clients.publish(topic, *(message(f"m{n}", sleep=0.1) for n in range(6)))
    troubles: list[Exception | None] = []
    worker = worker_at(subscription, slots=2, empty_timeout=1, trouble=troubles.append)
    running = asyncio.create_task(worker.run())
    await until(lambda: plays(played))
    with server.away():
        await until(lambda: any(troubles))
        assert worker.unready == "its source cannot be reached"
    report = await running
    assert (report.completed, report.failed, report.exit_reason) == (6, 0, ExitReason.EMPTY)
    assert sorted(plays(played)) == [f"m{n}" for n in range(6)]
    assert server.inspect(subscription).backlog == 0


async def test_what_was_found_and_not_begun_is_deliverable_at_once_when_a_worker_ends(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, worker_at: WorkerAt, played: Path
):
    worker = worker_at(subscription, slots=2, grace=0.2)
    running = asyncio.create_task(worker.run())
    clients.publish(topic, *(message(f"m{n}", sleep=600) for n in range(5)))
    await until(lambda: len(plays(played, "began")) == 2)
    worker.stop()
    report = await running
    assert (report.released, report.processed, report.exit_reason) == (2, 0, ExitReason.TERMINATED)
    assert len(clients.pull_now(subscription)) == 5


async def test_what_a_pull_brings_while_the_worker_ends_goes_back(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, worker_at: WorkerAt, played: Path
):
    worker = worker_at(subscription, slots=2)
    running = asyncio.create_task(worker.run())
    await until(lambda: server.calls["Pull"])
    worker.stop()
    clients.publish(topic, message("late"))
    await running
    assert plays(played, "began") == []
    assert texts(clients.pull_now(subscription)) != []


async def test_a_subscription_that_is_gone_stops_the_worker_with_the_reason(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work, caplog: pytest.LogCaptureFixture
):
    running = asyncio.create_task(work(subscription, empty=60))
    await until(lambda: server.calls["Pull"])
    clients.subscriber.delete_subscription(subscription=subscription)
    report = await running
    assert report.exit_reason is ExitReason.PAUSED
    assert f"{subscription} does not exist" in caplog.text


async def test_a_subscription_that_may_not_be_looked_at_is_worked_at_all_the_same(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work, caplog: pytest.LogCaptureFixture
):
    clients.publish(topic, message("a"))
    server.fail("GetSubscription", "PERMISSION_DENIED")
    report = await work(subscription)
    assert report.completed == 1
    assert "may not be looked at" in caplog.text
