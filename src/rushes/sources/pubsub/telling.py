"""What is told of an item that has ended: to the topic of results, to the topic of dead letters, and to storage."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rushes.model import Failure
from rushes.requests import Request
from rushes.sources.pubsub.held import Held
from rushes.sources.results import ItemResult

if TYPE_CHECKING:
    from google.pubsub_v1.types import PubsubMessage

LARGEST = 8_000_000
"""Bytes of a result as a message; Pub/Sub takes 10 MB with everything."""
LARGEST_LETTER = 9_700_000
"""Bytes of a dead letter's data. With the attributes that are added, a message at the limit would exceed it: it is cut."""
VALUE_BYTES, MOST_ATTRIBUTES = 1024, 100
"""Pub/Sub's limits."""
TOO_LARGE = "the documents are left out: together they are too large for a message"
RESULT = "result.json"


def folder_of(request: Request) -> str:
    """Where in storage what is made for a request goes: the same at each delivery."""
    name = request.id or f"message-{re.sub('[^0-9A-Za-z_-]', '_', request.message_id)}"
    return f"pubsub/{name}"


def told(request: Request, result: ItemResult) -> dict[str, Any]:
    """A result with what it answers to, as JSON."""
    return {
        "request_id": str(request.id) if request.id else None,
        "correlation_id": request.correlation_id,
        "message_id": request.message_id,
        "pipeline": request.pipeline,
        "about": request.about,
        **result.as_json(),
    }


def result_message(result: Mapping[str, Any]) -> PubsubMessage:
    """A result as a message, with attributes for filters."""
    from google.pubsub_v1.types import PubsubMessage

    data = _encoded(result)
    if len(data) > LARGEST:
        data = _encoded({**result, "documents": {}, "notes": [*result["notes"], TOO_LARGE]})
    if len(data) > LARGEST:
        short = {name: _value(text) for name in ("error", "about") if (text := result.get(name))}
        data = _encoded({**result, **short, "documents": {}, "notes": [TOO_LARGE], "text": None, "value": None})
    names = ("request_id", "correlation_id", "pipeline", "status", "error_class")
    attributes = {name: _value(str(result[name])) for name in names if result.get(name)}
    return PubsubMessage(data=data, attributes=attributes)


def dead_letter(held: Held, failure: Failure, subscription: str) -> PubsubMessage:
    """A message that no retry can help, as it came, with attributes that say why."""
    from google.pubsub_v1.types import PubsubMessage

    added = {
        "rushes_error_class": failure.error_class.value,
        "rushes_error": _value(failure.message),
        "rushes_remedy": _value(failure.remedy or ""),
        "rushes_message_id": held.message_id,
        "rushes_subscription": _value(subscription),
        "rushes_attempts": str(max(held.attempt, held.permit.attempts if held.permit else 1)),
    }
    own = {name: value for name, value in held.attributes.items() if name not in added}
    if len(held.data) > LARGEST_LETTER:
        added["rushes_cut"] = str(len(held.data))
    attributes = {**dict(list(own.items())[: MOST_ATTRIBUTES - len(added)]), **added}
    return PubsubMessage(data=held.data[:LARGEST_LETTER], attributes=attributes)


def write_result(result: Mapping[str, Any], storage: Path, folder: str) -> None:
    """Write a result into storage, beside what was made. Raises: OSError."""
    path = storage / folder / RESULT
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{RESULT}.part")
    partial.write_bytes(_encoded(result))
    partial.replace(path)


def _encoded(result: Mapping[str, Any]) -> bytes:
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _value(text: str) -> str:
    """As much of a text as an attribute's value may hold."""
    return text.encode(errors="replace")[:VALUE_BYTES].decode(errors="ignore")
