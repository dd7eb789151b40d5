"""Topics and subscriptions, one lock over all of them, and a clock that tests may set forward."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rushes.testing.pubsub.messages import Delivery, Message
from rushes.testing.pubsub.refusals import Refused, exists, invalid, not_found
from rushes.testing.pubsub.subscription import Subscription

DELETED_TOPIC = "_deleted-topic_"


class Clock:
    """Seconds since 1970."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


class Broker:
    """What the server knows. Whoever reads or changes it holds `changed`, and is woken by it."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.now = Clock()
        self.closing = False
        self.topics: dict[str, Any] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.published: dict[str, list[Message]] = {}
        """By topic, all that ever came."""
        # A message's id is never that of another, also if the server begins anew.
        self._numbers = itertools.count(time.time_ns() // 1000)

    def topic(self, name: str) -> Any:
        """Raises: Refused."""
        if name not in self.topics:
            raise not_found(name)
        return self.topics[name]

    def subscription(self, name: str) -> Subscription:
        """Raises: Refused."""
        if name not in self.subscriptions:
            raise not_found(name)
        return self.subscriptions[name]

    def add_topic(self, topic: Any) -> None:
        if topic.name in self.topics:
            raise exists(topic.name)
        self.topics[topic.name] = topic
        self.published.setdefault(topic.name, [])

    def delete_topic(self, name: str) -> None:
        """Its subscriptions stay, with what they hold."""
        del self.topics[self.topic(name).name]
        for subscription in self.subscriptions.values():
            if subscription.config.topic == name:
                subscription.config.topic = DELETED_TOPIC

    def add_subscription(self, config: Any) -> None:
        if config.name in self.subscriptions:
            raise exists(config.name)
        self.topic(config.topic)
        self.check_dead_letters(config)
        self.subscriptions[config.name] = Subscription(config, self._forward)

    def delete_subscription(self, name: str) -> None:
        del self.subscriptions[self.subscription(name).config.name]
        self.changed.notify_all()

    def check_dead_letters(self, config: Any) -> None:
        """Raises: Refused."""
        topic = config.dead_letter_policy.dead_letter_topic
        if config.HasField("dead_letter_policy") and not topic:
            raise invalid("A dead letter policy names its topic.")
        if topic:
            self.topic(topic)

    def publish(self, topic: str, messages: Iterable[tuple[bytes, dict[str, str], str]]) -> list[str]:
        """Publish (data, attributes, ordering key). Returns the messages' ids. Raises: Refused."""
        self.topic(topic)
        now = self.now()
        added = [Message(next(self._numbers), data, attributes, key, now) for data, attributes, key in messages]
        self.published[topic] += added
        for subscription in self.subscriptions.values():
            if subscription.config.topic == topic and not subscription.config.detached:
                for message in added:
                    subscription.add(message)
        self.changed.notify_all()
        return [message.id for message in added]

    def pass_time(self) -> None:
        """Do what is due by the clock."""
        now = self.now()
        changed = [subscription for subscription in self.subscriptions.values() if subscription.pass_time(now)]
        if changed:
            self.changed.notify_all()

    def keep_time(self) -> None:
        """Do what is due when it is due, until the server closes: the work of a thread."""
        with self.changed:
            while not self.closing:
                self.pass_time()
                times = [at for each in self.subscriptions.values() if (at := each.next_change()) is not None]
                self.changed.wait(max(0.0, min(times) - self.now()) if times else None)

    def _forward(self, config: Any, delivery: Delivery) -> bool:
        """Publish a dead letter, with the attributes that the service adds."""
        message = delivery.message
        _, project, _, subscription = config.name.split("/")
        published = datetime.fromtimestamp(message.published, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        added = {
            "CloudPubSubDeadLetterSourceDeliveryCount": str(delivery.failures),
            "CloudPubSubDeadLetterSourceSubscription": subscription,
            "CloudPubSubDeadLetterSourceSubscriptionProject": project,
            "CloudPubSubDeadLetterSourceTopicPublishTime": published,
        }
        try:
            self.publish(
                config.dead_letter_policy.dead_letter_topic,
                [(message.data, {**message.attributes, **added}, message.key)],
            )
        except Refused:
            return False  # the topic is gone: it stays where it is
        return True
