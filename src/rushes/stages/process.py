"""The stage `process`: each address goes to a service, and what that answers is the result.

The address is text to us: it is never fetched here, so any will do that the service understands.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator
from yarl import URL

from rushes.errors import Permanent
from rushes.keys.addresses import parse
from rushes.model import Engine, Job, Retries
from rushes.notations.patterns import Patterns
from rushes.notations.templates import Template, field_of
from rushes.settings import Settings
from rushes.settings import processor as right
from rushes.settings.durations import Seconds
from rushes.stages.base import Context, Made, Options, Result, stage
from rushes.stages.processing.answers import Answer
from rushes.stages.processing.processor import Wanted
from rushes.stages.processing.service import Processors

AT_ONCE = 50
"""Waiting for a service costs this machine nothing."""


def _named(url: Any) -> Any:
    if url is None:
        raise ValueError("RUSHES_PROCESSOR_URL (or URL_PROCESSOR_SERVICE_URL) is not set: there is no service to ask")
    return url


class ProcessOptions(Options):
    """Options of `process`."""

    url: Annotated[right.Address, BeforeValidator(_named)] = Field(default=None, validate_default=True)
    """The service that each address is posted to."""
    timeout: Seconds = timedelta(seconds=600)
    """How long an answer may take in all, to its last byte."""
    template: right.Body = right.TEMPLATE
    """What is posted, as JSON with places: `{address}`, `{id}`, `{title}`, `{payload.FIELD}`."""
    headers: right.Headers = Field(default={})
    """Headers that are sent along, as JSON: names, and where their values are, `env:NAME` or `file:/PATH`."""
    failures: right.Patterns = right.FAILURES
    """Regular expressions: an answer that begins so tells of a failure. One, or a JSON list of them."""
    largest: right.Largest = right.LARGEST
    """Bytes of an answer at most."""
    identity: right.Identity = "auto"
    """Whether an identity token of Google's is sent: `google`, `none`, or `auto` where this machine has an identity."""
    audience: right.Audience | None = None
    """The audience of that token. By default the service's origin."""
    keep: bool | None = None
    """Keep the answer as a file, `answer.txt` or `answer.json`. By default for the items of a batch, and for no others."""

    @model_validator(mode="after")
    def _token_can_be_sent(self) -> ProcessOptions:
        if self.identity == "google" and not self.wanted.may_have_token:
            raise ValueError(
                "identity=google needs an https:// address: on the way to this one the token would be seen"
            )
        if self.identity == "google" and "authorization" in map(str.lower, self.headers):
            raise ValueError("identity=google and a header Authorization: only one of them can be sent")
        return self

    @functools.cached_property
    def wanted(self) -> Wanted:
        """Whom to ask, and what of it."""
        address = parse(self.url)
        return Wanted(URL(self.url), address.origin, address.host, self.timeout, self.largest, Patterns(self.failures))

    @functools.cached_property
    def body(self) -> Template:
        """What to post."""
        return Template(self.template, right.PLACES, prefix=right.PAYLOAD)


async def process(job: Job, context: Context) -> Result:
    """Post the address to a service and take its answer."""
    options: ProcessOptions = context.options
    if not context.source.location.strip():
        raise Permanent("there is no address")
    processor = context.service(Processors).get(options, context.chosen_by)
    body = _body(job, context)
    answer = await processor.ask(body, _key(context.name, options.url, body))
    engine = _engine(options.wanted.host)
    if not _keeps(job, options):
        return Result(engine=engine, notes=answer.notes, value=answer.value)
    made = await asyncio.to_thread(_file, context.scratch, answer)
    # An item of a batch has it in the file: in the job's row as well, a hundred thousand answers would swell the queue.
    value = answer.value if job.item_id is None else None
    return Result(made=[made], engine=engine, notes=answer.notes, value=value)


def _keeps(job: Job, options: Any) -> bool:
    return job.item_id is not None if options.keep is None else bool(options.keep)


def _defaults(settings: Settings) -> dict[str, Any]:
    return {
        name: getattr(settings, f"processor_{name}")
        for name in ("url", "timeout", "template", "headers", "failures", "largest", "identity", "audience")
    }


PROCESS = stage(
    "process",
    version=1,
    options=ProcessOptions,
    defaults=_defaults,
    usual=AT_ONCE,
    retries=Retries(base=timedelta(seconds=2), jitter=0.5),
    private_options=frozenset({"timeout", "headers", "largest", "identity", "audience", "keep"}),
    leaves_files=_keeps,
)(process)


def _body(job: Job, context: Context) -> bytes:
    def find(name: str) -> Any:
        match name:
            case "address":
                return context.source.location
            case "id":
                return context.reference
            case "title":
                return context.title
        return field_of(job.payload, name.removeprefix(right.PAYLOAD))

    body: str = context.options.body.fill(find)
    return body.encode()


def _key(name: str, url: str, body: bytes) -> str:
    """The idempotency key: of this item and this request, whoever sends it and however often."""
    digest = hashlib.sha256(f"{name}\n{url}\n".encode(errors="surrogatepass"))
    digest.update(body)
    return digest.hexdigest()[:32]


@functools.lru_cache(maxsize=64)
def _engine(host: str) -> Engine:
    return Engine(host)


def _file(folder: Path, answer: Answer) -> Made:
    path = folder / ("answer.json" if answer.is_json else "answer.txt")
    path.write_text(answer.text, encoding="utf-8", errors="replace", newline="")
    return Made("answer", path, "application/json" if answer.is_json else "text/plain")
