"""A delivery as the client gets it."""

from __future__ import annotations

from typing import Any

from rushes.testing.pubsub import wire
from rushes.testing.pubsub.messages import Delivery
from rushes.testing.pubsub.subscription import Subscription


def received(subscription: Subscription, delivery: Delivery) -> Any:
    """Attempts are told only where there is a dead-letter topic."""
    message = delivery.message
    told = wire.ReceivedMessage(
        ack_id=delivery.ack_id,
        message=wire.PubsubMessage(
            data=message.data, attributes=message.attributes, message_id=message.id, ordering_key=message.key
        ),
        delivery_attempt=delivery.attempt if subscription.config.dead_letter_policy.dead_letter_topic else 0,
    )
    told.message.publish_time.FromNanoseconds(round(message.published * 1e9))
    return told
