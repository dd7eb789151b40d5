"""The service's limits (https://cloud.google.com/pubsub/quotas#resource_limits), and what this server cannot do."""

from __future__ import annotations

import re
from typing import Any

from rushes.testing.pubsub.refusals import invalid, unable

MOST_MESSAGES = 1000
"""In one call."""
LARGEST_REQUEST = 10 * 2**20
"""Bytes of a call to publish."""
LARGEST_ACK_REQUEST = 512 * 2**10
"""Bytes of a call to acknowledge or to modify deadlines."""
MOST_ATTRIBUTES = 100
LONGEST_KEY, LONGEST_VALUE, LONGEST_ORDERING_KEY = 256, 1024, 1024
"""Bytes."""
SHORTEST_DEADLINE, LONGEST_DEADLINE = 10, 600
"""Seconds."""
FEWEST_ATTEMPTS, MOST_ATTEMPTS = 5, 100
"""Deliveries before a message is a dead letter. The least is the default."""
SHORTEST_BACKOFF, LONGEST_BACKOFF = 10.0, 600.0
"""Seconds, the defaults of a retry policy; its least may be 0."""
_NAME = re.compile(r"projects/([^/]+)/(topics|subscriptions)/((?!goog)[A-Za-z][A-Za-z0-9_.~+%-]{2,254})")
_UNABLE = {
    "push_config": "push", "bigquery_config": "exports", "cloud_storage_config": "exports", "bigtable_config": "exports",
    "message_transforms": "transforms",
}  # fmt: skip


def check_name(name: str, kind: str) -> None:
    """`kind` is `topics` or `subscriptions`. Raises: Refused."""
    found = _NAME.fullmatch(name)
    if not found or found[2] != kind:
        raise invalid(f"Invalid resource name given (name={name}): wanted projects/PROJECT/{kind}/NAME")


def check_topic(topic: Any) -> None:
    check_name(topic.name, "topics")
    for field in ("schema_settings", "ingestion_data_source_settings"):
        if topic.HasField(field):
            raise unable(field.replace("_", " "))


def check_subscription(config: Any) -> None:
    """Whether a subscription may be like this. A deadline of 0 stands for the default. Raises: Refused."""
    check_name(config.name, "subscriptions")
    for descriptor, _ in config.ListFields():
        if descriptor.name in _UNABLE:
            raise unable(_UNABLE[descriptor.name])
    if config.ack_deadline_seconds and not SHORTEST_DEADLINE <= config.ack_deadline_seconds <= LONGEST_DEADLINE:
        raise invalid(
            f"Invalid ack deadline given: from {SHORTEST_DEADLINE} to {LONGEST_DEADLINE} seconds are possible."
        )
    attempts = config.dead_letter_policy.max_delivery_attempts
    if attempts and not FEWEST_ATTEMPTS <= attempts <= MOST_ATTEMPTS:
        raise invalid(f"max_delivery_attempts is {attempts}: from {FEWEST_ATTEMPTS} to {MOST_ATTEMPTS} are possible.")
    for backoff in (config.retry_policy.minimum_backoff, config.retry_policy.maximum_backoff):
        if not 0 <= backoff.ToMilliseconds() <= LONGEST_BACKOFF * 1000:
            raise invalid(f"Invalid backoff given: from 0 to {LONGEST_BACKOFF:.0f} seconds are possible.")


def check_messages(request: Any) -> None:
    """Whether messages may be published together. Raises: Refused."""
    if not 0 < len(request.messages) <= MOST_MESSAGES:
        raise invalid(f"The value for message_count is invalid: from 1 to {MOST_MESSAGES} are possible.")
    if request.ByteSize() > LARGEST_REQUEST:
        raise invalid(f"Request payload size exceeds the limit: {LARGEST_REQUEST} bytes.")
    for message in request.messages:
        _check_message(message)


def _check_message(message: Any) -> None:
    attributes = message.attributes
    if not message.data and not attributes:
        raise invalid("One or more messages in the publish request is empty: it has neither data nor attributes.")
    if len(attributes) > MOST_ATTRIBUTES:
        raise invalid(f"A message has {len(attributes)} attributes: {MOST_ATTRIBUTES} are possible.")
    for key, value in attributes.items():
        if not key or len(key.encode()) > LONGEST_KEY or key.startswith("goog") or len(value.encode()) > LONGEST_VALUE:
            raise invalid(
                f"The attribute {key[:LONGEST_KEY]!r} is invalid: a key has from 1 to {LONGEST_KEY} bytes and does not"
                f" begin with goog, a value has at most {LONGEST_VALUE}."
            )
    if len(message.ordering_key.encode()) > LONGEST_ORDERING_KEY:
        raise invalid(f"An ordering key has at most {LONGEST_ORDERING_KEY} bytes.")


def check_acks(request: Any) -> None:
    if not request.ack_ids:
        raise invalid("No ack ids specified.")
    if request.ByteSize() > LARGEST_ACK_REQUEST:
        raise invalid(f"Request payload size exceeds the limit: {LARGEST_ACK_REQUEST} bytes.")


def check_deadline(seconds: int) -> None:
    if not 0 <= seconds <= LONGEST_DEADLINE:
        raise invalid(f"Invalid ack deadline given: from 0 to {LONGEST_DEADLINE} seconds are possible.")


def check_pull(most: int) -> None:
    if most <= 0:
        raise invalid("Invalid max_messages given: it must be greater than 0.")
