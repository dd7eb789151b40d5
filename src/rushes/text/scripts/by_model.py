"""The script by a language model: of a request alone, or of material, in one question or from notes on its parts.

The model is shown numbered lines and answers with their numbers, so what a section tells can be traced.
"""

from __future__ import annotations

from collections.abc import Container

from rushes.documents import Origin, Script, ScriptSection
from rushes.text.asking import Asker
from rushes.text.drafts import PartDraft
from rushes.text.lexicon import word_count
from rushes.text.model_summary import Progress
from rushes.text.parts import divided, shrinking, unknown_lines
from rushes.text.prompts import notes_block
from rushes.text.scripts import prompts
from rushes.text.scripts.drafts import ScriptDraft, SectionDraft
from rushes.text.scripts.material import Material
from rushes.text.scripts.request import ScriptRequest, speaking_time
from rushes.text.scripts.vague import TooVague

NOBODY_CHECKED = "Written by a language model from a request alone: nobody has checked what it says."
_TOO_LONG = 2.5
"""Times the wished length: what is longer goes back to the model."""


async def script(request: ScriptRequest, asker: Asker, *, part_words: int, progress: Progress) -> Script:
    """Ask for a script.

    Args:
        request: what is wanted.
        asker: the model.
        part_words: how many words of material go into one question.
        progress: told before each question.

    Raises:
        TooVague: the model asks back.
        UnusableAnswer, StageError: as `Asker.ask`.
    """
    material = request.material
    if material is None:
        await progress(0.1, f"asks {asker.model}")
        return _written(await _ask(request, asker, prompts.request_block(request), ()), request, asker)
    words = min(part_words, material.words)
    draft = await shrinking(words, lambda words: _of_material(request, material, asker, words, progress))
    return _written(draft, request, asker)


async def _of_material(
    request: ScriptRequest, material: Material, asker: Asker, words: int, progress: Progress
) -> ScriptDraft:
    parts = divided(material.sentences, words)
    if len(parts) == 1:
        await progress(0.1, f"asks {asker.model}")
        source = prompts.source_block(material.sentences, 0, len(material.sentences))
        return await _ask(request, asker, f"{prompts.request_block(request)}\n{source}", range(len(material.sentences)))
    notes: list[PartDraft] = []
    for number, (first, last) in enumerate(parts):
        await progress(number / (len(parts) + 1), f"asks {asker.model}, part {number + 1} of {len(parts)}")
        notes.append(await _take_notes(request, material, asker, range(first, last)))
    await progress(len(parts) / (len(parts) + 1), f"asks {asker.model} for the whole")
    lines = {line for part in notes for line in _named(part)}
    return await _ask(request, asker, f"{prompts.request_block(request)}\n{notes_block(notes)}", lines)


async def _take_notes(request: ScriptRequest, material: Material, asker: Asker, lines: range) -> PartDraft:
    question = f"{prompts.request_block(request)}\n{prompts.source_block(material.sentences, lines.start, lines.stop)}"
    return await asker.ask(
        PartDraft, prompts.notes_instructions(request), question, lambda part: unknown_lines(_named(part), lines)
    )


def _named(part: PartDraft) -> list[int]:
    return [*(point.line for point in part.key_points), *(chapter.line for chapter in part.chapters)]


async def _ask(request: ScriptRequest, asker: Asker, question: str, lines: Container[int]) -> ScriptDraft:
    draft = await asker.ask(
        ScriptDraft, prompts.script_instructions(request), question, lambda answer: _wrong(answer, request, lines)
    )
    if draft.questions:
        raise TooVague(draft.questions)
    return draft


def _wrong(draft: ScriptDraft, request: ScriptRequest, lines: Container[int]) -> str | None:
    """What is wrong with an answer, in words for the model; None if nothing is."""
    if draft.questions:
        if request.material:
            return "There is a source: write the script and ask no questions."
        return "Either ask questions or write a script, not both." if draft.sections else None
    if not (draft.title and draft.sections):
        return "A script has a title and sections."
    said = sum(word_count(section.narration) for section in draft.sections)
    if said > _TOO_LONG * request.words:
        return f"The narration has {said} words; about {request.words} are wanted."
    return unknown_lines((line for section in draft.sections for line in section.lines), lines)


def _written(draft: ScriptDraft, request: ScriptRequest, asker: Asker) -> Script:
    material = request.material
    return Script(
        title=_line(draft.title),
        hook=_line(draft.hook),
        sections=tuple(_section(section, material) for section in draft.sections),
        takeaways=tuple(map(_line, draft.takeaways)),
        query=request.query,
        language=request.language or (material.lexicon.language if material else None),
        engine=asker.model.provider,
        model=asker.model.name,
        usage=asker.usage,
        notes=material.notes if material else (NOBODY_CHECKED,),
    )


def _section(draft: SectionDraft, material: Material | None) -> ScriptSection:
    narration = _line(draft.narration)
    origins: tuple[Origin, ...] = tuple(material.origins[line] for line in sorted(set(draft.lines))) if material else ()
    return ScriptSection(
        title=_line(draft.title),
        narration=narration,
        points=tuple(map(_line, draft.points)),
        seconds=speaking_time(word_count(narration)),
        sources=origins,
    )


def _line(text: str) -> str:
    return " ".join(text.split())
