"""What our server and Google's emulator do alike."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.pubsub_v1 import SubscriberAsyncClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from tests.pubsub import PROJECT, WITHIN, Clients, texts


def test_topics_and_subscriptions_come_and_go(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic, ack_deadline_seconds=20)
    with pytest.raises(exceptions.AlreadyExists):
        either.publisher.create_topic(name=topic)
    with pytest.raises(exceptions.AlreadyExists):
        either.subscriber.create_subscription(name=subscription, topic=topic)
    assert either.subscriber.get_subscription(subscription=subscription).ack_deadline_seconds == 20
    assert topic in [each.name for each in either.publisher.list_topics(project=f"projects/{PROJECT}")]
    assert subscription in [each.name for each in either.subscriber.list_subscriptions(project=f"projects/{PROJECT}")]
    assert list(either.publisher.list_topic_subscriptions(topic=topic)) == [subscription]

    either.publisher.delete_topic(topic=topic)
    assert either.subscriber.get_subscription(subscription=subscription).topic == "_deleted-topic_"
    either.subscriber.delete_subscription(subscription=subscription)
    for missing in (
        lambda: either.publisher.get_topic(topic=topic),
        lambda: either.subscriber.get_subscription(subscription=subscription),
        lambda: either.pull(subscription),
        lambda: either.publish(topic, "lost"),
    ):
        with pytest.raises(exceptions.NotFound):
            missing()


def test_a_subscription_can_be_changed(either: Clients):
    dead = either.topic()
    subscription = either.subscription(either.topic())
    wanted = {"name": subscription, "dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": 7}}
    request = {"subscription": wanted, "update_mask": {"paths": ["dead_letter_policy"]}}
    either.subscriber.update_subscription(request=request)
    found = either.subscriber.get_subscription(subscription=subscription)
    assert (found.dead_letter_policy.dead_letter_topic, found.dead_letter_policy.max_delivery_attempts) == (dead, 7)
    assert found.ack_deadline_seconds == 10


def test_what_is_acknowledged_does_not_come_again(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic)
    other = either.subscription(topic)
    ids = either.publish(topic, "one", "two", colour="red")
    got = either.pull(subscription)
    assert {each.message.message_id for each in got} == set(ids)
    assert sorted(texts(got)) == ["one", "two"]
    assert dict(got[0].message.attributes) == {"colour": "red"}
    assert got[0].delivery_attempt == 0  # told only where there is a dead-letter topic
    either.ack(subscription, *got)
    assert either.pull(subscription, within=2) == []
    assert sorted(texts(either.pull(other))) == ["one", "two"]


def test_a_pull_takes_no_more_than_it_asks_for(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic)
    either.publish(topic, *(f"m{n}" for n in range(10)))
    assert len(either.pull(subscription, most=3)) == 3


def test_a_pull_waits_for_a_message(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic)
    got: list[str] = []
    waiting = threading.Thread(target=lambda: got.extend(texts(either.pull(subscription))))
    waiting.start()
    either.publish(topic, "late")
    waiting.join(WITHIN)
    assert got == ["late"]


def test_what_is_given_back_comes_at_once_under_another_id(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic, ack_deadline_seconds=600)
    either.publish(topic, "one")
    (first,) = either.pull(subscription)
    either.nack(subscription, first)
    (second,) = either.pull(subscription)
    assert second.message.message_id == first.message.message_id
    assert second.ack_id != first.ack_id


def test_a_dead_letter_goes_to_its_topic_after_the_last_attempt(either: Clients):
    topic, dead = either.topic(), either.topic()
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    subscription = either.subscription(topic, dead_letter_policy=policy)
    graveyard = either.subscription(dead)
    either.publish(topic, "poison", colour="red")
    attempts = []
    for _ in range(5):
        (got,) = either.pull(subscription)
        attempts.append(got.delivery_attempt)
        either.nack(subscription, got)
    assert attempts == [1, 2, 3, 4, 5]
    assert either.pull(subscription, within=2) == []
    (letter,) = either.pull(graveyard)
    attributes = dict(letter.message.attributes)
    assert letter.message.data == b"poison"
    assert attributes["colour"] == "red"
    assert attributes["CloudPubSubDeadLetterSourceSubscription"] == subscription.rpartition("/")[2]
    assert attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"


def test_messages_of_one_key_come_in_order(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic, enable_message_ordering=True)
    either.publish(topic, *(f"a{n}" for n in range(5)), key="a")
    seen: list[str] = []
    while len(seen) < 5:
        got = either.pull(subscription)
        seen += texts(got)
        either.ack(subscription, *got)
    assert seen == [f"a{n}" for n in range(5)]


def test_messages_of_one_key_given_back_come_in_order_again(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic, enable_message_ordering=True, ack_deadline_seconds=600)
    either.publish(topic, "a0", "a1", "a2", key="a")
    got = either.pull_all(subscription, 3)
    assert texts(got) == ["a0", "a1", "a2"]
    either.nack(subscription, *got)
    assert texts(either.pull_all(subscription, 3)) == ["a0", "a1", "a2"]


def test_exactly_once_delivery_says_which_acknowledgements_did_not_count(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic, enable_exactly_once_delivery=True)
    either.publish(topic, "one", "two")
    got = either.pull_all(subscription, 2)
    either.ack(subscription, got[0])
    with pytest.raises((exceptions.InvalidArgument, exceptions.FailedPrecondition)) as caught:
        either.ack(subscription, *got)
    assert caught.value.reason == "EXACTLY_ONCE_ACKID_FAILURE"
    assert dict(caught.value.metadata) == {got[0].ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"}
    assert either.pull(subscription, within=2) == []  # the other one counted


def test_a_subscriber_is_given_each_message_once(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic)
    seen: Counter[str] = Counter()
    done = threading.Event()

    def heard(message) -> None:
        seen[message.data.decode()] += 1
        message.ack()
        if len(seen) == 200:
            done.set()

    stream = either.subscriber.subscribe(subscription, heard)
    either.publish(topic, *(f"m{n}" for n in range(200)))
    assert done.wait(WITHIN)
    stream.cancel()
    stream.result()
    assert set(seen.values()) == {1}


def test_a_subscriber_that_gives_back_gets_it_again(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic, enable_exactly_once_delivery=True)
    acked: list[Any] = []
    done = threading.Event()
    attempts = []

    def heard(message) -> None:
        attempts.append(message.data)
        if len(attempts) == 1:
            message.nack_with_response().result(WITHIN)
            return
        acked.append(message.ack_with_response())
        done.set()

    stream = either.subscriber.subscribe(subscription, heard)
    either.publish(topic, "one")
    assert done.wait(WITHIN)
    assert acked[0].result(WITHIN).name == "SUCCESS"
    stream.cancel()
    stream.result()
    assert attempts == [b"one", b"one"]


async def test_the_asynchronous_client_drives_it_too(either: Clients):
    topic = either.topic()
    subscription = either.subscription(topic)
    either.publish(topic, "one")
    async with grpc.aio.insecure_channel(either.address) as channel:
        client = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        request = {"subscription": subscription, "max_messages": 10}
        (got,) = (await client.pull(request=request, timeout=WITHIN)).received_messages
        await client.acknowledge(subscription=subscription, ack_ids=[got.ack_id])
    assert got.message.data == b"one"
    assert either.pull(subscription, within=2) == []
