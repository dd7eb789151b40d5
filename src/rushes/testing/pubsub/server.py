"""The server: gRPC on loopback, faults to order, and a look inside."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent import futures
from dataclasses import dataclass
from typing import Self

import grpc

from rushes.testing.pubsub.broker import Broker
from rushes.testing.pubsub.calls import Calls
from rushes.testing.pubsub.faults import Fault, Faults
from rushes.testing.pubsub.messages import Message
from rushes.testing.pubsub.publisher import Publisher
from rushes.testing.pubsub.subscriber import LONGEST_WAIT, Subscriber
from rushes.testing.pubsub.subscription import Record

HOST = "127.0.0.1"
CALLS_AT_ONCE = 256
"""Each that waits holds a thread."""
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # a port that is taken is an error, not shared
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
)


@dataclass(frozen=True, slots=True)
class Out:
    """A message that is handed out, and neither acknowledged nor given back."""

    message: Message
    attempt: int
    seconds_left: float
    """Until its deadline."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A subscription as it stands."""

    waiting: tuple[Message, ...]
    """Deliverable, resting until their backoff is over, or behind others of their ordering key."""
    outstanding: tuple[Out, ...]
    record: Record
    """What happened since it was made."""

    @property
    def backlog(self) -> int:
        """How many messages are not acknowledged."""
        return len(self.waiting) + len(self.outstanding)


class PubSubServer:
    """A Pub/Sub of one's own, for as long as the context lasts.

    Any client finds it by `PUBSUB_EMULATOR_HOST`, set to its `address`.
    """

    def __init__(self, port: int = 0, *, pull_wait: float = LONGEST_WAIT) -> None:
        """`port` 0 is any free one. `pull_wait`: the most seconds that a pull waits; else until its caller gives up."""
        self._broker = Broker()
        self._faults = Faults()
        self._calls = Calls(self._broker, self._faults)
        self._services = (Publisher(self._calls).service(), Subscriber(self._calls, pull_wait).service())
        self._server: grpc.Server | None = None
        self._timekeeper: threading.Thread | None = None
        self.port = port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        return f"{HOST}:{self.port}"

    @property
    def calls(self) -> Mapping[str, int]:
        """How often each call came, by its name in the protocol: `Pull`, `Acknowledge`, …"""
        with self._broker.changed:
            return Counter(self._calls.count)

    def start(self) -> None:
        """Listen. Raises: OSError (the port is taken)."""
        self._broker.closing = False
        server = grpc.server(futures.ThreadPoolExecutor(CALLS_AT_ONCE, "pubsub"), options=_OPTIONS)
        server.add_generic_rpc_handlers(self._services)
        try:
            self.port = server.add_insecure_port(self.address)
        except RuntimeError as error:
            raise OSError(f"{self.address}: {error}") from error
        server.start()
        self._server = server
        self._timekeeper = threading.Thread(target=self._broker.keep_time, daemon=True)
        self._timekeeper.start()

    def stop(self) -> None:
        """Hang up on everybody. Topics and messages stay for the next `start`, at the same port."""
        if self._server is None or self._timekeeper is None:
            return
        with self._broker.changed:
            self._broker.closing = True
            self._broker.changed.notify_all()
        self._server.stop(grace=None).wait()
        self._timekeeper.join()
        self._server = None

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Not to be reached while the context lasts. Deadlines go on meanwhile."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def advance(self, seconds: float) -> None:
        """Set the clock forward: deadlines pass, backoffs end."""
        with self._broker.changed:
            self._broker.now.advance(seconds)
            self._broker.pass_time()
            self._broker.changed.notify_all()

    def fail(self, call: str, code: str = "UNAVAILABLE", *, times: int = 1, message: str = "on demand") -> None:
        """Answer the next calls of that name by a status: `fail("Pull", "PERMISSION_DENIED")`."""
        self._faults.plan(call, Fault(grpc.StatusCode[code], message), times)

    def delay(self, call: str, seconds: float, *, times: int = 1) -> None:
        """Let the next calls of that name wait before anything is done."""
        self._faults.plan(call, Fault(delay=seconds), times)

    def cut(self, call: str, *, times: int = 1) -> None:
        """Do what the next calls of that name ask, and lose the answer: their callers see UNAVAILABLE."""
        self._faults.plan(call, Fault(message="the answer was lost, on demand", answer_lost=True), times)

    def hide(self, *, times: int = 1) -> None:
        """Let the next pulls find nothing although there is something, as the service now and then does."""
        self._faults.plan("Pull", Fault(empty=True), times)

    def refuse_acks(self, reason: str, *, call: str = "Acknowledge", times: int = 1) -> None:
        """Under exactly-once delivery, refuse every id of the next calls: `TRANSIENT_FAILURE_SERVICE_UNAVAILABLE`, say."""
        self._faults.plan(call, Fault(ack_ids=reason), times)

    def forgive(self) -> None:
        """Let none of the faults happen that are still to come."""
        self._faults.clear()

    def inspect(self, subscription: str) -> Inspection:
        """A subscription as it stands now. Raises: KeyError."""
        with self._broker.changed:
            self._broker.pass_time()
            found = self._broker.subscriptions[subscription]
            now = self._broker.now()
            out = tuple(Out(each.message, each.attempt, each.deadline - now) for each in found.outstanding)
            record = Record(*(list(getattr(found.record, name)) for name in Record.__slots__))
            return Inspection(tuple(found.waiting), out, record)

    def published(self, topic: str) -> list[Message]:
        """All messages that ever came to a topic. Raises: KeyError."""
        with self._broker.changed:
            return list(self._broker.published[topic])
