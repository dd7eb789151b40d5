"""What our server does as the service is documented to do, and what tests can make it do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import grpc
import pytest
from google.api_core import exceptions

from rushes.testing.pubsub import PubSubServer
from tests.docs.pages import python_blocks
from tests.pubsub import PROJECT, WITHIN, Clients, texts

NOT_ALL = exceptions.FailedPrecondition


@pytest.fixture
def topic(own: Clients) -> str:
    return own.topic()


def test_a_deadline_that_passes_brings_the_message_back(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic, ack_deadline_seconds=10)
    own.publish(topic, "one")
    (first,) = own.pull(subscription)
    server.advance(9)
    assert own.pull_now(subscription) == []
    server.advance(2)
    (second,) = own.pull(subscription)
    assert second.ack_id != first.ack_id
    own.ack(subscription, first)  # too late: the service says nothing, and the message is still out
    assert server.inspect(subscription).backlog == 1
    assert server.inspect(subscription).record.expired == [first.message.message_id]


def test_a_deadline_can_be_put_off(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic)
    own.publish(topic, "one")
    (got,) = own.pull(subscription)
    own.modify(subscription, 60, got)
    server.advance(50)
    assert own.pull_now(subscription) == []
    (out,) = server.inspect(subscription).outstanding
    assert out.message.data == b"one"
    assert out.attempt == 1
    assert 5 < out.seconds_left <= 10
    server.advance(11)
    assert texts(own.pull_now(subscription)) == ["one"]


def test_a_pull_that_waits_gets_what_comes_back(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic)
    own.publish(topic, "one")
    own.modify(subscription, 1, *own.pull(subscription))
    assert texts(own.pull(subscription)) == ["one"]


def test_a_retry_policy_lets_messages_rest_ever_longer(server: PubSubServer, own: Clients, topic: str):
    policy = {"minimum_backoff": {"seconds": 100}, "maximum_backoff": {"seconds": 300}}
    subscription = own.subscription(topic, retry_policy=policy)
    own.publish(topic, "one")
    for rest in (100, 200, 300, 300):
        own.nack(subscription, *own.pull(subscription))
        server.advance(rest - 1)
        assert own.pull_now(subscription) == []
        server.advance(1)
    assert texts(own.pull_now(subscription)) == ["one"]


def test_only_what_the_filter_lets_through_is_delivered(own: Clients, topic: str):
    kinds = {
        'attributes.colour = "red"': ["red"],
        'attributes.colour != "red"': ["green", "plain"],
        "attributes:colour": ["red", "green"],
        "NOT attributes:colour": ["plain"],
        "-attributes:colour": ["plain"],
        'hasPrefix(attributes.colour, "g")': ["green"],
        'attributes:colour AND NOT attributes.colour = "red"': ["green"],
        'attributes.colour="red" OR attributes.colour="green"': ["red", "green"],
        'attributes:"colour" AND (attributes.colour="red" OR attributes.colour="blue")': ["red"],
    }
    subscriptions = {own.subscription(topic, filter=text): expected for text, expected in kinds.items()}
    own.publish(topic, "red", colour="red")
    own.publish(topic, "green", colour="green")
    own.publish(topic, "plain")
    for subscription, expected in subscriptions.items():
        assert sorted(texts(own.pull_now(subscription))) == sorted(expected)


@pytest.mark.parametrize(
    "text",
    [
        "attributes", "attributes.colour", 'attributes.colour == "red"', 'colour = "red"', "attributes.colour = red",
        "attributes:a AND attributes:b OR attributes:c", "(attributes:a", "NOT", 'hasPrefix(attributes.a "b")',
        'attributes:a "b"', "attributes:a attributes:b", "#", f'attributes.a = "{"x" * 256}"',
    ],
)  # fmt: skip
def test_a_filter_that_is_none_is_refused(own: Clients, topic: str, text: str):
    with pytest.raises(exceptions.InvalidArgument, match="filter"):
        own.subscription(topic, filter=text)


def test_a_later_message_waits_for_all_before_it(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic, enable_message_ordering=True, ack_deadline_seconds=600)
    own.publish(topic, "a0", "a1", "a2", key="a")
    own.publish(topic, "b0", key="b")
    own.publish(topic, "free")
    first = own.pull(subscription, most=1)
    assert texts(first) == ["a0"]
    assert texts(own.pull_now(subscription)) == ["b0", "free"]
    own.ack(subscription, *first)
    assert texts(own.pull_now(subscription)) == ["a1", "a2"]


def test_what_follows_a_message_given_back_comes_again_even_if_acknowledged(
    server: PubSubServer, own: Clients, topic: str
):
    subscription = own.subscription(topic, enable_message_ordering=True, ack_deadline_seconds=600)
    own.publish(topic, "a0", "a1", "a2", key="a")
    got = own.pull(subscription)
    own.ack(subscription, got[1])
    own.nack(subscription, got[0])
    assert texts(own.pull_now(subscription)) == ["a0", "a1", "a2"]


def test_a_key_rests_as_long_as_its_first_message(server: PubSubServer, own: Clients, topic: str):
    policy = {"minimum_backoff": {"seconds": 100}}
    subscription = own.subscription(topic, enable_message_ordering=True, retry_policy=policy)
    own.publish(topic, "a0", "a1", key="a")
    own.publish(topic, "b0", key="b")
    got = own.pull(subscription)
    own.nack(subscription, got[0])
    own.ack(subscription, got[2])
    assert own.pull_now(subscription) == []
    server.advance(101)
    assert texts(own.pull_now(subscription)) == ["a0", "a1"]


def test_under_exactly_once_delivery_a_deadline_that_passed_is_told(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic, enable_exactly_once_delivery=True)
    own.publish(topic, "one")
    (got,) = own.pull(subscription)
    server.advance(11)
    for late in (lambda: own.ack(subscription, got), lambda: own.modify(subscription, 20, got)):
        with pytest.raises(NOT_ALL) as caught:
            late()
        assert dict(caught.value.metadata) == {got.ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"}


def test_under_exactly_once_delivery_a_key_is_acknowledged_in_order(own: Clients, topic: str):
    subscription = own.subscription(topic, enable_exactly_once_delivery=True, enable_message_ordering=True)
    own.publish(topic, "a0", "a1", key="a")
    got = own.pull(subscription)
    with pytest.raises(NOT_ALL) as caught:
        own.ack(subscription, got[1])
    assert dict(caught.value.metadata) == {got[1].ack_id: "TRANSIENT_FAILURE_UNORDERED_ACK_ID"}
    own.ack(subscription, *got)


def test_dead_letters_that_nobody_takes_stay(server: PubSubServer, own: Clients, topic: str):
    dead = own.topic()
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    subscription = own.subscription(topic, dead_letter_policy=policy)
    own.publisher.delete_topic(topic=dead)
    own.publish(topic, "one")
    for _ in range(7):
        own.nack(subscription, *own.pull(subscription))
    assert texts(own.pull(subscription)) == ["one"]


def test_a_detached_subscription_gets_no_more(own: Clients, topic: str):
    subscription = own.subscription(topic)
    own.publisher.detach_subscription(request={"subscription": subscription})
    own.publish(topic, "one")
    assert own.pull_now(subscription) == []
    assert own.subscriber.get_subscription(subscription=subscription).detached


@pytest.mark.parametrize(
    "options",
    [
        {"ack_deadline_seconds": 9}, {"ack_deadline_seconds": 601},
        {"dead_letter_policy": {"max_delivery_attempts": 5}},
        {"retry_policy": {"minimum_backoff": {"seconds": 601}}},
    ],
)  # fmt: skip
def test_a_subscription_beyond_the_limits_is_refused(own: Clients, topic: str, options):
    with pytest.raises(exceptions.InvalidArgument):
        own.subscription(topic, **options)


def test_what_it_cannot_do_it_refuses(own: Clients, topic: str):
    with pytest.raises(exceptions.MethodNotImplemented):
        own.subscription(topic, push_config={"push_endpoint": "https://example.org/"})
    with pytest.raises(exceptions.MethodNotImplemented):
        own.subscriber.list_snapshots(project=f"projects/{PROJECT}")


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([{"data": b"x"}] * 1001, "message_count"),
        ([], "message_count"),
        ([{}], "empty"),
        ([{"data": b"x" * 6_000_000}] * 2, "10485760"),
        ([{"data": b"x", "attributes": {str(n): "" for n in range(101)}}], "attributes"),
        ([{"data": b"x", "attributes": {"k" * 257: ""}}], "attribute"),
        ([{"data": b"x", "attributes": {"k": "v" * 1025}}], "attribute"),
        ([{"data": b"x", "attributes": {"google": ""}}], "attribute"),
        ([{"data": b"x", "ordering_key": "k" * 1025}], "ordering key"),
    ],
)
def test_what_may_not_be_published_is_refused(own: Clients, topic: str, messages, why: str):
    from google.pubsub_v1 import PublisherClient

    with pytest.raises(exceptions.InvalidArgument, match=why):
        PublisherClient(transport=own.publisher.transport).publish(topic=topic, messages=messages, retry=None)


def test_calls_beyond_the_limits_are_refused(own: Clients, topic: str):
    subscription = own.subscription(topic)
    own.publish(topic, "one")
    (got,) = own.pull(subscription)
    for call in (
        lambda: own.modify(subscription, 601, got),
        lambda: own.pull(subscription, most=0),
        lambda: own.ack(subscription),
        lambda: own.subscriber.acknowledge(subscription=subscription, ack_ids=["x" * 1000] * 600),
        lambda: own.publisher.create_topic(name="projects/p/topics/7"),
        lambda: own.subscriber.create_subscription(name="projects/p/topics/abc", topic=topic),
        lambda: own.subscriber.update_subscription(
            subscription={"name": subscription, "filter": "attributes:a"}, update_mask={"paths": ["filter"]}
        ),
    ):
        with pytest.raises(exceptions.InvalidArgument):
            call()


def test_a_call_can_be_made_to_fail(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic)
    own.publish(topic, "one")
    server.fail("Pull", "PERMISSION_DENIED", message="not you")
    with pytest.raises(exceptions.PermissionDenied, match="not you"):
        own.pull(subscription)
    assert texts(own.pull(subscription)) == ["one"]
    assert server.calls["Pull"] == 2


def test_an_answer_can_be_lost(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic)
    own.publish(topic, "one")
    server.cut("Pull")
    with pytest.raises(exceptions.ServiceUnavailable):
        own.pull(subscription)
    assert server.inspect(subscription).outstanding[0].message.data == b"one"
    assert own.pull_now(subscription) == []  # it waits for a deadline that nobody keeps
    server.advance(11)
    assert texts(own.pull(subscription)) == ["one"]


def test_a_pull_can_find_nothing_although_there_is_something(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic)
    own.publish(topic, "one")
    server.hide(times=2)
    assert [texts(own.pull(subscription)) for _ in range(3)] == [[], [], ["one"]]


def test_a_call_can_be_made_to_take_long(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic)
    server.delay("Pull", 2)
    with pytest.raises(exceptions.DeadlineExceeded):
        own.pull(subscription, within=0.2)


def test_acknowledgements_can_be_refused(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic, enable_exactly_once_delivery=True)
    own.publish(topic, "one")
    (got,) = own.pull(subscription)
    server.refuse_acks("TRANSIENT_FAILURE_SERVICE_UNAVAILABLE")
    with pytest.raises(NOT_ALL) as caught:
        own.ack(subscription, got)
    assert dict(caught.value.metadata) == {got.ack_id: "TRANSIENT_FAILURE_SERVICE_UNAVAILABLE"}
    own.ack(subscription, got)
    assert server.inspect(subscription).record.acked == [got.message.message_id]


def test_faults_can_be_called_off(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic)
    server.fail("Pull", times=100)
    server.forgive()
    assert own.pull_now(subscription) == []


def test_it_can_go_away_and_come_back_with_all_it_had(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic)
    own.publish(topic, "one")
    with server.away(), pytest.raises(exceptions.ServiceUnavailable):
        own.pull(subscription)
    request = {"subscription": subscription, "max_messages": 1}
    found = own.subscriber.pull(request=request, timeout=WITHIN)  # with the client's own retries: it reconnects
    assert texts(found.received_messages) == ["one"]


def test_going_away_ends_what_waits(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic)
    ended: list[object] = []

    def wait() -> None:
        try:
            ended.append(own.pull(subscription))
        except exceptions.GoogleAPICallError as error:
            ended.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not server.calls["Pull"]:
        pass
    server.stop()
    waiting.join(WITHIN)
    assert len(ended) == 1


def test_a_look_inside(server: PubSubServer, own: Clients, topic: str):
    subscription = own.subscription(topic)
    ids = own.publish(topic, *"abcd")
    got = own.pull(subscription, most=3)
    own.ack(subscription, got[0])
    own.nack(subscription, got[1])
    own.modify(subscription, 30, got[2])
    seen = server.inspect(subscription)
    assert [message.data for message in seen.waiting] == [b"b", b"d"]
    assert [out.message.data for out in seen.outstanding] == [b"c"]
    assert (seen.record.acked, seen.record.nacked, seen.record.extended) == ([ids[0]], [ids[1]], [ids[2]])
    assert seen.record.delivered == [(ids[0], 1), (ids[1], 1), (ids[2], 1)]
    assert seen.backlog == 3
    assert [message.data for message in server.published(topic)] == [b"a", b"b", b"c", b"d"]


def test_a_stream_keeps_within_what_its_client_can_stand(server: PubSubServer, own: Clients, topic: str):
    from google.cloud.pubsub_v1.types import FlowControl

    subscription = own.subscription(topic, ack_deadline_seconds=600)
    own.publish(topic, *(f"m{n}" for n in range(20)))
    held = []
    enough = threading.Event()

    def heard(message) -> None:
        held.append(message)
        enough.set()

    stream = own.subscriber.subscribe(subscription, heard, flow_control=FlowControl(max_messages=5))
    assert enough.wait(WITHIN)
    assert len(server.inspect(subscription).outstanding) <= 5
    stream.cancel()
    stream.result()


def test_as_a_process_it_says_where_it_listens_and_ends_when_told():
    program = [sys.executable, "-m", "rushes.testing.pubsub", "--port", "0"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout
        clients = Clients(process.stdout.readline().strip())
        topic = clients.topic()
        subscription = clients.subscription(topic)
        clients.publish(topic, "one")
        assert texts(clients.pull(subscription)) == ["one"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN) == 0
        clients.close()


def test_a_port_that_is_taken_is_an_error(server: PubSubServer):
    with pytest.raises(OSError, match=str(server.port)), PubSubServer(server.port):
        pass
    program = [sys.executable, "-m", "rushes.testing.pubsub", "--port", str(server.port)]
    ended = subprocess.run(program, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert str(server.port) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_page_s_example_runs(monkeypatch: pytest.MonkeyPatch):
    (code,) = python_blocks("docs/reference/testing-pubsub.md")
    module: dict[str, Any] = {}
    exec(compile(code, "testing-pubsub.md", "exec", dont_inherit=True), module)  # noqa: S102  (our own page)
    module["test_a_request_is_acknowledged"](monkeypatch)


def test_other_services_are_not_there(server: PubSubServer):
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/google.pubsub.v1.SchemaService/ListSchemas")(b"", timeout=WITHIN)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
