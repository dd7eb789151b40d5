"""A message as it comes: JSON of ours, or of the original content worker's publisher. Checked here once.

Unknown fields are ignored: publishers grow. Known ones must be right, for nobody is there to be asked.
"""

from __future__ import annotations

import contextlib
import json
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rushes.keys import source_of
from rushes.masking import masked
from rushes.model import Source

LARGEST = 1_000_000
"""Bytes of a message: far more than any address or text to work at, and little enough to hold many."""
ABOUT = 200
"""Characters that tell a person what a request is about."""
TOLD = 500
"""Characters of what is wrong with a message."""

Modality = Literal["text", "audio", "video"]
Words = Annotated[str, Field(max_length=1000)]


class Malformed(ValueError):
    """A message that cannot be worked at. What could be read of it comes along."""

    def __init__(self, reason: str, request_id: UUID | None = None, correlation_id: str | None = None) -> None:
        super().__init__(reason)
        self.request_id = request_id
        self.correlation_id = correlation_id


class _Named(BaseModel):
    """What even a message may have that is wrong otherwise."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", use_attribute_docstrings=True)

    request_id: UUID
    """The request's own id, a UUID: what is asked twice under one id is done once."""


class _Correlated(_Named):
    """The same."""

    correlation_id: Annotated[str, Field(max_length=200)] | None = None
    """Whatever the publisher knows the request by."""


class Message(_Correlated):
    """A request. It is about an address, a text or a question: exactly one of `url`, `text`, `query`, `student_query`."""

    url: str | None = None
    """The address of a video: `http` or `https`."""
    text: str | None = None
    """A text to make something of."""
    query: str | None = None
    """A question to answer."""
    pipeline: Annotated[str, Field(max_length=200)] | None = None
    """What it goes through. By default the worker's `--pipeline`, else `summarize` for a URL and `generate` for words."""
    options: Annotated[dict[str, Annotated[dict[str, Any], Field(max_length=100)]], Field(max_length=20)] = Field(
        default_factory=dict
    )
    """Options of stages: `{"summarize": {"length": "brief"}}`."""
    priority: Annotated[int, Field(ge=0, le=10)] = 0
    """0 to 10. Messages are delivered in no order of priority; where they go into the queue, it is their item's."""
    audience: Words | None = None
    """For `generate`: whom it is for."""
    interest: Words | None = None
    """For `generate`: what they care about."""
    style: Annotated[str, Field(max_length=100)] | None = None
    """For `generate`: how it is to look."""
    modalities: Annotated[tuple[Modality, ...], Field(min_length=1, strict=False)] | None = None
    """For `generate`: what is to be made of `text`, `audio`, `video`."""

    student_id: str | int | None = None
    """The original publisher's: who asks. Required beside `student_query`, and not used."""
    student_query: str | None = None
    """The original publisher's: the question, as `query`."""
    grade_level: str | int | None = None
    """The original publisher's: the audience. Required beside `student_query`."""
    requested_modalities: Annotated[tuple[Modality, ...], Field(min_length=1, strict=False)] | None = None
    """The original publisher's: as `modalities`; by default `["video"]`."""
    preferred_modality: Any = None
    """The original publisher's: not used."""
    environment: Any = None
    """The original publisher's: not used. A subscription's filter tells environments apart."""

    @model_validator(mode="after")
    def _about_one_thing(self) -> Self:
        subjects = ("url", "text", "query", "student_query")
        given = [name for name in subjects if getattr(self, name)]
        if not given:
            raise ValueError("wanted one of url, text, query, student_query, found none")
        if len(given) > 1:
            raise ValueError(f"wanted one of url, text, query, student_query, found {' and '.join(given)}")
        if self.student_query:
            missing = [name for name in ("student_id", "grade_level") if not getattr(self, name)]
            if missing:
                raise ValueError(f"{' and '.join(missing)} missing beside student_query")
        return self

    @property
    def about(self) -> str:
        """What it is about, for a person, in short and without secrets."""
        subject = self.url or self.query or self.student_query or self.text or ""
        return " ".join(masked(subject).split())[:ABOUT]

    @property
    def source(self) -> Source | None:
        """The video that it is about. Raises: BadAddress."""
        return source_of(self.url) if self.url else None

    @property
    def payload(self) -> dict[str, Any]:
        """What the stage `generate` is asked, its fields only; empty for a video without any."""
        modalities = self.modalities or self.requested_modalities
        if self.student_query and not modalities:
            modalities = ("video",)
        fields = {
            "query": self.query or self.student_query,
            "text": self.text,
            "audience": self.audience or (_grade(self.grade_level) if self.grade_level else None),
            "interest": self.interest,
            "style": self.style,
            "modalities": list(modalities) if modalities else None,
        }
        return {name: value for name, value in fields.items() if value}


def read(data: bytes) -> Message:
    """Read a message's data. Raises: Malformed."""
    if len(data) > LARGEST:
        raise Malformed(f"the message has {len(data):,} bytes; the limit is {LARGEST:,}")
    try:
        message = Message.model_validate_json(data)
    except ValidationError as error:
        raise Malformed(_reason(error), *_named(data)) from None
    try:
        json.dumps(message.options, allow_nan=False)
    except ValueError as error:
        reason = f"options: {error}"
        raise Malformed(reason, message.request_id, message.correlation_id) from None
    if message.url and not message.url.startswith(("http://", "https://")):
        reason = f"url: only http and https addresses are fetched, found {_shown(message.url)}"
        raise Malformed(reason, message.request_id, message.correlation_id)
    return message


def _named(data: bytes) -> tuple[UUID | None, str | None]:
    """The ids in a message that is wrong otherwise."""
    for model in (_Correlated, _Named):
        with contextlib.suppress(ValidationError):
            known = model.model_validate_json(data)
            return known.request_id, getattr(known, "correlation_id", None)
    return None, None


def _reason(error: ValidationError) -> str:
    problems = []
    for problem in error.errors(include_url=False):
        where = ".".join(map(str, problem["loc"]))
        found = (
            ""
            if problem["type"] in ("missing", "value_error", "json_invalid")
            else f", found {_shown(problem['input'])}"
        )
        words = problem["msg"].removeprefix("Value error, ")
        problems.append(f"{where}: {words}{found}" if where else f"{words}{found}")
    return masked("; ".join(problems))[:TOLD]


def _shown(value: Any) -> str:
    try:
        return masked(repr(value))[:80]
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number too large"


def _grade(level: str | int) -> str:
    text = str(level)
    return f"grade {text}" if text.isdecimal() else text
