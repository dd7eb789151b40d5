"""The protocol's messages: the generated classes under those of Google's client, which are several times as fast."""

from __future__ import annotations

from google.protobuf import duration_pb2, empty_pb2
from google.pubsub_v1 import types

Empty = empty_pb2.Empty
Duration = duration_pb2.Duration

Topic = types.Topic.pb()
GetTopicRequest = types.GetTopicRequest.pb()
UpdateTopicRequest = types.UpdateTopicRequest.pb()
DeleteTopicRequest = types.DeleteTopicRequest.pb()
ListTopicsRequest = types.ListTopicsRequest.pb()
ListTopicsResponse = types.ListTopicsResponse.pb()
ListTopicSubscriptionsRequest = types.ListTopicSubscriptionsRequest.pb()
ListTopicSubscriptionsResponse = types.ListTopicSubscriptionsResponse.pb()
DetachSubscriptionRequest = types.DetachSubscriptionRequest.pb()
DetachSubscriptionResponse = types.DetachSubscriptionResponse.pb()
PublishRequest = types.PublishRequest.pb()
PublishResponse = types.PublishResponse.pb()
PubsubMessage = types.PubsubMessage.pb()

Subscription = types.Subscription.pb()
GetSubscriptionRequest = types.GetSubscriptionRequest.pb()
UpdateSubscriptionRequest = types.UpdateSubscriptionRequest.pb()
DeleteSubscriptionRequest = types.DeleteSubscriptionRequest.pb()
ListSubscriptionsRequest = types.ListSubscriptionsRequest.pb()
ListSubscriptionsResponse = types.ListSubscriptionsResponse.pb()
PullRequest = types.PullRequest.pb()
PullResponse = types.PullResponse.pb()
ReceivedMessage = types.ReceivedMessage.pb()
AcknowledgeRequest = types.AcknowledgeRequest.pb()
ModifyAckDeadlineRequest = types.ModifyAckDeadlineRequest.pb()
StreamingPullRequest = types.StreamingPullRequest.pb()
StreamingPullResponse = types.StreamingPullResponse.pb()
