"""The service `Subscriber`: subscriptions, and messages handed out, put off, given back and acknowledged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from rushes.testing.pubsub import wire
from rushes.testing.pubsub.calls import Calls, page, serialized, service
from rushes.testing.pubsub.faults import Fault
from rushes.testing.pubsub.limits import (
    FEWEST_ATTEMPTS,
    SHORTEST_DEADLINE,
    check_acks,
    check_deadline,
    check_pull,
    check_subscription,
)
from rushes.testing.pubsub.messages import Delivery
from rushes.testing.pubsub.received import received
from rushes.testing.pubsub.refusals import Refused
from rushes.testing.pubsub.streaming import Streaming
from rushes.testing.pubsub.subscription import Subscription
from rushes.testing.pubsub.updates import updated

LONGEST_WAIT = 90.0
"""Seconds a pull waits for a first message."""
_FIXED = frozenset({"name", "topic", "filter", "enable_message_ordering"})
"""What cannot be changed about a subscription."""


class Subscriber:
    """Answers its calls."""

    def __init__(self, calls: Calls, pull_wait: float) -> None:
        """`pull_wait` is the most seconds that a pull waits."""
        self._calls = calls
        self._broker = calls.broker
        self._pull_wait = pull_wait
        self._streaming = Streaming(calls)

    def service(self) -> grpc.GenericRpcHandler:
        unary = self._calls.unary
        handlers = (
            ("CreateSubscription", wire.Subscription, self._create),
            ("GetSubscription", wire.GetSubscriptionRequest, self._get),
            ("UpdateSubscription", wire.UpdateSubscriptionRequest, self._update),
            ("ListSubscriptions", wire.ListSubscriptionsRequest, self._list),
            ("DeleteSubscription", wire.DeleteSubscriptionRequest, self._delete),
            ("Pull", wire.PullRequest, self._pull),
            ("Acknowledge", wire.AcknowledgeRequest, self._acknowledge),
            ("ModifyAckDeadline", wire.ModifyAckDeadlineRequest, self._modify),
        )
        streaming = grpc.stream_stream_rpc_method_handler(
            self._streaming.answer,
            request_deserializer=wire.StreamingPullRequest.FromString,
            response_serializer=serialized,
        )
        answers = {name: unary(name, request, answer) for name, request, answer in handlers}
        return service("Subscriber", {**answers, "StreamingPull": streaming})

    def _create(self, config: Any, *_: Any) -> Any:
        check_subscription(config)
        with self._broker.changed:
            self._broker.add_subscription(_with_defaults(config))
        return config

    def _get(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            return self._broker.subscription(request.subscription).config

    def _update(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            subscription = self._broker.subscription(request.subscription.name)
            wanted = updated(subscription.config, request.subscription, request.update_mask.paths, _FIXED)
            check_subscription(wanted)
            self._broker.check_dead_letters(wanted)
            subscription.config.CopyFrom(_with_defaults(wanted))
            self._broker.changed.notify_all()
            return subscription.config

    def _list(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            subscriptions = self._broker.subscriptions
            names = sorted(name for name in subscriptions if name.startswith(f"{request.project}/"))
            shown, token = page(names, request)
            configs = [subscriptions[name].config for name in shown]
        return wire.ListSubscriptionsResponse(subscriptions=configs, next_page_token=token)

    def _delete(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            self._broker.delete_subscription(request.subscription)
        return wire.Empty()

    def _pull(self, request: Any, context: grpc.ServicerContext, fault: Fault | None) -> Any:
        check_pull(request.max_messages)
        deadline = time.monotonic() + (0 if request.return_immediately else self._patience(context))
        with self._broker.changed:
            while True:
                subscription = self._broker.subscription(request.subscription)
                if fault and fault.empty:
                    return wire.PullResponse()
                self._broker.pass_time()
                gone = not context.is_active()
                taken = [] if gone else self._take(subscription, request.max_messages)
                left = deadline - time.monotonic()
                if taken or gone or left <= 0 or self._broker.closing:
                    return wire.PullResponse(received_messages=[received(subscription, each) for each in taken])
                self._broker.changed.wait(left)

    def _patience(self, context: grpc.ServicerContext) -> float:
        """Seconds: until a second before the caller would give up, as Google's emulator does."""
        left = context.time_remaining()
        wait = self._pull_wait if left is None else min(self._pull_wait, left - min(1.0, left / 2))
        context.add_callback(self._wake)
        return wait

    def _wake(self) -> None:
        """Let those who wait see that one of them is gone."""
        with self._broker.changed:
            self._broker.changed.notify_all()

    def _take(self, subscription: Subscription, most: int) -> list[Delivery]:
        return subscription.take(most, self._broker.now(), subscription.config.ack_deadline_seconds)

    def _acknowledge(self, request: Any, _context: Any, fault: Fault | None) -> Any:
        check_acks(request)
        return self._each(request, fault, lambda subscription, ack_id: subscription.acknowledge(ack_id))

    def _modify(self, request: Any, _context: Any, fault: Fault | None) -> Any:
        check_acks(request)
        seconds = request.ack_deadline_seconds
        check_deadline(seconds)
        now = self._broker.now()
        return self._each(request, fault, lambda subscription, ack_id: subscription.modify(ack_id, seconds, now))

    def _each(self, request: Any, fault: Fault | None, change: Callable[[Subscription, str], str | None]) -> Any:
        with self._broker.changed:
            subscription = self._broker.subscription(request.subscription)
            self._broker.pass_time()
            if fault and fault.ack_ids:
                failed = dict.fromkeys(request.ack_ids, fault.ack_ids)
            else:
                failed = _failed(request.ack_ids, lambda ack_id: change(subscription, ack_id))
            self._broker.changed.notify_all()
        if failed and subscription.exactly_once:
            raise Refused(
                grpc.StatusCode.FAILED_PRECONDITION,
                "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids"
                " have expired or the acknowledgement ids were malformed.",
                ack_ids=failed,
            )
        return wire.Empty()


def _failed(ack_ids: Sequence[str], change: Callable[[str], str | None]) -> dict[str, str]:
    reasons = {ack_id: change(ack_id) for ack_id in ack_ids}
    return {ack_id: reason for ack_id, reason in reasons.items() if reason}


def _with_defaults(config: Any) -> Any:
    config.ack_deadline_seconds = config.ack_deadline_seconds or SHORTEST_DEADLINE
    if config.HasField("dead_letter_policy") and not config.dead_letter_policy.max_delivery_attempts:
        config.dead_letter_policy.max_delivery_attempts = FEWEST_ATTEMPTS
    return config
