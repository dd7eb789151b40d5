"""From a message to what is to be done: its request, or why there is nothing that can be done."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rushes.errors import ErrorClass, UsageError
from rushes.model import Failure, Plan
from rushes.pipelines import DEFAULT
from rushes.requests import Request
from rushes.sources.pubsub.held import Held
from rushes.sources.pubsub.message import TOLD, Malformed, Message, read

if TYPE_CHECKING:
    from google.pubsub_v1.types import ReceivedMessage

Resolve = Callable[[str, Mapping[str, Mapping[str, Any]]], Plan]
"""Makes a plan of a pipeline's name, and checks a message's own options by it. Raises: UsageError."""
FOR_WORDS = "generate"
"""The pipeline of a text or a question."""
REMEDY = "correct the message, and publish it again"
TRACE = 20_000
"""Characters of a bug's traceback, from its end."""


class Reader:
    """Reads messages."""

    def __init__(self, resolve: Resolve, pipeline: str | None) -> None:
        """`pipeline` is that of messages which name none."""
        self._resolve = resolve
        self._pipeline = pipeline

    def held(self, received: ReceivedMessage) -> Held:
        """A message that came, with what it asks for."""
        message = received.message
        request, refused = self._request(message.message_id, message.data)
        return Held(
            message.message_id, received.ack_id, message.data, dict(message.attributes), message.ordering_key,
            received.delivery_attempt, request, refused,
        )  # fmt: skip

    def _request(self, message_id: str, data: bytes) -> tuple[Request, Failure | None]:
        try:
            message = read(data)
        except Malformed as wrong:
            return Request(wrong.request_id, message_id, wrong.correlation_id), _refusal(str(wrong))
        try:
            return self._asked(message_id, message), None
        except Exception as error:  # noqa: BLE001  (one message must not stop the worker, whatever it names)
            unread = Request(message.request_id, message_id, message.correlation_id, about=message.about)
            if isinstance(error, UsageError):
                return unread, _refusal(error.reason)
            trace = "".join(traceback.format_exception(error))
            reason = f"{type(error).__name__}: {error}"[:TOLD]
            return unread, Failure(ErrorClass.BUG, reason, details={"traceback": trace[-TRACE:]})

    def _asked(self, message_id: str, message: Message) -> Request:
        source, payload = message.source, message.payload
        pipeline = message.pipeline or self._pipeline or (DEFAULT if source else FOR_WORDS)
        plan = self._resolve(pipeline, message.options)
        return Request(
            message.request_id, message_id, message.correlation_id, plan, message.options, source, payload,
            message.priority, message.about,
        )  # fmt: skip


def _refusal(reason: str) -> Failure:
    return Failure(ErrorClass.PERMANENT, f"malformed message: {reason[:TOLD]}", remedy=REMEDY)
