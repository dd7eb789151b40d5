"""One subscription: which messages wait, which are out, and what becomes of those that are not acknowledged in time.

Nothing here knows of calls or threads: times are given, in seconds, and the broker's lock is held by whoever calls.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rushes.testing.pubsub.filters import parse
from rushes.testing.pubsub.lanes import Lane
from rushes.testing.pubsub.limits import FEWEST_ATTEMPTS, LONGEST_BACKOFF, SHORTEST_BACKOFF
from rushes.testing.pubsub.messages import Delivery, Message
from rushes.testing.pubsub.refusals import INVALID_ACK_ID, UNORDERED_ACK_ID


@dataclass(slots=True)
class Record:
    """What happened at a subscription, message ids in the order in which it did."""

    delivered: list[tuple[str, int]] = field(default_factory=list)
    """Each delivery, with the attempt that it was."""
    acked: list[str] = field(default_factory=list)
    nacked: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    extended: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    """Forwarded to the dead-letter topic."""


class Subscription:
    """A subscription's messages."""

    def __init__(self, config: Any, forward: Callable[[Any, Delivery], bool]) -> None:
        """`config` is the protocol's message. `forward` publishes a dead letter, and says whether there is such a topic."""
        self.config = config
        self.accepts = parse(config.filter)
        self.record = Record()
        self._forward = forward
        self._ready: list[Delivery] = []
        self._resting: list[tuple[float, Delivery]] = []
        """Until their backoff is over."""
        self._lanes: dict[str, Lane] = {}
        self._out: dict[str, Delivery] = {}
        self._deadlines: list[tuple[float, Delivery, str]] = []
        """In order. An entry whose message has another deadline by now, or is not out under that id, counts for nothing."""

    @property
    def exactly_once(self) -> bool:
        return bool(self.config.enable_exactly_once_delivery)

    @property
    def outstanding(self) -> list[Delivery]:
        """Handed out, and neither acknowledged nor given back."""
        return sorted(self._out.values())

    @property
    def waiting(self) -> list[Message]:
        """All that is not out: ready, resting, or behind others of their key."""
        parked = [each for lane in self._lanes.values() for each in lane.parked]
        resting = [each for _, each in self._resting]
        return [each.message for each in sorted([*self._ready, *resting, *parked])]

    def add(self, message: Message) -> None:
        if self.accepts(message.attributes):
            heapq.heappush(self._ready, Delivery(message))

    def take(self, most: int, now: float, seconds: float, stream: object | None = None) -> list[Delivery]:
        """Hand out up to so many, each for so long."""
        taken: list[Delivery] = []
        opened: set[str] = set()
        while self._ready and len(taken) < most:
            delivery = heapq.heappop(self._ready)
            lane, key = self._lane(delivery), delivery.message.key
            if lane is not None:
                if not lane.is_open(now) and key not in opened:
                    lane.park(delivery)
                    continue
                opened.add(key)
                lane.out.append(delivery)
            self._hand_out(delivery, now + seconds, stream)
            taken.append(delivery)
        return taken

    def acknowledge(self, ack_id: str) -> str | None:
        """Be done with a message. Returns why that cannot be, which only exactly-once delivery tells the client."""
        delivery = self._out.get(ack_id)
        if delivery is None:
            return INVALID_ACK_ID
        lane = self._lane(delivery)
        if lane is not None and self.exactly_once and not lane.is_next(delivery):
            return UNORDERED_ACK_ID
        del self._out[ack_id]
        self.record.acked.append(delivery.message.id)
        if lane is not None:
            lane.acknowledge(delivery)
            self._unpark(lane)
        return None

    def modify(self, ack_id: str, seconds: float, now: float) -> str | None:
        """Put a deadline off, or with 0 give the message back. Returns why that cannot be."""
        delivery = self._out.get(ack_id)
        if delivery is None:
            return INVALID_ACK_ID
        if seconds:
            self.record.extended.append(delivery.message.id)
            self._set_deadline(delivery, now + seconds)
        else:
            self.record.nacked.append(delivery.message.id)
            self._give_back(delivery, now)
        return None

    def pass_time(self, now: float) -> bool:
        """Give back what is out for too long, and let what has rested go on. Returns whether there was any."""
        changed = False
        while self._deadlines and self._deadlines[0][0] <= now:
            _, delivery, ack_id = heapq.heappop(self._deadlines)
            if self._out.get(ack_id) is delivery and delivery.deadline <= now:
                self.record.expired.append(delivery.message.id)
                self._give_back(delivery, now)
                changed = True
        while self._resting and self._resting[0][0] <= now:
            heapq.heappush(self._ready, heapq.heappop(self._resting)[1])
            changed = True
        for lane in self._lanes.values():
            if 0 < lane.blocked_until <= now:
                lane.blocked_until = 0
                self._unpark(lane)
                changed = True
        return changed

    def next_change(self) -> float | None:
        """When `pass_time` will have something to do."""
        while self._deadlines and not self._counts(*self._deadlines[0]):
            heapq.heappop(self._deadlines)
        times = [time for time, *_ in self._deadlines[:1]]
        times += [time for time, _ in self._resting[:1]]
        times += [lane.blocked_until for lane in self._lanes.values() if lane.blocked_until]
        return min(times, default=None)

    def _counts(self, time: float, delivery: Delivery, ack_id: str) -> bool:
        return self._out.get(ack_id) is delivery and delivery.deadline == time

    def _lane(self, delivery: Delivery) -> Lane | None:
        key = delivery.message.key
        return self._lanes.setdefault(key, Lane()) if key and self.config.enable_message_ordering else None

    def _hand_out(self, delivery: Delivery, deadline: float, stream: object | None) -> None:
        delivery.ack_id = uuid.uuid4().hex
        delivery.stream = stream
        self._out[delivery.ack_id] = delivery
        self._set_deadline(delivery, deadline)
        self.record.delivered.append((delivery.message.id, delivery.attempt))

    def _set_deadline(self, delivery: Delivery, deadline: float) -> None:
        delivery.deadline = deadline
        heapq.heappush(self._deadlines, (deadline, delivery, delivery.ack_id))

    def _give_back(self, delivery: Delivery, now: float) -> None:
        del self._out[delivery.ack_id]
        delivery.failures += 1
        lane = self._lane(delivery)
        if self._is_dead(delivery) and self._forward(self.config, delivery):
            self.record.dead.append(delivery.message.id)
            if lane is not None:
                lane.acknowledge(delivery)
                self._unpark(lane)
            return
        rest = self._backoff(delivery.failures)
        if lane is not None:
            self._give_back_ordered(lane, delivery, now + rest if rest else 0)
        elif rest:
            heapq.heappush(self._resting, (now + rest, delivery))
        else:
            heapq.heappush(self._ready, delivery)

    def _give_back_ordered(self, lane: Lane, delivery: Delivery, blocked_until: float) -> None:
        for each in lane.cut(delivery):
            self._out.pop(each.ack_id, None)
            lane.park(each)
        lane.blocked_until = blocked_until
        self._unpark(lane)

    def _unpark(self, lane: Lane) -> None:
        if not lane.out and not lane.blocked_until:
            for each in lane.unpark():
                heapq.heappush(self._ready, each)

    def _is_dead(self, delivery: Delivery) -> bool:
        policy = self.config.dead_letter_policy
        return bool(policy.dead_letter_topic) and delivery.failures >= (policy.max_delivery_attempts or FEWEST_ATTEMPTS)

    def _backoff(self, failures: int) -> float:
        """Seconds: from the policy's least, doubling up to its most. None without a policy."""
        if not self.config.HasField("retry_policy"):
            return 0
        policy = self.config.retry_policy
        least = _seconds(policy, "minimum_backoff", SHORTEST_BACKOFF)
        most = _seconds(policy, "maximum_backoff", LONGEST_BACKOFF)
        return min(most, least * 2.0 ** (failures - 1))


def _seconds(policy: Any, name: str, otherwise: float) -> float:
    return float(getattr(policy, name).ToNanoseconds() / 1e9) if policy.HasField(name) else otherwise
