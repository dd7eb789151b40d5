"""Pub/Sub as a source of work: the messages of a subscription."""

from rushes.sources.pubsub.names import Names
from rushes.sources.pubsub.source import PubSubSource

__all__ = ["Names", "PubSubSource"]
