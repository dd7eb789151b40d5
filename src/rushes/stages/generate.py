"""The stage `generate`: a text, a summary or a request becomes a script, and of that what is asked for: sound, a film.

What is not asked for is not made and not imported: the modules that speak and draw are loaded by whoever needs them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rushes.documents import Chapter, Document, Production, Saving, Script
from rushes.model import NO_FACTS, Facts, Job, Takes
from rushes.stages.base import Context, Made, Result, stage
from rushes.stages.fetching.checking import media_faults
from rushes.stages.generating.options import PAYLOAD, GenerateOptions, asked
from rushes.stages.generating.requesting import script_request
from rushes.stages.generating.steps import Timer, saving, steps_for
from rushes.stages.generating.writing import Writer
from rushes.stages.language_model import OFFLINE, engine_of, model_defaults
from rushes.text.lexicon import word_count
from rushes.text.scripts.request import speaking_time

if TYPE_CHECKING:
    from rushes.media.narration import Narration


async def generate(job: Job, context: Context) -> Result:
    """Make `script.json` and, as asked for, `narration.m4a` or `video.mp4` with captions."""
    options = asked(job, context)
    timer = Timer(context, steps_for(options.modalities), by_model=options.model != OFFLINE)
    script = await _script(options, job, context, timer)
    with media_faults():
        narration, made = await _made(script, options, context, timer)
        production = _production(script, options, timer, narration)
        written = [_written("script", script, context), _written("production", production, context)]
    summed_up = bool(context.inputs("summary"))
    return Result(
        made=[*written, *made],
        facts=NO_FACTS if summed_up or narration is None else Facts(duration=timedelta(seconds=narration.duration)),
        engine=engine_of(script.engine, script.model, script.usage),
        notes=(*script.notes, *_saved(production.saved)),
        search_text=() if summed_up else tuple(_passages(script, production)),
        # A fall-back: when the model is back, a later run shall ask it.
        reusable=script.engine != OFFLINE or context.options.model == OFFLINE,
        value=production.model_dump(mode="json"),
    )


GENERATE = stage(
    "generate",
    version=1,
    options=GenerateOptions,
    defaults=model_defaults,
    needs=frozenset({"summary"}),
    makes=frozenset({"script", "production"}),
    payload=PAYLOAD,
    takes=Takes.TEXTS,
)(generate)


async def _script(options: GenerateOptions, job: Job, context: Context, timer: Timer) -> Script:
    async def report(fraction: float, note: str) -> None:
        await timer.report("script", fraction, note)

    async with timer.running("script", "reads what it is to be made of"):
        request = await asyncio.to_thread(script_request, options, context)
        return await Writer(options, job, context, report).write(request)


async def _made(
    script: Script, options: GenerateOptions, context: Context, timer: Timer
) -> tuple[Narration | None, Sequence[Made]]:
    """What is made of the script: nothing, sound, a film or both."""
    if not options.spoken:
        return None, ()
    from rushes.stages.generating import sound

    narration, made = await sound.speak(script, context, timer, keep="audio" in options.modalities)
    if "video" in options.modalities:
        from rushes.stages.generating import picture

        slides = await picture.slides(script, options.style, context, timer)
        made += await picture.film(slides, narration, made[0].path, script, context, timer)
    return narration, made


def _production(script: Script, options: GenerateOptions, timer: Timer, narration: Narration | None) -> Production:
    spoken = narration.duration if narration else speaking_time(word_count(script.text))
    return Production(
        modalities=options.modalities,
        style=options.style,
        duration=narration.duration if narration else None,
        voice=narration.voice if narration else None,
        chapters=tuple(_chapters(script, narration)) if narration else (),
        steps=tuple(timer.times),
        saved=saving(options.modalities, spoken),
    )


def _chapters(script: Script, narration: Narration) -> Iterator[Chapter]:
    """When each section is spoken; what is said before the first and after the last has no chapter."""
    passages = narration.passages[1 if script.hook else 0 :]
    for section, passage in zip(script.sections, passages, strict=False):
        yield Chapter(title=section.title, start=passage.start, end=passage.end)


def _written(kind: str, document: Document, context: Context) -> Made:
    path = context.scratch / f"{kind}.json"
    document.write(path)
    return Made(kind, path, "application/json")


def _saved(saved: Saving) -> Iterator[str]:
    if saved.steps:
        yield (
            f"Not asked for, and so not made: {', '.join(saved.steps)}. That saved about {saved.seconds:g} s of work "
            f"and ${saved.cost:.2f} ({saved.basis})."
        )


def _passages(script: Script, production: Production) -> Iterator[tuple[float, str]]:
    """What is said, for the full-text index, with its time where it is spoken."""
    starts = [chapter.start for chapter in production.chapters] or [0.0] * len(script.sections)
    for section, start in zip(script.sections, starts, strict=True):
        yield start, section.narration
