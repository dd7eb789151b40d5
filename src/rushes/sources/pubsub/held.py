"""A message that this worker holds, from the pull that brought it until it is acknowledged or given back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from rushes.model import Failure
from rushes.requests import Permit, Request
from rushes.sources.base import Assignment

if TYPE_CHECKING:
    from google.pubsub_v1.types import ReceivedMessage


class State(Enum):
    """How far it is."""

    ARRIVED = "arrived"
    WAITING = "waiting"
    """For another message, of its ordering key or of its request; or, as a suspect, for all that is under way."""
    RESTING = "resting"
    """Whom it would ask has asked for rest."""
    READY = "ready"
    """To be claimed."""
    RUNNING = "running"
    GONE = "gone"
    """Acknowledged, given back or lost."""


@dataclass(slots=True, eq=False)
class Held:
    """One message."""

    message_id: str
    ack_id: str
    """Of its latest delivery: the earlier ones' are worth nothing."""
    data: bytes
    attributes: Mapping[str, str]
    key: str
    attempt: int
    """Which delivery it is, from 1; 0 where the subscription has no dead-letter topic, and nobody counts."""
    request: Request
    refused: Failure | None
    """Why it cannot be worked at."""
    extend_at: float = 0.0
    """When its lease is to be prolonged, by the loop's clock."""
    state: State = State.ARRIVED
    lost: bool = False
    """Its lease was lost: it is somebody else's now."""
    crashes: int = 0
    """How many workers ended while its request ran."""
    suspect: bool = False
    """Workers ended while its request ran, perhaps because of it: nothing is to run beside it."""
    settling: bool = False
    """Its run has ended, and what that came to is being written."""
    permit: Permit | None = None
    assignment: Assignment | None = None

    def redelivered(self, received: ReceivedMessage) -> None:
        """It came once more while it is still here: what counts is the latest delivery."""
        self.ack_id = received.ack_id
        self.attempt = received.delivery_attempt
        self.extend_at = 0.0  # it has but the subscription's own deadline
        self.lost = False
