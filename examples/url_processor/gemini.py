"""One question to Gemini, by whichever API google-genai's own variables choose, and what its answers and errors mean.

Nothing is tried again here: the caller does that, knows how often, and lets a busy model rest for all of its items at once.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from google.auth.exceptions import GoogleAuthError, TransportError
from google.genai import Client, errors, types
from pydantic import ValidationError

from attachments import attach
from chapter import Chapter
from refusals import Refused

MODEL = "gemini-3.8-flash"
TIMEOUT = 540
"""Seconds: below the 600 that a caller waits by default, so that it hears why."""
PROMPT = (Path(__file__).parent / "prompt.md").read_text(encoding="utf-8")
_REFUSALS = {
    "BLOCKLIST", "ESCALATION", "IMAGE_SAFETY", "LANGUAGE", "MODEL_ARMOR", "PROHIBITED_CONTENT", "RECITATION", "SAFETY",
    "SPII",
}  # fmt: skip
"""Reasons to finish that come from what is in the video: the same question gets the same answer."""
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")


@dataclass(frozen=True)
class Answer:
    """A chapter, and what it cost."""

    chapter: Chapter
    input_tokens: int
    output_tokens: int


class Gemini:
    """Asks one model."""

    def __init__(self) -> None:
        """Read the environment. Raises: ValueError, where neither a key nor a project is given."""
        timeout = int(os.environ.get("GEMINI_TIMEOUT_SECONDS") or TIMEOUT)
        self.model = os.environ.get("GEMINI_MODEL") or MODEL
        http = types.HttpOptions(timeout=timeout * 1000)
        if elsewhere := os.environ.get("GOOGLE_VERTEX_BASE_URL"):
            # From this variable alone google-genai would forget project, location and credentials.
            http.base_url = elsewhere
            project, location = os.environ.get("GOOGLE_CLOUD_PROJECT"), os.environ.get("GOOGLE_CLOUD_LOCATION")
            self._client = Client(http_options=http, project=project, location=location)
        else:
            self._client = Client(http_options=http)
        self._vertex = bool(self._client.vertexai)

    def ask(self, address: str) -> Answer:
        """Have the video at that address written up.

        Raises:
            Refused: the address cannot be attached, or the model refuses, is busy or away, or answers what it should not.
        """
        config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Chapter)
        question: list[types.PartUnionDict] = [attach(address, vertex=self._vertex), types.Part.from_text(text=PROMPT)]
        try:
            answer = self._client.models.generate_content(model=self.model, contents=question, config=config)
        except errors.APIError as error:
            raise _refused(error) from error
        except _unreachable() as error:
            why = f"the model cannot be reached: {type(error).__name__}"
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, why) from error
        except GoogleAuthError as error:
            raise _misconfigured(f"no credentials for Vertex AI: {error}") from error
        return _read(answer)


def _unreachable() -> tuple[type[Exception], ...]:
    """What a lost connection or a time limit raises: google-genai goes over httpx2, and before its version 3 over httpx."""
    clients = [importlib.import_module(name) for name in ("httpx2", "httpx") if importlib.util.find_spec(name)]
    return (TransportError, *(client.TransportError for client in clients))


def _read(answer: types.GenerateContentResponse) -> Answer:
    blocked = answer.prompt_feedback.block_reason if answer.prompt_feedback else None
    if blocked:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"the model refuses this video: {_name(blocked)}")
    candidate = answer.candidates[0] if answer.candidates else None
    finish = _name(candidate.finish_reason) if candidate and candidate.finish_reason else "nothing"
    if finish in _REFUSALS:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"the model refuses to write about this video: {finish}")
    parts = candidate.content.parts if candidate and candidate.content else None
    text = "".join(part.text for part in parts or () if part.text and not part.thought)
    if finish != "STOP":
        raise Refused(HTTPStatus.BAD_GATEWAY, f"the model's answer is not whole: it ended with {finish}")
    try:
        chapter = Chapter.model_validate_json(text)
    except ValidationError as error:
        raise Refused(HTTPStatus.BAD_GATEWAY, f"the model's answer breaks its schema: {_first(error)}") from error
    usage = answer.usage_metadata
    return Answer(
        chapter,
        input_tokens=(usage.prompt_token_count or 0) if usage else 0,
        output_tokens=((usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)) if usage else 0,
    )


def _name(reason: types.FinishReason | types.BlockedReason) -> str:
    return str(reason.value)


def _first(error: ValidationError) -> str:
    """The first fault, without the text that the model wrote."""
    fault = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'the whole'}: {fault['msg']}"


def _refused(error: errors.APIError) -> Refused:
    said = f"the model answered {error.code}: {error.message or error.status or 'no reason'}"
    if error.code == HTTPStatus.TOO_MANY_REQUESTS:
        return Refused(HTTPStatus.TOO_MANY_REQUESTS, said, retry_after=_retry_after(error))
    if error.code == HTTPStatus.REQUEST_TIMEOUT or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Refused(HTTPStatus.SERVICE_UNAVAILABLE, said, retry_after=_retry_after(error))
    about_us = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    if error.code in about_us or "API_KEY" in json.dumps(error.details, default=str):
        return _misconfigured(said)
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, said)


def _misconfigured(why: str) -> Refused:
    """Not the video's fault: a key, a right or the model's name is wrong, or it is private. Somebody has to look."""
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, why)


def _retry_after(error: errors.APIError) -> int | None:
    """Seconds, as the header says, else as the error's details do (google.rpc.RetryInfo)."""
    headers: Mapping[str, str] = getattr(error.response, "headers", None) or {}
    given = headers.get("retry-after", "")
    if given.isdecimal():
        return int(given)
    for detail in _details(error.details):
        if delay := _DELAY.fullmatch(str(detail.get("retryDelay", ""))):
            return math.ceil(float(delay[1]))
    return None


def _details(answer: Any) -> Iterator[Mapping[str, Any]]:
    error = answer.get("error", answer) if isinstance(answer, dict) else {}
    details = error.get("details") if isinstance(error, dict) else None
    yield from (detail for detail in details or () if isinstance(detail, dict))
