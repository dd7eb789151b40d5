"""What becomes of messages, by what their runs came to."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from uuid import uuid4

import pytest

from rushes.database import Database
from rushes.requests.stored import StoredLedger
from rushes.testing.pubsub import PubSubServer
from rushes.worker import ExitReason
from tests.pubsub import Clients

from .conftest import Work, message, plays


def dead_letters(server: PubSubServer, clients: Clients, subscription: str):
    found = clients.subscriber.get_subscription(subscription=subscription)
    return server.published(found.dead_letter_policy.dead_letter_topic)


async def test_what_is_done_is_recorded_told_and_acknowledged(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    work: Work, tmp_path: Path,
):  # fmt: skip
    results, request = clients.topic(), uuid4()
    (message_id,) = clients.publish(topic, message("a", request_id=str(request), correlation_id="req_1"))
    report = await work(subscription, ledger=ledger, pubsub_results=results)

    assert (report.processed, report.completed, report.exit_reason) == (1, 1, ExitReason.EMPTY)
    assert server.inspect(subscription).record.acked == [message_id]
    row = await database.pool.fetchrow("select * from rushes.requests")
    assert row is not None
    assert (row["request_id"], row["correlation_id"], row["status"]) == (request, "req_1", "completed")
    assert (row["stage"], row["percentage"], row["attempts"], row["pipeline"]) == (None, 100, 1, "play")
    assert row["finished_at"] >= row["started_at"]
    assert row["told_at"] is not None
    (told,) = server.published(results)
    assert dict(told.attributes) == {
        "request_id": str(request), "correlation_id": "req_1", "pipeline": "play", "status": "completed"
    }  # fmt: skip
    result = json.loads(told.data)
    assert (result["status"], result["value"], result["message_id"]) == ("completed", {"played": "a"}, message_id)
    assert result["notes"] == ["attempt 1"]
    assert row["result"] == result
    assert json.loads((tmp_path / f"artifacts/pubsub/{request}/result.json").read_text()) == result


async def test_a_passing_failure_is_tried_again(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    work: Work, played: Path,
):  # fmt: skip
    clients.publish(topic, message("a", fail="transient", times=2))
    report = await work(subscription, ledger=ledger)
    assert (report.processed, report.failed, report.completed) == (3, 2, 1)
    assert plays(played, "began") == ["a"] * 3
    row = await database.pool.fetchrow("select status, attempts, error from rushes.requests")
    assert row is not None
    assert tuple(row) == ("completed", 3, None)
    assert [attempt for _, attempt in server.inspect(subscription).record.delivered] == [1, 2, 3]


@pytest.mark.parametrize("kind", ["transient", "bug"])
async def test_what_goes_on_failing_is_redelivered_till_its_dead_letter_limit(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    work: Work, kind: str,
):  # fmt: skip
    results = clients.topic()
    clients.publish(topic, message("a", fail=kind), message("b"))
    report = await work(subscription, ledger=ledger, pubsub_results=results)
    assert (report.failed, report.completed) == (5, 1)
    (letter,) = dead_letters(server, clients, subscription)
    assert letter.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    row = await database.pool.fetchrow("select * from rushes.requests where about like '%/a%'")
    assert row is not None
    assert (row["status"], row["attempts"], row["error_class"]) == ("failed", 5, kind)
    told = {json.loads(each.data)["status"]: json.loads(each.data) for each in server.published(results)}
    assert told["failed"]["error_class"] == kind
    assert len(server.published(results)) == 2


async def test_a_failure_without_a_policy_waits_and_ends_after_the_worker_s_own_attempts(
    server: PubSubServer, clients: Clients, topic: str, work: Work, played: Path
):
    subscription, dead = clients.subscription(topic), clients.topic()
    clients.publish(topic, message("a", fail="transient"))
    report = await work(subscription, pubsub_dead_letters=dead, item_attempts=2, empty=3)
    assert (report.failed, plays(played, "began")) == (2, ["a", "a"])
    record = server.inspect(subscription).record
    assert (len(record.expired), record.nacked) == (1, [])  # it was put off, not given back at once
    (letter,) = server.published(dead)
    assert letter.attributes["rushes_error_class"] == "transient"
    assert letter.attributes["rushes_attempts"] == "2"
    assert server.inspect(subscription).backlog == 0


@pytest.mark.parametrize(
    ("kind", "error", "remedy"),
    [("permanent", "not this one", "take another"), ("needs_input", "who are you?", "say it")],
)
async def test_what_no_retry_can_help_is_a_dead_letter_at_once(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    work: Work, kind: str, error: str, remedy: str,
):  # fmt: skip
    body = message("a", fail=kind)
    (message_id,) = clients.publish(topic, body, colour="red")
    report = await work(subscription, ledger=ledger)
    assert (report.failed, report.processed) == (1, 1)
    (letter,) = dead_letters(server, clients, subscription)
    assert letter.data == body.encode()
    assert dict(letter.attributes) == {
        "colour": "red", "rushes_error_class": kind, "rushes_error": error, "rushes_remedy": remedy,
        "rushes_message_id": message_id, "rushes_subscription": subscription, "rushes_attempts": "1",
    }  # fmt: skip
    assert server.inspect(subscription).record.acked == [message_id]
    row = await database.pool.fetchrow("select status, error_class, error, remedy from rushes.requests")
    assert row is not None
    assert tuple(row) == ("failed", kind, error, remedy)


MALFORMED = {
    "no JSON": (b"hello", "Invalid JSON"),
    "no object": (b"[1, 2]", "object"),
    "no UTF-8": (b'{"url": "\xff"}', "Invalid JSON"),
    "nested without end": (b"[" * 200_000, "Invalid JSON"),
    "no id": (json.dumps({"url": "https://example.org/a"}).encode(), "request_id: Field required"),
    "bad id": (message(request_id="42").encode(), "request_id: Input should be a valid UUID"),
    "no subject": (message(url=None).encode(), "wanted one of url, text, query"),
    "two subjects": (message(text="words").encode(), "found url and text"),
    "a file": (message(url="file:///etc/passwd").encode(), "only http and https"),
    "no address": (message(url="https:///nowhere").encode(), "not a web address"),
    "unknown pipeline": (message(pipeline="nonsense").encode(), "there is no pipeline 'nonsense'"),
    "unknown stage": (message(options={"dance": {}}).encode(), "there is no stage"),
    "unknown option": (message(options={"play": {"loud": 1}}).encode(), "there is no option 'play.loud'"),
    "no number": (message(options={"play": {"x": float("nan")}}).encode(), "options: "),
    "no end of a number": (
        message().replace('"pipeline"', f'"priority": {"9" * 5000}, "pipeline"').encode(),
        "number out of range",
    ),
    "wrong type": (message(priority="high").encode(), "priority: Input should be a valid integer"),
    "out of range": (message(priority=11).encode(), "priority: Input should be less than or equal to 10"),
    "half of the seed's": (
        json.dumps({"request_id": str(uuid4()), "student_query": "why?", "student_id": "s1"}).encode(),
        "grade_level missing",
    ),
    "too large": (message(text="x" * 1_000_000, url=None).encode(), "the limit is 1,000,000"),
}


async def test_malformed_messages_are_recorded_with_their_reasons_and_dead_lettered_once(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    work: Work,
):  # fmt: skip
    clients.publish(topic, *(data for data, _ in MALFORMED.values()), message("good"))
    report = await work(subscription, ledger=ledger)
    assert (report.failed, report.completed) == (len(MALFORMED), 1)
    letters = {letter.data: letter.attributes for letter in dead_letters(server, clients, subscription)}
    rows = await database.pool.fetch(
        "select message_id, error_class, error from rushes.requests where status = 'failed'"
    )
    recorded = {row["message_id"]: (row["error_class"], row["error"]) for row in rows}
    for what, (data, reason) in MALFORMED.items():
        assert reason in letters[data]["rushes_error"], what
        assert recorded[letters[data]["rushes_message_id"]] == ("permanent", letters[data]["rushes_error"]), what
    record = server.inspect(subscription).record
    assert len(record.acked) == len(record.delivered) == len(MALFORMED) + 1


async def test_a_malformed_message_with_an_id_is_known_by_it(
    clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database, work: Work
):
    request = uuid4()
    clients.publish(topic, message(request_id=str(request), correlation_id="req_7", priority=99))
    await work(subscription, ledger=ledger)
    row = await database.pool.fetchrow("select request_id, correlation_id, status from rushes.requests")
    assert row is not None
    assert tuple(row) == (request, "req_7", "failed")


async def test_a_malformed_message_is_recorded_once_however_often_it_comes(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    work: Work,
):  # fmt: skip
    clients.publish(topic, "hello")
    server.fail("Acknowledge", "PERMISSION_DENIED")
    report = await work(subscription, ledger=ledger)
    assert (report.exit_reason, report.stale) == (ExitReason.PAUSED, 1)
    server.advance(100)
    await work(subscription, ledger=ledger)
    assert server.inspect(subscription).backlog == 0
    assert await database.pool.fetchval("select count(*) from rushes.requests") == 1


async def test_without_a_dead_letter_topic_that_is_said_at_the_start(
    server: PubSubServer, clients: Clients, topic: str, work: Work, caplog: pytest.LogCaptureFixture
):
    subscription = clients.subscription(topic)
    clients.publish(topic, message("a", fail="permanent"))
    with caplog.at_level(logging.WARNING):
        await work(subscription)
    assert any("no dead-letter topic" in record.message for record in caplog.records)
    assert any("within this run alone" in record.message for record in caplog.records)
    assert server.inspect(subscription).backlog == 0


async def test_a_completed_request_that_comes_again_is_skipped(
    server: PubSubServer,
    clients: Clients,
    topic: str,
    subscription: str,
    ledger: StoredLedger,
    work: Work,
    played: Path,
):
    body = message("a")
    clients.publish(topic, body)
    await work(subscription, ledger=ledger)
    clients.publish(topic, body)
    report = await work(subscription, ledger=ledger)
    assert (report.processed, plays(played)) == (0, ["a"])
    assert server.inspect(subscription).backlog == 0


async def test_a_failed_request_that_comes_again_is_run_again(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    work: Work, played: Path,
):  # fmt: skip
    body = message("a", fail="permanent", times=1)
    clients.publish(topic, body)
    await work(subscription, ledger=ledger)
    clients.publish(topic, body)
    report = await work(subscription, ledger=ledger)
    assert (report.completed, plays(played, "began")) == (1, ["a", "a"])
    row = await database.pool.fetchrow("select status, attempts, error from rushes.requests")
    assert row is not None
    assert tuple(row) == ("completed", 1, None)


@pytest.mark.parametrize("kept", ["in a database", "in memory"])
async def test_two_messages_of_one_request_are_one(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, work: Work,
    played: Path, kept: str,
):  # fmt: skip
    body = message("a", sleep=0.2)
    clients.publish(topic, body, body)
    report = await work(subscription, ledger=ledger if kept == "in a database" else None, empty=2)
    assert (report.completed, plays(played, "began")) == (1, ["a"])
    assert server.inspect(subscription).backlog == 0


async def test_what_the_environment_lacks_pauses_the_worker_and_costs_no_attempt(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    work: Work, caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    clients.publish(topic, message("a", fail="environment"))
    report = await work(subscription, ledger=ledger)
    assert (report.exit_reason, report.released, report.processed) == (ExitReason.PAUSED, 1, 0)
    assert [each.data for each in server.inspect(subscription).waiting] != []
    row = await database.pool.fetchrow("select status, attempts, error from rushes.requests")
    assert row is not None
    assert tuple(row) == ("queued", 0, "the disk is full")
    (said,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "the disk is full" in said
    assert "free some space" in said


async def test_a_host_that_asked_for_rest_is_left_alone(
    clients: Clients, topic: str, subscription: str, work: Work, played: Path
):
    clients.publish(topic, message("a", fail="rate_limited"), message("b"))
    report = await work(subscription, slots=1)
    assert (report.failed, report.completed, plays(played, "began")) == (1, 0, ["a"])


async def test_to_wait_because_somebody_asked_for_it_is_no_delivery(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database,
    work: Work, played: Path,
):  # fmt: skip
    clients.publish(topic, message("a", fail="a_moment", times=1), message("b"), message("c"))
    report = await work(subscription, slots=1, empty=3, ledger=ledger)
    assert (report.failed, report.completed, report.exit_reason) == (1, 3, ExitReason.EMPTY)
    assert sorted(plays(played)) == ["a", "b", "c"]
    assert len(server.inspect(subscription).record.delivered) == 3
    rows = await database.pool.fetch("select status, attempts from rushes.requests")
    assert {tuple(row) for row in rows} == {("completed", 1)}


async def test_what_rests_is_not_waited_for(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work, played: Path
):
    clients.publish(topic, message("a", fail="rate_limited"))
    report = await work(subscription)
    assert (report.exit_reason, report.failed, plays(played)) == (ExitReason.EMPTY, 1, [])
    assert server.inspect(subscription).outstanding == ()
    assert server.inspect(subscription).backlog == 1


async def test_a_result_that_was_recorded_and_not_stored_is_stored_at_the_next_delivery(
    clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database, work: Work,
    tmp_path: Path,
):  # fmt: skip
    request = uuid4()
    clients.publish(topic, message("a", request_id=str(request)))
    await work(subscription, ledger=ledger)
    stored = tmp_path / f"artifacts/pubsub/{request}/result.json"
    before = stored.read_text()
    stored.unlink()  # as if the worker had died between the record and the file
    await database.pool.execute("update rushes.requests set told_at = null")
    clients.publish(topic, message("a", request_id=str(request)))
    await work(subscription, ledger=ledger)
    assert json.loads(stored.read_text()) == json.loads(before)


async def test_many_wrong_options_make_no_long_reason(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work
):
    flood = {"play": {f"option{n}": n for n in range(100)}}
    stages: dict[str, object] = {f"stage{n}": {} for n in range(10_000)}
    clients.publish(topic, message("a", options=flood), message("b", options=stages))
    report = await work(subscription)
    assert report.failed == 2
    reasons = [letter.attributes["rushes_error"] for letter in dead_letters(server, clients, subscription)]
    assert len(reasons) == 2
    assert all(len(reason) < 600 for reason in reasons), reasons


async def test_a_stranger_names_no_model_of_this_machine(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work
):
    clients.publish(topic, message("a", pipeline="transcribe", options={"transcribe": {"model": "/etc"}}))
    report = await work(subscription)
    assert (report.failed, report.exit_reason) == (1, ExitReason.EMPTY)
    (letter,) = dead_letters(server, clients, subscription)
    assert "transcribe.model cannot be set by who asks" in letter.attributes["rushes_error"]


async def test_a_message_of_the_seed_s_publisher_is_understood(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work
):
    results = clients.topic()
    seed = {
        "request_id": str(uuid4()), "student_id": "s-1", "student_query": "Why is the sky blue?", "grade_level": 10,
        "interest": "football", "requested_modalities": ["text"], "preferred_modality": "text", "environment": "dev",
        "correlation_id": "req_0123456789abcdef", "pipeline": "recite", "novelty": 1,
    }  # fmt: skip
    clients.publish(topic, json.dumps(seed), request_id="r", student_id="s-1", environment="dev")
    await work(subscription, pubsub_results=results)
    (told,) = server.published(results)
    result = json.loads(told.data)
    assert result["value"] == {
        "query": "Why is the sky blue?", "audience": "grade 10", "interest": "football", "modalities": ["text"]
    }  # fmt: skip
    assert result["correlation_id"] == "req_0123456789abcdef"
    assert result["about"] == "Why is the sky blue?"


async def test_a_result_that_cannot_be_stored_stops_the_worker_and_loses_nothing(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "pubsub").write_text("in the way")
    clients.publish(topic, message("a"))
    report = await work(subscription)
    assert report.exit_reason is ExitReason.PAUSED
    assert "results cannot be written" in caplog.text
    assert server.inspect(subscription).backlog == 1


async def test_what_is_left_when_the_worker_stops_is_there_for_others(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, work: Work
):
    clients.publish(topic, message("a", fail="environment"), *(message(f"m{n}") for n in range(3)))
    report = await work(subscription, slots=1)
    assert report.exit_reason is ExitReason.PAUSED
    assert server.inspect(subscription).outstanding == ()
    assert server.inspect(subscription).backlog == 4 - report.completed
