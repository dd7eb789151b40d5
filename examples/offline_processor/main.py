"""A service that makes a chapter of the video at an address on this machine alone: Rushes itself, asked over HTTP.

It takes and gives what `url_processor` does, without a model, a key or a bill: POST `{"name": ADDRESS}` answers with JSON
of eight fields or, as ANSWER says, with the summary's text. What was made for an address before is used again.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import threading
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flask
import functions_framework

import rushes
from rushes.keys import BadAddress, source_of

ANSWERS = {"insights": "application/json", "summary": "text/markdown; charset=utf-8"}
AT_ONCE = 2
"""Videos that are worked at together: each takes a core or more, and the others wait for their turn."""
STATUSES = {
    "transient": HTTPStatus.SERVICE_UNAVAILABLE, "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "permanent": HTTPStatus.UNPROCESSABLE_ENTITY, "needs_input": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bug": HTTPStatus.INTERNAL_SERVER_ERROR,
}  # fmt: skip
"""What a class of failure is over HTTP: what may get better by itself, and what will not."""


class Refused(Exception):
    """A request that gets no summary: a status and the reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Processor:
    """Runs the main job for one address at a time, or a few, on one data folder."""

    def __init__(self, answer: str) -> None:
        """`answer` is a key of `ANSWERS`. Raises: rushes.SettingsError, if a setting is wrong."""
        self.answer = answer
        self._settings = rushes.Settings.load()
        self._places = threading.BoundedSemaphore(int(os.environ.get("AT_ONCE") or AT_ONCE))
        self._opening = threading.Lock()
        self._connection: rushes.Connection | None = None
        atexit.register(self._close)

    def process(self, address: str) -> str:
        """The answer for the video at an address. Raises: Refused."""
        out = self._settings.home / "processed" / hashlib.sha256(address.encode()).hexdigest()[:24]
        options = {"summarize": {"template": "insights"}}
        with self._places:
            self._keep_the_database_up()
            try:
                report = rushes.run([address], pipeline="summarize", options=options, out=out, settings=self._settings)
            except rushes.UsageError as wrong:
                raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, wrong.reason) from wrong
            except rushes.RushesError as error:
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, error.reason) from error
        if not report.progress.over:
            why = report.progress.pause_reason or "the service was told to stop"
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"it waits: {why}")
        return self._read(out)

    def _keep_the_database_up(self) -> None:
        """The embedded server stops with its last user, and would otherwise start anew for each request."""
        with self._opening:
            if self._connection is None:  # not earlier: the framework's worker process is a fork
                self._connection = rushes.connect(self._settings).__enter__()

    def _close(self) -> None:
        if self._connection:
            self._connection.close()

    def _read(self, out: Path) -> str:
        items: list[dict[str, Any]] = json.loads((out / "manifest.json").read_bytes())["items"]
        if len(items) != 1:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"it stands for {len(items)} videos: send them one by one")
        (item,) = items
        if item["status"] != "completed":
            status = STATUSES.get(item["error_class"], HTTPStatus.INTERNAL_SERVER_ERROR)
            raise Refused(status, " ".join(filter(None, (item["reason"] or item["status"], item["remedy"]))))
        folder = out / str(item["folder"])
        if self.answer == "summary":
            return (folder / "summary.md").read_text(encoding="utf-8")
        made: dict[str, Any] = json.loads((folder / "item.json").read_bytes())["summary"]["insights"]
        return json.dumps(made, ensure_ascii=False, indent=1)


def _answer() -> str:
    answer = os.environ.get("ANSWER") or "insights"
    if answer not in ANSWERS:
        raise SystemExit(f"ANSWER={answer}: wanted one of {', '.join(ANSWERS)}")
    return answer


PROCESSOR = Processor(_answer())


@functions_framework.http
def process_url(request: flask.Request) -> flask.Response:
    """Answer one request."""
    if request.method in ("GET", "HEAD"):
        return flask.Response(json.dumps({"status": "ok", "answer": PROCESSOR.answer}), content_type="application/json")
    try:
        answer = PROCESSOR.process(_address(request))
    except Refused as refused:
        return flask.Response(f"{refused}\n", refused.status.value, content_type="text/plain; charset=utf-8")
    return flask.Response(answer, content_type=ANSWERS[PROCESSOR.answer])


def _address(request: flask.Request) -> str:
    """The address that is asked for: of the network alone, whoever asks does not own this machine's files."""
    if request.method != "POST":
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "POST an address, or GET the health")
    body = request.get_json(force=True, silent=True)
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise Refused(HTTPStatus.BAD_REQUEST, 'wanted JSON with the address as "name": {"name": "https://…"}')
    try:
        scheme = urlsplit(name.strip()).scheme
    except ValueError:
        scheme = ""
    if scheme not in ("http", "https"):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "wanted an address that begins with https:// or http://")
    if _stands_for_many(name.strip()):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "a list, a channel or a feed: send its videos one by one")
    return name.strip()


def _stands_for_many(address: str) -> bool:
    """Whether Rushes would take it for a list, and work at each video of it."""
    with contextlib.suppress(BadAddress):  # for Rushes to tell
        return source_of(address).collection
    return False
