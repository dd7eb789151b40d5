"""The source at our server and at Google's own emulator, seen from outside alone."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from uuid import uuid4

from rushes.worker import ExitReason
from tests.pubsub import Clients

from .conftest import AT_ONCE, Start, Work, message, plays

EMPTY = 3
"""Seconds: Google's emulator ends a pull a second before its time."""


def with_dead_letters(clients: Clients, topic: str) -> tuple[str, str]:
    """A subscription, and one to its dead letters."""
    dead = clients.topic()
    graveyard = clients.subscription(dead)
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    return clients.subscription(topic, dead_letter_policy=policy, retry_policy=AT_ONCE), graveyard


async def test_everything_is_done_once_and_its_result_told(either: Clients, work: Work, played: Path):
    topic, results = either.topic(), either.topic()
    subscription, told = either.subscription(topic), either.subscription(results)
    either.publish(topic, *(message(f"m{n}", sleep=0.02) for n in range(40)))
    report = await work(subscription, slots=8, empty=EMPTY, pubsub_results=results)
    assert (report.completed, report.exit_reason) == (40, ExitReason.EMPTY)
    assert sorted(plays(played)) == sorted(f"m{n}" for n in range(40))
    assert either.pull_now(subscription) == []
    values = [json.loads(each.message.data)["value"]["played"] for each in either.pull_all(told, 40)]
    assert sorted(values) == sorted(f"m{n}" for n in range(40))


async def test_an_empty_subscription_is_empty(either: Clients, work: Work):
    report = await work(either.subscription(either.topic()), empty=EMPTY)
    assert (report.processed, report.exit_reason) == (0, ExitReason.EMPTY)


async def test_a_busy_worker_is_not_done(either: Clients, work: Work, played: Path):
    topic = either.topic()
    subscription = either.subscription(topic)
    either.publish(topic, message("long", sleep=4), message("behind"))
    report = await work(subscription, slots=1, empty=1)
    assert (report.completed, sorted(plays(played))) == (2, ["behind", "long"])


async def test_what_no_retry_can_help_is_a_dead_letter_once(either: Clients, work: Work):
    topic = either.topic()
    subscription, graveyard = with_dead_letters(either, topic)
    either.publish(topic, "hello", message("a", request_id="42"), message("b", fail="permanent"), message("c"))
    report = await work(subscription, empty=EMPTY)
    assert (report.failed, report.completed) == (3, 1)
    letters = either.pull_all(graveyard, 3)
    assert {each.message.attributes["rushes_error_class"] for each in letters} == {"permanent"}
    assert either.pull_now(subscription) == []


async def test_what_goes_on_failing_is_redelivered_till_its_dead_letter_limit(
    either: Clients, work: Work, played: Path
):
    topic = either.topic()
    subscription, graveyard = with_dead_letters(either, topic)
    either.publish(topic, message("a", fail="bug"))
    report = await work(subscription, empty=EMPTY)
    assert (report.failed, plays(played, "began")) == (5, ["a"] * 5)
    (letter,) = either.pull_all(graveyard, 1)
    assert letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"


async def test_a_completed_request_that_comes_again_is_skipped(either: Clients, work: Work, played: Path):
    topic = either.topic()
    subscription = either.subscription(topic)
    body = message("a", request_id=str(uuid4()), sleep=0.1)
    either.publish(topic, body, body, body)
    report = await work(subscription, slots=1, empty=EMPTY)
    assert (report.completed, plays(played)) == (1, ["a"])
    assert either.pull_now(subscription) == []


async def test_messages_of_one_key_are_worked_at_in_order(either: Clients, work: Work, played: Path):
    topic = either.topic()
    subscription = either.subscription(topic, enable_message_ordering=True)
    either.publish(topic, *(message(f"a{n}", sleep=0.02) for n in range(8)), key="a")
    report = await work(subscription, slots=4, empty=EMPTY)
    assert report.completed == 8
    assert plays(played) == [f"a{n}" for n in range(8)]


async def test_an_exactly_once_subscription_is_worked_at(either: Clients, work: Work, played: Path):
    topic = either.topic()
    subscription = either.subscription(topic, enable_exactly_once_delivery=True)
    either.publish(topic, *(message(f"m{n}", sleep=0.02) for n in range(10)))
    report = await work(subscription, slots=4, empty=EMPTY)
    assert (report.completed, report.stale) == (10, 0)
    assert sorted(plays(played, "began")) == [f"m{n}" for n in range(10)]


def test_sigterm_gives_back_what_is_not_done_at_once(either: Clients, start: Start, played: Path):
    topic = either.topic()
    subscription = either.subscription(topic, ack_deadline_seconds=600)
    either.publish(topic, *(message(f"m{n}", sleep=600) for n in range(10)))
    worker = start(subscription, "--concurrency", "3", "--grace", "0.5")
    worker.wait_for(lambda: len(plays(played, "began")) == 3)
    worker.signal(signal.SIGTERM)
    code, report = worker.end()
    assert (code, report["exit_reason"], report["released"]) == (0, "terminated", 3)
    assert len(either.pull_all(subscription, 10)) == 10


async def test_two_workers_share_a_subscription(either: Clients, work: Work, played: Path):
    topic = either.topic()
    subscription = either.subscription(topic)
    either.publish(topic, *(message(f"m{n}", sleep=0.05) for n in range(40)))
    reports = await asyncio.gather(*(work(subscription, slots=4, empty=EMPTY) for _ in range(2)))
    assert sum(report.completed for report in reports) == 40
    assert len(plays(played)) == 40
