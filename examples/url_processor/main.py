"""A service that watches the video at an address and answers with a chapter about it.

POST `{"name": ADDRESS}` answers with JSON of eight fields, or with a status that tells what to do and a line that tells
why. GET answers whether it is up.
"""

from __future__ import annotations

import json
import sys
from http import HTTPStatus

import flask
import functions_framework

from gemini import Gemini
from refusals import Refused
from request_log import RequestLog

LARGEST = 100_000
"""Bytes of a request."""

try:
    GEMINI = Gemini()
except ValueError as wrong:  # before anybody calls
    sys.exit(
        f"url_processor: {wrong}\n  Set GEMINI_API_KEY; or GOOGLE_GENAI_USE_VERTEXAI=true and GOOGLE_CLOUD_PROJECT."
    )


@functions_framework.http
def process_url(request: flask.Request) -> flask.Response:
    """Answer one request."""
    log = RequestLog(request)
    if request.method in ("GET", "HEAD"):
        return _json({"status": "ok", "model": GEMINI.model}, log)
    address: str | None = None
    try:
        address = _address(request)
        answer = GEMINI.ask(address)
    except Refused as refused:
        log.ended(refused.status, str(refused), address=address)
        return _refusal(refused, log)
    log.ended(
        HTTPStatus.OK, "written", address=address,
        input_tokens=answer.input_tokens, output_tokens=answer.output_tokens,
    )  # fmt: skip
    return _json(answer.chapter.model_dump(), log)


def _address(request: flask.Request) -> str:
    if request.method != "POST":
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "POST an address, or GET the health")
    if (request.content_length or 0) > LARGEST:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {LARGEST:,} bytes")
    body = request.get_json(force=True, silent=True)
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise Refused(HTTPStatus.BAD_REQUEST, 'wanted JSON with the address as "name": {"name": "https://…"}')
    return name


def _refusal(refused: Refused, log: RequestLog) -> flask.Response:
    response = flask.Response(f"{refused}\n", refused.status.value, content_type="text/plain; charset=utf-8")
    if refused.retry_after is not None:
        response.headers["Retry-After"] = str(refused.retry_after)
    if refused.status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = "GET, HEAD, POST"
    return _identified(response, log)


def _json(value: object, log: RequestLog) -> flask.Response:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return _identified(flask.Response(text, content_type="application/json"), log)


def _identified(response: flask.Response, log: RequestLog) -> flask.Response:
    response.headers["X-Request-Id"] = log.id
    return response
