"""The service `Publisher`: topics, and what is published to them."""

from __future__ import annotations

from typing import Any

import grpc

from rushes.testing.pubsub import wire
from rushes.testing.pubsub.calls import Calls, page, service
from rushes.testing.pubsub.limits import check_messages, check_topic
from rushes.testing.pubsub.updates import updated


class Publisher:
    """Answers its calls."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._broker = calls.broker

    def service(self) -> grpc.GenericRpcHandler:
        unary = self._calls.unary
        handlers = (
            ("CreateTopic", wire.Topic, self._create),
            ("UpdateTopic", wire.UpdateTopicRequest, self._update),
            ("GetTopic", wire.GetTopicRequest, self._get),
            ("ListTopics", wire.ListTopicsRequest, self._list),
            ("ListTopicSubscriptions", wire.ListTopicSubscriptionsRequest, self._list_subscriptions),
            ("DeleteTopic", wire.DeleteTopicRequest, self._delete),
            ("DetachSubscription", wire.DetachSubscriptionRequest, self._detach),
            ("Publish", wire.PublishRequest, self._publish),
        )
        return service("Publisher", {name: unary(name, request, answer) for name, request, answer in handlers})

    def _create(self, topic: Any, *_: Any) -> Any:
        check_topic(topic)
        with self._broker.changed:
            self._broker.add_topic(topic)
        return topic

    def _update(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            topic = self._broker.topic(request.topic.name)
            wanted = updated(topic, request.topic, request.update_mask.paths, {"name"})
            check_topic(wanted)
            topic.CopyFrom(wanted)
            return topic

    def _get(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            return self._broker.topic(request.topic)

    def _list(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            names = sorted(name for name in self._broker.topics if name.startswith(f"{request.project}/"))
            shown, token = page(names, request)
            topics = [self._broker.topics[name] for name in shown]
        return wire.ListTopicsResponse(topics=topics, next_page_token=token)

    def _list_subscriptions(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            self._broker.topic(request.topic)
            subscriptions = self._broker.subscriptions
            names = sorted(name for name, each in subscriptions.items() if each.config.topic == request.topic)
        shown, token = page(names, request)
        return wire.ListTopicSubscriptionsResponse(subscriptions=shown, next_page_token=token)

    def _delete(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            self._broker.delete_topic(request.topic)
        return wire.Empty()

    def _detach(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            self._broker.subscription(request.subscription).config.detached = True
            self._broker.changed.notify_all()
        return wire.DetachSubscriptionResponse()

    def _publish(self, request: Any, *_: Any) -> Any:
        with self._broker.changed:
            self._broker.topic(request.topic)
            check_messages(request)
            given = [(each.data, dict(each.attributes), each.ordering_key) for each in request.messages]
            return wire.PublishResponse(message_ids=self._broker.publish(request.topic, given))
