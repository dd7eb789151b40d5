"""Settings of the stage `process`, and what is right for each: its options are of the same types."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from rushes.keys.addresses import parse
from rushes.notations import references
from rushes.notations.patterns import Patterns as Checked
from rushes.notations.templates import Template
from rushes.settings.durations import Seconds
from rushes.settings.reading import Group, named

PLACES = ("address", "id", "title")
PAYLOAD = "payload."
"""Before the name of a field of the row, the message or the job."""
TEMPLATE = {"name": "{address}"}
FAILURES = ("ERROR:", "Error processing video")
LARGEST = 10_000_000
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
"""RFC 9110, section 5.6.2."""
_OURS = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "expect", "host", "idempotency-key", "te"}
    | {"trailer", "transfer-encoding", "upgrade"}
)


def _address(text: str) -> str:
    address = parse(text)
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise ValueError("an address with a user or a password in it; give them as a header")
    if address.fragment:
        raise ValueError("an address with a #fragment, which is never sent")
    return text


def _read(value: Any) -> Any:
    """JSON, where it came as text: from the environment or the command line."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no right JSON: {error}") from None


def _template(value: Any) -> Any:
    Template(value, PLACES, prefix=PAYLOAD)
    return value


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, reference in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OURS:
            raise ValueError(f"{name!r} is no header that can be given")
        try:
            references.check(reference)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("a header is given twice")
    return headers


def _one_or_many(value: Any) -> Any:
    """A pattern alone, or a JSON list of them."""
    if not isinstance(value, str):
        return value
    return _read(value) if value.lstrip().startswith("[") else [value]


def _patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    Checked(patterns)
    return patterns


Address = Annotated[str, AfterValidator(_address)]
Audience = Annotated[str, Field(pattern=r"^\S+$", max_length=2000)]
Body = Annotated[Any, NoDecode, BeforeValidator(_read), AfterValidator(_template)]
Headers = Annotated[dict[str, str], NoDecode, BeforeValidator(_read), AfterValidator(_headers)]
Patterns = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_one_or_many), AfterValidator(_patterns)]
Largest = Annotated[int, Field(ge=1, le=1_000_000_000)]
Identity = Literal["auto", "google", "none"]


class ProcessorSettings(Group):
    """The service that processes an address."""

    processor_url: Address | None = Field(
        default=None, validation_alias=named("processor_url", "URL_PROCESSOR_SERVICE_URL")
    )
    """The service that the stage `process` posts each address to."""
    processor_timeout: Seconds = Field(
        default=timedelta(seconds=600), validation_alias=named("processor_timeout", "URL_PROCESSOR_TIMEOUT_SECONDS")
    )
    """How long an answer of that service may take in all, to its last byte."""
    processor_template: Body = Field(default=TEMPLATE, validation_alias=named("processor_template"))
    """What is posted, as JSON with places: `{address}`, `{id}`, `{title}`, `{payload.FIELD}`."""
    processor_headers: Headers = Field(default={}, validation_alias=named("processor_headers"))
    """Headers that are sent along, as JSON: names, and where their values are, `env:NAME` or `file:/PATH`."""
    processor_failures: Patterns = Field(default=FAILURES, validation_alias=named("processor_failures"))
    """Regular expressions: an answer that begins so tells of a failure. One, or a JSON list of them."""
    processor_largest: Largest = Field(default=LARGEST, validation_alias=named("processor_largest"))
    """Bytes of an answer at most."""
    processor_identity: Identity = Field(default="auto", validation_alias=named("processor_identity"))
    """Whether an identity token of Google's is sent: `google`, `none`, or `auto` where this machine has an identity."""
    processor_audience: Audience | None = Field(default=None, validation_alias=named("processor_audience"))
    """The audience of that token. By default the service's origin; behind one's own domain, its `run.app` address."""
