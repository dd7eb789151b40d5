"""What can be asked of `generate`: by options, by the words of an item, by a job's payload. One schema checks all three."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Annotated, get_args

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError

from rushes.documents import Modality, Style
from rushes.errors import Permanent
from rushes.keys import request_in
from rushes.model import Job, Source
from rushes.stages.base import Context, Options, parted
from rushes.stages.language_model import OFFLINE, LanguageTag, ModelName, ServiceAddress
from rushes.text.scripts.request import LONGEST_QUERY, LONGEST_TEXT, SHORTEST_QUERY

PAYLOAD = frozenset({"query", "text", "audience", "interest", "style", "modalities", "seconds", "language"})
"""What a job's payload may say. Models and their addresses are for options alone, which know whose they are."""


def _in_order(modalities: Sequence[Modality]) -> tuple[Modality, ...]:
    return tuple(each for each in get_args(Modality) if each in modalities)


class GenerateOptions(Options):
    """Options of `generate`."""

    query: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=SHORTEST_QUERY, max_length=LONGEST_QUERY)]
        | None
    ) = None
    """What the script is to be about, or to make of its text. Words need a language model."""
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)] | None = None
    """What the script is made of, plain or in Markdown, where it is no file."""
    audience: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = None
    """Who it is for, for a language model."""
    interest: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = None
    """What its listeners care about, for a language model to take its examples from."""
    modalities: Annotated[
        tuple[Modality, ...], BeforeValidator(parted), Field(min_length=1), AfterValidator(_in_order)
    ] = ("video",)
    """What is made: `text` (the script alone), `audio`, `video`, or several, as `audio,video`."""
    style: Style = "clean"
    """How slides look: `clean`, `dark` or `warm`."""
    seconds: int = Field(default=180, ge=15, le=3600)
    """About how long it is to be, spoken. A shorter text is said whole."""
    language: LanguageTag | None = None
    """The language a model writes in. Whatever is spoken is English."""
    model: ModelName = OFFLINE
    """`offline`, or a language model: `anthropic:NAME`, `openai:NAME`, `google:NAME`."""
    model_url: ServiceAddress | None = None
    """The address of a service that speaks that provider's protocol, such as a server of one's own."""
    part_words: int = Field(default=12_000, ge=300)
    """Words of text in one question to a model. Less for a model with a small context."""
    fallback: bool = True
    """Where a model refuses, answers nonsense twice or is down to the last attempt: quote the text, and say so."""

    @property
    def spoken(self) -> bool:
        return bool({"audio", "video"} & set(self.modalities))


def asked(job: Job, context: Context) -> GenerateOptions:
    """The job's options, under what its item says in words and what its payload says.

    Raises:
        Permanent: these are not right; the message names each and what is wanted.
    """
    given = context.options.model_dump(exclude_unset=True)
    source = source_of(context)
    if source and (request := request_in(source.location)):
        given["query"] = request
    given |= {name: job.payload[name] for name in PAYLOAD if job.payload.get(name) is not None}
    try:
        return GenerateOptions.model_validate(given)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise Permanent(f"this cannot be made: {'; '.join(wrong)}") from None


def source_of(context: Context) -> Source | None:
    """What the item points at; None for a job that has only its payload."""
    with contextlib.suppress(Permanent):
        return context.source
    return None
