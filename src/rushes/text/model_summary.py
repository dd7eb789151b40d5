"""The summary by a language model: in one question, or for a long talk from notes on its parts.

The model is shown numbered lines and answers with their numbers; times are then the transcript's own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from itertools import pairwise

from rushes.documents import Chapter, KeyPoint, Summary
from rushes.text import prompts
from rushes.text.asking import Asker
from rushes.text.chapters import published
from rushes.text.drafts import ChapterDraft, PartDraft, PointDraft, SummaryDraft
from rushes.text.parts import divided, shrinking, unknown_lines
from rushes.text.request import Request

Progress = Callable[[float, str], Awaitable[None]]


async def summarize(request: Request, asker: Asker, *, part_words: int, progress: Progress) -> tuple[Summary, str]:
    """Return the summary, and the material that it was made from: the transcript, or the notes on its parts.

    A part that is too long for the model is halved until it fits.

    Raises:
        UnusableAnswer, StageError: as `Asker.ask`.
    """
    return await shrinking(min(part_words, request.words), lambda words: _summarize(request, asker, words, progress))


async def _summarize(request: Request, asker: Asker, words: int, progress: Progress) -> tuple[Summary, str]:
    parts = divided(request.sentences, words)
    if len(parts) == 1:
        material = prompts.transcript_block(request.sentences, 0, len(request.sentences))
        everything = range(len(request.sentences))
        await progress(0.1, f"asks {asker.model}")
        return await _ask_summary(request, asker, prompts.summary_instructions(request), material, everything), material
    notes = []
    for number, (first, last) in enumerate(parts):
        await progress(number / (len(parts) + 1), f"asks {asker.model}, part {number + 1} of {len(parts)}")
        notes.append(await _take_notes(request, asker, first, last))
    await progress(len(parts) / (len(parts) + 1), f"asks {asker.model} for the whole")
    material = prompts.notes_block(notes)
    lines = {named.line for part in notes for named in _naming_lines(part)}
    return await _ask_summary(request, asker, prompts.reduce_instructions(request), material, lines), material


async def _take_notes(request: Request, asker: Asker, first: int, last: int) -> PartDraft:
    question = f"{prompts.video_block(request.video)}\n{prompts.transcript_block(request.sentences, first, last)}"
    lines = range(first, last)
    return await asker.ask(
        PartDraft, prompts.part_instructions(request), question, lambda part: _unknown_lines(part, lines)
    )


async def _ask_summary(
    request: Request, asker: Asker, instructions: str, material: str, lines: Container[int]
) -> Summary:
    given = [(_line_at(request, chapter.start), chapter.title) for chapter in published(request)]
    question = f"{prompts.video_block(request.video, given)}\n{material}"
    draft = await asker.ask(SummaryDraft, instructions, question, lambda answer: _unknown_lines(answer, lines))
    return _written(draft, request, asker)


def _unknown_lines(draft: SummaryDraft | PartDraft, lines: Container[int]) -> str | None:
    return unknown_lines((named.line for named in _naming_lines(draft)), lines)


def _naming_lines(draft: SummaryDraft | PartDraft) -> list[PointDraft | ChapterDraft]:
    return [*draft.key_points, *draft.chapters]


def _line_at(request: Request, seconds: float) -> int:
    later = (number for number, sentence in enumerate(request.sentences) if sentence.start >= seconds)
    return next(later, len(request.sentences) - 1)


def _written(draft: SummaryDraft, request: Request, asker: Asker) -> Summary:
    points = sorted(draft.key_points, key=lambda point: point.line)
    return Summary(
        title=draft.title,
        overview=draft.overview,
        key_points=tuple(KeyPoint(text=point.text, start=request.sentences[point.line].start) for point in points),
        chapters=tuple(_chapters(draft.chapters, request)),
        topics=tuple(draft.topics),
        length=request.length,
        language=request.language or request.lexicon.language,
        engine=asker.model.provider,
        model=asker.model.name,
        usage=asker.usage,
    )


def _chapters(drafts: Sequence[ChapterDraft], request: Request) -> list[Chapter]:
    """The publisher's chapters with the model's points, else the model's own."""
    detailed = request.length == "detailed"
    timed = [(request.sentences[draft.line].start, draft) for draft in sorted(drafts, key=lambda draft: draft.line)]
    given = published(request)
    if not given:
        points = {draft.line: tuple(draft.points) for _, draft in timed if detailed}
        starts = [(start, draft.title, points.get(draft.line, ())) for start, draft in timed]
        return joined(starts, request.duration)
    ends = [*(chapter.start for chapter in given[1:]), request.duration]
    return [
        Chapter(
            title=chapter.title,
            start=chapter.start,
            end=end,
            points=tuple(
                point for start, draft in timed for point in draft.points if detailed and chapter.start <= start < end
            ),
        )
        for chapter, end in zip(given, ends, strict=True)
    ]


def joined(found: Sequence[tuple[float, str, tuple[str, ...]]], duration: float) -> list[Chapter]:
    """Chapters from ascending starts: the first begins at 0, each ends with the next, none begins with another."""
    kept = [item for before, item in pairwise([None, *found]) if item and (before is None or item[0] > before[0])]
    starts = [0.0, *(start for start, _, _ in kept[1:]), duration]
    return [
        Chapter(title=title, start=start, end=max(start, end), points=points)
        for (_, title, points), (start, end) in zip(kept, pairwise(starts), strict=True)
    ]
