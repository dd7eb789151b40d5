"""Full names of subscription and topics, from settings that may hold short ones. Found to be lacking before any call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from rushes.errors import SettingsError
from rushes.settings import Settings

DEFAULT = "content-worker-sub-{environment}"
"""The subscription, where only the environment is told."""


@dataclass(frozen=True, slots=True)
class Names:
    """Full names: `projects/…/subscriptions/…`, `projects/…/topics/…`."""

    subscription: str
    dead_letters: str | None = None
    results: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Raises: SettingsError, which names the variable that is lacking."""
        return cls(
            _full(settings, "subscriptions", _subscription(settings)),
            _full(settings, "topics", settings.pubsub_dead_letters) if settings.pubsub_dead_letters else None,
            _full(settings, "topics", settings.pubsub_results) if settings.pubsub_results else None,
        )


def _subscription(settings: Settings) -> str:
    environment = settings.pubsub_environment
    if settings.pubsub_subscription is None and environment is not None:
        if not re.fullmatch(r"[A-Za-z0-9_.~+%-]{1,200}", environment):
            raise SettingsError(f"ENVIRONMENT: wanted a part of a subscription's name, found {environment!r}")
        return DEFAULT.format(environment=environment)
    settings.require("pubsub_subscription")
    assert settings.pubsub_subscription
    return settings.pubsub_subscription


def _full(settings: Settings, kind: str, name: str) -> str:
    if "/" in name:
        return name
    try:
        settings.require("pubsub_project")
    except SettingsError as error:
        raise SettingsError(
            error.reason, remedy=f"Name the project of {name!r}, or give it as projects/PROJECT/{kind}/{name}."
        ) from None
    return f"projects/{settings.pubsub_project}/{kind}/{name}"
