"""Ordering keys: one lane each, in which messages are handed out in order, a batch at a time.

What comes after a message that is delivered once more is delivered once more too, also if it was acknowledged
(https://cloud.google.com/pubsub/docs/ordering).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from rushes.testing.pubsub.messages import Delivery


@dataclass(slots=True)
class Lane:
    """The messages of one ordering key at one subscription."""

    out: list[Delivery] = field(default_factory=list)
    """Handed out, in order. Those acknowledged stay until all before them are."""
    blocked_until: float = 0.0
    """Its first message is to be tried again then, and nothing before."""
    parked: list[Delivery] = field(default_factory=list)
    """They wait until it is open: a heap."""

    def is_open(self, now: float) -> bool:
        """Whether its next messages may be handed out."""
        return not self.out and self.blocked_until <= now

    def park(self, delivery: Delivery) -> None:
        heapq.heappush(self.parked, delivery)

    def unpark(self) -> list[Delivery]:
        """All that waits here."""
        parked, self.parked = self.parked, []
        return parked

    def is_next(self, delivery: Delivery) -> bool:
        """Whether all before it are acknowledged."""
        return bool(self.out) and self.out[0] is delivery

    def acknowledge(self, delivery: Delivery) -> None:
        delivery.acked = True
        while self.out and self.out[0].acked:
            del self.out[0]

    def cut(self, delivery: Delivery) -> list[Delivery]:
        """Take it and all that was handed out after it back."""
        at = self.out.index(delivery)
        self.out, cut = self.out[:at], self.out[at:]
        for each in cut:
            each.acked = False
        return cut
