"""Settings of the source `pubsub`."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from rushes.settings.cloud import CloudSettings
from rushes.settings.durations import Seconds
from rushes.settings.reading import named


class PubSubSettings(CloudSettings):
    """A subscription, and where results and dead letters go."""

    pubsub_project: str | None = Field(
        default=None, pattern=r"^[a-z0-9.:-]+$", validation_alias=named("pubsub_project", "GCP_PROJECT_ID")
    )
    """The project of the subscription and the topics, where their names do not say."""
    pubsub_subscription: str | None = Field(
        default=None, validation_alias=named("pubsub_subscription", "PUBSUB_SUBSCRIPTION")
    )
    """The subscription: its name, or `projects/…/subscriptions/…`."""
    pubsub_dead_letters: str | None = Field(default=None, validation_alias=named("pubsub_dead_letters"))
    """The topic of messages that no retry can help. By default the subscription's own dead-letter topic."""
    pubsub_results: str | None = Field(default=None, validation_alias=named("pubsub_results"))
    """A topic that every result is published to."""
    pubsub_pull: Seconds = Field(default=timedelta(seconds=30), validation_alias=named("pubsub_pull"))
    """How long one request for messages waits for some."""
