"""Pub/Sub for tests: our own server, Google's emulator where gcloud has put it, and what is needed at either."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from .places import eventually

pubsub_v1: Any = importlib.import_module("google.cloud.pubsub_v1")
"""Google's clients. They come without types, in a namespace that others have some for."""
PROJECT = "rushes-tests"
WITHIN = 10.0
"""Seconds that any call may take."""


def find_google() -> Path | None:
    """Google's emulator, if gcloud has put it on this machine and Java runs it."""
    gcloud = shutil.which("gcloud")
    if gcloud is None or shutil.which("java") is None:
        return None
    program = Path(gcloud).resolve().parents[1] / "platform/pubsub-emulator/bin/cloud-pubsub-emulator"
    return program if program.is_file() else None


@contextlib.contextmanager
def google() -> Iterator[str]:
    """Google's emulator, running. Gives its address."""
    program = find_google()
    if program is None:
        pytest.skip("Google's emulator is not here: gcloud components install pubsub-emulator, and Java")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [str(program), "--host=127.0.0.1", f"--port={port}"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True) as process:
        try:
            assert eventually(lambda: listens(port)), "Google's emulator does not start"
            yield f"127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@dataclass
class Clients:
    """The real clients, at a server."""

    address: str
    publisher: Any = field(init=False)
    subscriber: Any = field(init=False)

    def __post_init__(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PUBSUB_EMULATOR_HOST", self.address)
            self.publisher = pubsub_v1.PublisherClient(
                publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
            )
            self.subscriber = pubsub_v1.SubscriberClient()

    def topic(self) -> str:
        """A new topic."""
        name = f"projects/{PROJECT}/topics/t{uuid.uuid4().hex[:10]}"
        self.publisher.create_topic(name=name)
        return name

    def subscription(self, topic: str, **options: Any) -> str:
        """A new subscription."""
        name = f"projects/{PROJECT}/subscriptions/s{uuid.uuid4().hex[:10]}"
        self.subscriber.create_subscription(request={"name": name, "topic": topic, **options})
        return name

    def publish(self, topic: str, *texts: str | bytes, key: str = "", **attributes: str) -> list[str]:
        """Publish. Returns the messages' ids."""
        data = [text.encode() if isinstance(text, str) else text for text in texts]
        futures = [self.publisher.publish(topic, each, ordering_key=key, **attributes) for each in data]
        return [future.result(WITHIN) for future in futures]

    def pull(self, subscription: str, most: int = 100, within: float = WITHIN) -> Sequence[Any]:
        """One pull. The client's own retries would hide what the server does."""
        request = {"subscription": subscription, "max_messages": most}
        answer = self.subscriber.pull(request=request, timeout=within, retry=None)
        return list(answer.received_messages)

    def pull_all(self, subscription: str, count: int) -> list[Any]:
        """Pull until there are so many: one pull may bring fewer than there are."""
        got: list[Any] = []
        while len(got) < count:
            got += self.pull(subscription)
        return got

    def pull_now(self, subscription: str, most: int = 1000) -> Sequence[Any]:
        """What can be delivered at this moment."""
        request = {"subscription": subscription, "max_messages": most, "return_immediately": True}
        with pytest.warns(DeprecationWarning, match="return_immediately"):
            return list(self.subscriber.pull(request=request, timeout=WITHIN, retry=None).received_messages)

    def ack(self, subscription: str, *messages: Any) -> None:
        ids = [each.ack_id for each in messages]
        self.subscriber.acknowledge(subscription=subscription, ack_ids=ids, timeout=WITHIN, retry=None)

    def modify(self, subscription: str, seconds: int, *messages: Any) -> None:
        self.subscriber.modify_ack_deadline(
            subscription=subscription, ack_ids=[each.ack_id for each in messages], ack_deadline_seconds=seconds,
            timeout=WITHIN, retry=None,
        )  # fmt: skip

    def nack(self, subscription: str, *messages: Any) -> None:
        self.modify(subscription, 0, *messages)

    def close(self) -> None:
        self.publisher.stop()
        self.publisher.transport.close()
        self.subscriber.close()


def texts(messages: Sequence[Any]) -> list[str]:
    return [each.message.data.decode() for each in messages]
