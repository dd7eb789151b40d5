"""The summary by a language model: in one question, or for a long talk from notes on its parts.

The model is shown numbered lines and answers with their numbers; times are then the transcript's own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from itertools import pairwise

from rushes.documents import Chapter, KeyPoint, Summary
from rushes.errors import Permanent
from rushes.text import prompts
from rushes.text.asking import Asker, TooLong
from rushes.text.chapters import published
from rushes.text.drafts import ChapterDraft, PartDraft, PointDraft, SummaryDraft
from rushes.text.request import Request

Progress = Callable[[float, str], Awaitable[None]]

_OVERLAP = 120
"""Words that a part repeats of the one before it, so that no thought is cut in two."""
_SMALLEST = 300
"""Words. A model that cannot take so many is of no use."""


async def summarize(request: Request, asker: Asker, *, part_words: int, progress: Progress) -> tuple[Summary, str]:
    """Return the summary, and the material that it was made from: the transcript, or the notes on its parts.

    A part that is too long for the model is halved until it fits.

    Raises:
        UnusableAnswer, StageError: as `Asker.ask`.
    """
    words = min(part_words, request.words)
    while True:
        try:
            return await _summarize(request, asker, words, progress)
        except TooLong as error:
            words //= 2
            if words < _SMALLEST:
                raise Permanent(f"{error.reason}, even in parts of {_SMALLEST} words") from None


async def _summarize(request: Request, asker: Asker, words: int, progress: Progress) -> tuple[Summary, str]:
    parts = divided(request, words)
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


def divided(request: Request, words: int) -> list[tuple[int, int]]:
    """Ranges of sentences of about so many words each, overlapping, of about equal length."""
    count = -(-request.words // words)
    size = request.words / count
    parts: list[tuple[int, int]] = []
    first, spoken = 0, 0
    for number, sentence in enumerate(request.sentences):
        spoken += sentence.words
        if spoken >= size * (len(parts) + 1) and len(parts) < count - 1:
            parts.append((first, number + 1))
            first = _back(request, number + 1)
    return [*parts, (first, len(request.sentences))]


def _back(request: Request, number: int) -> int:
    repeated = 0
    while number > 0 and repeated + request.sentences[number - 1].words <= _OVERLAP:
        number -= 1
        repeated += request.sentences[number].words
    return number


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
    unknown = sorted({named.line for named in _naming_lines(draft) if named.line not in lines})
    if not unknown:
        return None
    shown = ", ".join(map(str, unknown[:10]))
    return f"There are no lines with the numbers {shown}. Give only line numbers that stand in brackets."


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
