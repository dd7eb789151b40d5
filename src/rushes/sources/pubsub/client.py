"""The two clients of Pub/Sub, over one channel of our own.

The low-level clients, because the others would take half a second more to import and lease messages behind our back. They do
not look at `PUBSUB_EMULATOR_HOST`, so that the channel is made here, for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import rushes.forks  # noqa: F401  (before gRPC)

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError
    from google.pubsub_v1.types import PubsubMessage, ReceivedMessage

T = TypeVar("T")

EMULATOR = "PUBSUB_EMULATOR_HOST"
ENDPOINT = "pubsub.googleapis.com:443"
AT_ONCE = 1000
"""Ids in one call: a call has room for half a megabyte, an id has about 200 bytes."""
LARGEST_PUBLISH = 9_000_000
"""Bytes of one call to publish: the service takes 10 MB, with all that is around the data."""
CALL_SECONDS = 10.0
"""How long any call may take that does not wait for messages."""
INVALID = "PERMANENT_FAILURE_INVALID_ACK_ID"
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),  # a pull of large messages exceeds gRPC's own 4 MB
    ("grpc.max_send_message_length", -1),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 30_000),
)


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What the worker needs to know of its subscription. Defaults: of one that it may not look at."""

    exactly_once: bool = False
    ordered: bool = True
    """Whether order by key is promised, or may be."""
    dead_letter_topic: str | None = None
    max_attempts: int | None = None
    """Deliveries before a message becomes a dead letter."""
    backs_off: bool = False
    """Whether it has a retry policy, by which what is given back waits."""


class Client:
    """Calls of one subscription, and of topics. Close it."""

    def __init__(self, subscription: str) -> None:
        """Raises: `google.auth.exceptions.GoogleAuthError` (there are no credentials)."""
        import grpc.aio
        from google.pubsub_v1 import PublisherAsyncClient, SubscriberAsyncClient
        from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
        from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

        host = os.environ.get(EMULATOR)
        if host:
            self._channel = grpc.aio.insecure_channel(host, options=_OPTIONS)
        else:
            self._channel = SubscriberGrpcAsyncIOTransport.create_channel(ENDPOINT, options=_OPTIONS)
        self._subscription = subscription
        self._subscriber = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=self._channel))
        self._publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=self._channel))

    async def close(self) -> None:
        await self._channel.close()

    async def facts(self) -> SubscriptionFacts:
        """The subscription's configuration."""
        found = await self._subscriber.get_subscription(
            subscription=self._subscription, timeout=CALL_SECONDS, retry=None
        )
        policy = found.dead_letter_policy
        return SubscriptionFacts(
            exactly_once=found.enable_exactly_once_delivery,
            ordered=found.enable_message_ordering,
            dead_letter_topic=policy.dead_letter_topic or None,
            max_attempts=policy.max_delivery_attempts or None if policy.dead_letter_topic else None,
            backs_off="retry_policy" in found,
        )

    async def topic_exists(self, topic: str) -> bool:
        """Whether there is such a topic; also true where that may not be asked."""
        from google.api_core import exceptions

        try:
            await self._publisher.get_topic(topic=topic, timeout=CALL_SECONDS, retry=None)
        except exceptions.NotFound:
            return False
        except exceptions.PermissionDenied:
            return True  # to publish to it is another right
        return True

    async def pull(self, most: int, seconds: float) -> Sequence[ReceivedMessage]:
        """Wait for messages, so long at most. That none came in time is no error."""
        from google.api_core import exceptions

        request = {"subscription": self._subscription, "max_messages": most}
        try:
            answer = await self._subscriber.pull(request=request, timeout=seconds, retry=None)
        except exceptions.DeadlineExceeded:
            return ()
        return list(answer.received_messages)

    async def acknowledge(self, ack_ids: Sequence[str]) -> Mapping[str, str]:
        """Acknowledge. Returns the ids for which it did not count, each with the reason: see `modify`."""
        return await self._each(ack_ids, self._subscriber.acknowledge)

    async def modify(self, ack_ids: Sequence[str], seconds: int) -> Mapping[str, str]:
        """Put off when these are delivered again; 0: now.

        Returns the ids for which it did not count, with the reason (`PERMANENT_FAILURE_…`, `TRANSIENT_FAILURE_…`). Only a
        subscription with exactly-once delivery tells.
        """
        return await self._each(ack_ids, self._subscriber.modify_ack_deadline, ack_deadline_seconds=seconds)

    async def publish(self, topic: str, messages: Sequence[PubsubMessage]) -> None:
        for some in _portions(messages):
            await self._publisher.publish(topic=topic, messages=some, timeout=CALL_SECONDS, retry=None)

    async def _each(self, ack_ids: Sequence[str], call: Any, **arguments: Any) -> Mapping[str, str]:
        from google.api_core.exceptions import GoogleAPICallError

        failed: dict[str, str] = {}
        for start in range(0, len(ack_ids), AT_ONCE):
            some = list(ack_ids[start : start + AT_ONCE])
            request = {"subscription": self._subscription, "ack_ids": some, **arguments}
            try:
                await call(request=request, timeout=CALL_SECONDS, retry=None)
            except GoogleAPICallError as error:
                reasons = _reasons(error)
                if not reasons:
                    raise
                failed.update(reasons)
        return failed


def _reasons(error: GoogleAPICallError) -> Mapping[str, str]:
    """The ids that a call did not count for, as exactly-once delivery tells them."""
    if error.reason != "EXACTLY_ONCE_ACKID_FAILURE":
        return {}
    return dict(error.metadata or {})


def _portions(messages: Iterable[PubsubMessage]) -> Iterable[list[PubsubMessage]]:
    """What fits into one call each."""
    portion: list[PubsubMessage] = []
    size = 0
    for message in messages:
        more = type(message).pb(message).ByteSize() + 10
        if portion and (len(portion) == AT_ONCE or size + more > LARGEST_PUBLISH):
            yield portion
            portion, size = [], 0
        portion.append(message)
        size += more
    if portion:
        yield portion
