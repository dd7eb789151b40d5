"""A topic full of requests about the demo's talks, and a worker at its subscription: what `rushes demo --pubsub` runs.

Some requests are good, one's video is broken, one comes twice, one lacks something, and some are no requests at all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from rushes.demo.channel import Channel

if TYPE_CHECKING:
    from rushes.testing.pubsub import Message, PubSubServer

PROJECT = "projects/demo"
SUBSCRIPTION = f"{PROJECT}/subscriptions/content-worker-sub-demo"
REQUESTS, RESULTS, DEAD_LETTERS = (f"{PROJECT}/topics/{name}" for name in ("requests", "results", "dead-letters"))
BOUNDS = ("--empty-timeout", "3", "--max-runtime", "600", "--concurrency", "3")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message, and what is to become of it."""

    data: bytes
    about: str
    """What it is, for the reader."""
    request_id: str | None
    """None: it names none that counts."""
    expected: str
    """`completed`, `failed`, or `dead letter` for what is none of ours to run."""


class DemoMessages:
    """Requests about a channel's talks on a Pub/Sub server."""

    def __init__(self, server: PubSubServer, channel: Channel) -> None:
        self._server = server
        self._channel = channel
        self.sent = list(_messages(channel))

    def publish(self) -> None:
        """Make topics and the subscription, and publish."""
        import grpc
        from google.pubsub_v1 import PublisherClient, PubsubMessage, SubscriberClient
        from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
        from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

        with grpc.insecure_channel(self._server.address) as channel:
            publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
            for topic in (REQUESTS, RESULTS, DEAD_LETTERS):
                publisher.create_topic(name=topic)
            policy = {"dead_letter_topic": DEAD_LETTERS, "max_delivery_attempts": 5}
            subscriber.create_subscription(
                request={"name": SUBSCRIPTION, "topic": REQUESTS, "dead_letter_policy": policy}
            )
            publisher.publish(topic=REQUESTS, messages=[PubsubMessage(data=each.data) for each in self.sent])

    def work(self, database_url: str) -> int:
        """Run a worker, as anybody would start it, until there is nothing left. Returns its exit code."""
        environment = {
            **os.environ, "PUBSUB_EMULATOR_HOST": self._server.address, "RUSHES_DATABASE_URL": database_url,
            "RUSHES_PUBSUB_SUBSCRIPTION": SUBSCRIPTION, "RUSHES_PUBSUB_RESULTS": RESULTS,
            "RUSHES_PUBSUB_DEAD_LETTERS": "", "RUSHES_MODEL": "",
            "RUSHES_ALLOWED_HOSTS": urlsplit(self._channel.address).netloc,
        }  # fmt: skip
        command = [sys.executable, "-m", "rushes", "worker", "--source", "pubsub", *BOUNDS]
        quiet = subprocess.DEVNULL
        return subprocess.run(command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, check=False).returncode

    def results(self) -> Mapping[str, Mapping[str, Any]]:
        """What was published of requests that have ended, by their ids."""
        told = [json.loads(message.data) for message in self._server.published(RESULTS)]
        return {result["request_id"]: result for result in told if result["request_id"]}

    def dead_letters(self) -> Sequence[Message]:
        return self._server.published(DEAD_LETTERS)

    @property
    def left(self) -> int:
        """Messages that are not acknowledged."""
        return self._server.inspect(SUBSCRIPTION).backlog

    def as_expected(self) -> bool:
        """Whether each message ended as it should, each dead letter came once, and nothing is left."""
        told = [json.loads(message.data)["request_id"] for message in self._server.published(RESULTS)]
        results, letters = self.results(), [letter.data for letter in self.dead_letters()]
        for sent in self.sent:
            status = results.get(sent.request_id or "", {}).get("status")
            dead = letters.count(sent.data)
            if (sent.expected == "completed") != (status == "completed") or dead != (sent.expected != "completed"):
                return False
        return self.left == 0 and len(told) == len(set(told) - {None}) + told.count(None)


def _messages(channel: Channel) -> Iterator[Sent]:
    pipelines = ("summarize", "transcribe")
    for number, each in enumerate(channel.talks):
        request_id = str(uuid4())
        pipeline = pipelines[number % 2]
        request = {
            "request_id": request_id, "url": each.page_url, "pipeline": pipeline, "correlation_id": f"demo-{number}"
        }  # fmt: skip
        expected = "failed" if each.talk.broken_off else "completed"
        sent = Sent(json.dumps(request).encode(), f"{pipeline}: {each.talk.title}", request_id, expected)
        yield sent
        if number == 0:
            yield Sent(sent.data, "the same request once more", request_id, expected)
    yield from _about_words(channel)
    yield _wrong("no JSON", b"please summarize the talk on tides")
    url = channel.talks[0].page_url
    yield _wrong("an id that is no UUID", _request(request_id="42", url=url))
    yield _wrong("no video, no text, no question", _request())
    yield _wrong("an unknown pipeline", _request(url=url, pipeline="translate"))
    yield _wrong("an option that no stage has", _request(url=url, options={"summarize": {"size": "small"}}))
    yield _wrong("a file of the worker's machine", _request(url="file:///etc/passwd"))


def _about_words(channel: Channel) -> Iterator[Sent]:
    """What `generate` is for: a text, of which a script is made offline, and a question, which only a model can answer."""
    first, second = str(uuid4()), str(uuid4())
    text = {"request_id": first, "text": channel.talks[0].talk.text, "modalities": ["text"]}
    yield Sent(json.dumps(text).encode(), "generate: a script of a text", first, "completed")
    question = {
        "request_id": second, "student_id": "s-1", "student_query": "Why does the sea rise twice a day?",
        "grade_level": 10, "interest": "sailing", "requested_modalities": ["text"],
    }  # fmt: skip
    yield Sent(json.dumps(question).encode(), "a question, and no model to answer it", second, "failed")


def _request(**fields: Any) -> bytes:
    return json.dumps({"request_id": str(uuid4()), **fields}).encode()


def _wrong(what: str, data: bytes) -> Sent:
    return Sent(data, what, None, "dead letter")
