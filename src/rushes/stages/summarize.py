"""The stage `summarize`: a transcript becomes `summary.json`, offline or by a language model."""

from __future__ import annotations

import asyncio

from pydantic import Field

from rushes.documents import Length, Summary, Template, Transcript, VideoDocument
from rushes.errors import Permanent, Transient
from rushes.model import Job
from rushes.stages.base import Context, Made, Options, Result, stage
from rushes.stages.language_model import (
    OFFLINE,
    LanguageTag,
    ModelName,
    ServiceAddress,
    chosen_model,
    engine_of,
    model_defaults,
)
from rushes.text import offline, online
from rushes.text.asking import Asker
from rushes.text.model_video import address
from rushes.text.providers import SUMMARIZE_OFFLINE, LanguageModel
from rushes.text.request import FEWEST_WORDS, Request


class SummarizeOptions(Options):
    """Options of `summarize`."""

    length: Length = "standard"
    """How much it says: `brief`, `standard` or `detailed` (with points under each chapter)."""
    template: Template = "summary"
    """`insights` adds the video as a chapter of a book: what is built, with what, how, and questions answered."""
    model: ModelName = OFFLINE
    """`offline`, or a language model: `anthropic:NAME`, `openai:NAME`, `google:NAME`."""
    model_url: ServiceAddress | None = None
    """The address of a service that speaks that provider's protocol, such as a server of one's own."""
    language: LanguageTag | None = None
    """The language a model writes in; by default the talk's own. The offline engine only quotes."""
    part_words: int = Field(default=12_000, ge=300)
    """Words of transcript in one question to a model. Less for a model with a small context."""
    fallback: bool = True
    """Where a model refuses, answers nonsense twice or is down to the last attempt: summarize offline, and say so."""
    url: bool = False
    """Where nobody speaks in a public YouTube video: let a `google` model watch it from its address."""


async def summarize(job: Job, context: Context) -> Result:
    """Make `summary.json`."""
    options: SummarizeOptions = context.options
    model = chosen_model(context, instead=SUMMARIZE_OFFLINE)
    request = await asyncio.to_thread(_request, context)
    if request.transcript.speech == "none" or request.words < FEWEST_WORDS:
        summary = await _watched(request, model, options)
    elif model:
        summary = await _asked(request, model, job, context)
    else:
        await context.progress(0.1, "summarizes offline")
        summary = await asyncio.to_thread(offline.summarize, request)
    return _result(summary, context)


SUMMARIZE = stage(
    "summarize",
    version=1,
    options=SummarizeOptions,
    defaults=model_defaults,
    needs=frozenset({"transcript", "metadata"}),
    makes=frozenset({"summary"}),
)(summarize)


def _request(context: Context) -> Request:
    options = context.options
    return Request(
        _transcript(context),
        _video(context),
        length=options.length,
        template=options.template,
        language=options.language,
    )


def _transcript(context: Context) -> Transcript:
    found = context.inputs("transcript")
    if found:
        return Transcript.read(found[-1].path)
    if not context.options.url:
        raise Permanent("there is no transcript to summarize")
    return Transcript(source="speech", engine="none", speech="none", cues=())


def _video(context: Context) -> VideoDocument:
    found = context.inputs("metadata")
    if found:
        return VideoDocument.read(found[-1].path)
    return VideoDocument(key=context.source.key, title=context.title or "")


async def _watched(request: Request, model: LanguageModel | None, options: SummarizeOptions) -> Summary:
    """Where there are too few words: what the model sees, if it may look."""
    url = address(request.video.key)
    if options.url and url and model and model.provider == "google":
        return await online.watch(request, await asyncio.to_thread(Asker, model), url)
    if request.transcript.speech == "none":
        raise Permanent("no speech found: there is nothing to summarize")
    raise Permanent(f"too short to summarize: {request.words} words were said, at least {FEWEST_WORDS} are needed")


async def _asked(request: Request, model: LanguageModel, job: Job, context: Context) -> Summary:
    options: SummarizeOptions = context.options
    asker = await asyncio.to_thread(Asker, model)
    try:
        return await online.summarize(
            request, asker, part_words=options.part_words, progress=context.progress, fallback=options.fallback
        )
    except Transient as error:
        if not options.fallback or job.attempts < job.max_attempts:
            raise
        return await online.fallen_back(request, asker, error)


def _result(summary: Summary, context: Context) -> Result:
    path = context.scratch / "summary.json"
    summary.write(path)
    return Result(
        made=[Made("summary", path, "application/json")],
        engine=engine_of(summary.engine, summary.model, summary.usage),
        notes=summary.notes,
        search_text=[(0.0, summary.overview), *((point.start, point.text) for point in summary.key_points)],
        # A fall-back: when the model is back, a later run shall ask it.
        reusable=summary.engine != OFFLINE or context.options.model == OFFLINE,
    )
