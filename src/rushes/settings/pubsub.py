"""Settings of the source `pubsub`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from rushes.settings.cloud import CloudSettings
from rushes.settings.durations import Seconds
from rushes.settings.reading import named

_ID = r"[A-Za-z][A-Za-z0-9_.~+%-]{2,254}"
Subscription = Annotated[str, Field(pattern=rf"^(projects/[a-z0-9.:-]+/subscriptions/)?{_ID}$")]
Topic = Annotated[str, Field(pattern=rf"^(projects/[a-z0-9.:-]+/topics/)?{_ID}$")]


class PubSubSettings(CloudSettings):
    """A subscription, and where results and dead letters go."""

    pubsub_project: str | None = Field(
        default=None, pattern=r"^[a-z0-9.:-]+$", validation_alias=named("pubsub_project", "GCP_PROJECT_ID")
    )
    """The project of the subscription and the topics, where their names do not say."""
    pubsub_subscription: Subscription | None = Field(
        default=None, validation_alias=named("pubsub_subscription", "PUBSUB_SUBSCRIPTION")
    )
    """The subscription: its name, or `projects/…/subscriptions/…`. By default `content-worker-sub-` and the environment."""
    pubsub_environment: str | None = Field(default=None, validation_alias=named("pubsub_environment", "ENVIRONMENT"))
    """Such as `dev` or `prod`: the end of the subscription's name, where that is not given."""
    pubsub_dead_letters: Topic | None = Field(default=None, validation_alias=named("pubsub_dead_letters"))
    """The topic of messages that no retry can help. By default the subscription's own dead-letter topic."""
    pubsub_results: Topic | None = Field(default=None, validation_alias=named("pubsub_results"))
    """A topic that every result is published to."""
    pubsub_pull: Seconds = Field(default=timedelta(seconds=30), validation_alias=named("pubsub_pull"))
    """How long one request for messages waits for some; no longer than half of `empty_timeout`."""
