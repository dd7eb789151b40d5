"""One line of JSON for each request, as Cloud Logging reads it. No secret, no query and nothing that the model wrote."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import flask

_TRACE = re.compile(r"([0-9a-f]{32})(?:/\d+)?(?:;o=\d)?")
_ID = re.compile(r"[\w.:@/-]{1,200}", re.ASCII)


class RequestLog:
    """What is said of one request."""

    def __init__(self, request: flask.Request) -> None:
        self._began = time.monotonic()
        self._trace = _TRACE.fullmatch(request.headers.get("X-Cloud-Trace-Context", ""))
        self.id = next(filter(None, map(_given, _ids(request))), None) or uuid.uuid4().hex

    def ended(self, status: HTTPStatus, message: str, *, address: str | None = None, **numbers: int) -> None:
        """Say what it came to."""
        severity = _severity(status)
        labels = {"request_id": self.id}
        entry = {
            "severity": severity, "message": message, "time": datetime.now(UTC).isoformat(), "status": status.value,
            "address": _shown(address) if address else None, "seconds": round(time.monotonic() - self._began, 3),
            "logging.googleapis.com/labels": labels, **numbers,
        }  # fmt: skip
        project = os.environ.get("GOOGLE_CLOUD_PROJECT")
        if self._trace and project:
            entry["logging.googleapis.com/trace"] = f"projects/{project}/traces/{self._trace[1]}"
        sys.stdout.write(json.dumps({name: value for name, value in entry.items() if value is not None}) + "\n")
        sys.stdout.flush()


def _severity(status: HTTPStatus) -> str:
    if status < HTTPStatus.BAD_REQUEST:
        return "INFO"
    return "WARNING" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "ERROR"


def _ids(request: flask.Request) -> list[str]:
    """By what the caller, else the platform, knows this request."""
    return [request.headers.get(name, "") for name in ("X-Request-Id", "Idempotency-Key", "Function-Execution-Id")]


def _given(text: str) -> str | None:
    bare = text.strip('"')  # as an Idempotency-Key is written
    return bare if _ID.fullmatch(bare) else None


def _shown(address: str) -> str:
    """Where it is, without what may be secret: user, fragment, and of the query all but the id of a YouTube video."""
    try:
        url = urlsplit(address)
        video = parse_qs(url.query).get("v", [""])[0] if (url.hostname or "").endswith("youtube.com") else ""
        return f"{url.scheme}://{url.hostname or ''}{url.path}{f'?v={video}' if video else ''}"[:500]
    except ValueError:
        return "(no address)"
