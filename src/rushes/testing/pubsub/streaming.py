"""The call `StreamingPull`: messages come as they are published, acknowledgements go the other way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc

from rushes.testing.pubsub import wire
from rushes.testing.pubsub.calls import Calls
from rushes.testing.pubsub.limits import check_deadline
from rushes.testing.pubsub.messages import Delivery
from rushes.testing.pubsub.received import received
from rushes.testing.pubsub.refusals import UNORDERED_ACK_ID, Refused, invalid
from rushes.testing.pubsub.subscription import Subscription

AT_ONCE = 1000
"""Messages in one answer, and out on a stream whose client does not say how many it can stand."""
KEEPALIVE_SECONDS = 15.0
"""A client that speaks version 1 of the protocol takes a stream for dead that is silent for longer."""


@dataclass(slots=True)
class _Stream:
    """One client's stream."""

    subscription: str
    deadline: float
    """Seconds that its messages are out for."""
    most: int
    most_bytes: int
    keepalive: bool
    confirmed: list[tuple[str, str, str | None]] = field(default_factory=list)
    """What became of acknowledgements: field, id, reason of a failure."""
    ended: bool = False
    refused: Refused | None = None

    def room(self, out: list[Delivery]) -> int:
        """How many more messages it may be given."""
        mine = [each for each in out if each.stream is self]
        if self.most_bytes and sum(len(each.message.data) for each in mine) >= self.most_bytes:
            return 0
        return min(AT_ONCE, self.most - len(mine))


class Streaming:
    """Answers the call, one thread for each direction."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._broker = calls.broker

    def answer(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        """Hand out messages until either side ends the stream."""
        self._calls.begin("StreamingPull", context)
        first = next(requests, None)
        if first is None:
            return
        try:
            stream = self._open(first)
            context.add_callback(lambda: self._end(stream))
            threading.Thread(target=self._listen, args=(stream, first, requests), daemon=True).start()
            yield from self._hand_out(stream, context)
        except Refused as refused:
            refused.abort(context)

    def _open(self, first: Any) -> _Stream:
        with self._broker.changed:
            config = self._broker.subscription(first.subscription).config
        seconds = first.stream_ack_deadline_seconds
        check_deadline(seconds)
        return _Stream(
            first.subscription, seconds or config.ack_deadline_seconds, first.max_outstanding_messages or AT_ONCE,
            first.max_outstanding_bytes, keepalive=first.protocol_version > 0,
        )  # fmt: skip

    def _end(self, stream: _Stream) -> None:
        with self._broker.changed:
            stream.ended = True
            self._broker.changed.notify_all()

    def _listen(self, stream: _Stream, first: Any, requests: Iterator[Any]) -> None:
        """Take what the client says until it hangs up."""
        try:
            self._hear(stream, first)
            for request in requests:
                self._hear(stream, request)
        except Refused as refused:
            stream.refused = refused
        except grpc.RpcError:
            pass  # it hung up without a word
        self._end(stream)

    def _hear(self, stream: _Stream, request: Any) -> None:
        if len(request.modify_deadline_ack_ids) != len(request.modify_deadline_seconds):
            raise invalid("modify_deadline_ack_ids and modify_deadline_seconds have different lengths.")
        with self._broker.changed:
            self._broker.pass_time()
            subscription = self._broker.subscription(stream.subscription)
            stream.deadline = request.stream_ack_deadline_seconds or stream.deadline
            stream.confirmed += [
                ("acknowledge_confirmation", ack_id, subscription.acknowledge(ack_id)) for ack_id in request.ack_ids
            ]
            modified = zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True)
            stream.confirmed += [
                ("modify_ack_deadline_confirmation", ack_id, subscription.modify(ack_id, seconds, self._broker.now()))
                for ack_id, seconds in modified
            ]
            self._broker.changed.notify_all()

    def _hand_out(self, stream: _Stream, context: grpc.ServicerContext) -> Iterator[Any]:
        while answer := self._next(stream, context):
            yield answer

    def _next(self, stream: _Stream, context: grpc.ServicerContext) -> Any:
        """The next answer, when there is one; None at the end."""
        broker = self._broker
        with broker.changed:
            while context.is_active() and not (stream.ended or broker.closing):
                broker.pass_time()
                subscription = broker.subscription(stream.subscription)
                room = stream.room(subscription.outstanding)
                taken = subscription.take(room, broker.now(), stream.deadline, stream) if room > 0 else []
                answer = _answer(subscription, stream, taken)
                if answer:
                    return answer
                if not broker.changed.wait(KEEPALIVE_SECONDS) and stream.keepalive:
                    return wire.StreamingPullResponse(subscription_properties=_properties(subscription))
            if stream.refused:
                raise stream.refused
            return None


def _properties(subscription: Subscription) -> Any:
    return wire.StreamingPullResponse.SubscriptionProperties(
        exactly_once_delivery_enabled=subscription.exactly_once,
        message_ordering_enabled=subscription.config.enable_message_ordering,
    )


def _answer(subscription: Subscription, stream: _Stream, taken: list[Delivery]) -> Any:
    """Messages, and under exactly-once delivery what became of acknowledgements; None if there is neither."""
    confirmed = stream.confirmed if subscription.exactly_once else []
    stream.confirmed = []
    if not (taken or confirmed):
        return None
    answer = wire.StreamingPullResponse(
        received_messages=[received(subscription, each) for each in taken],
        subscription_properties=_properties(subscription),
    )
    for kind, ack_id, reason in confirmed:
        confirmation = getattr(answer, kind)
        if reason == UNORDERED_ACK_ID:
            confirmation.unordered_ack_ids.append(ack_id)
        elif reason:
            confirmation.invalid_ack_ids.append(ack_id)
        else:
            confirmation.ack_ids.append(ack_id)
    return answer
