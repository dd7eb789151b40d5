"""A message, and what becomes of it at one subscription."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was published."""

    sequence: int
    """Grows with every message of the server. Its id is this number."""
    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    """Its ordering key."""
    published: float = 0.0
    """Seconds since 1970."""

    @property
    def id(self) -> str:
        return str(self.sequence)


@dataclass(slots=True, eq=False)
class Delivery:
    """A message on its way through a subscription."""

    message: Message
    failures: int = 0
    """How often it was given back or its deadline passed."""
    ack_id: str = ""
    deadline: float = 0.0
    stream: object | None = None
    """The stream that it was handed out on."""
    acked: bool = False

    @property
    def attempt(self) -> int:
        """Which delivery this is, from 1, as the service counts them."""
        return self.failures + 1

    def __lt__(self, other: Delivery) -> bool:
        return self.message.sequence < other.message.sequence
