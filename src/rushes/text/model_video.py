"""The summary of a public YouTube video by a Gemini model that watches it from its address, where nobody has words.

Here alone times are the model's own: they are held to the video's length, and the summary says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rushes.documents import KeyPoint, Summary
from rushes.text import prompts
from rushes.text.asking import Asker
from rushes.text.drafts import InsightsDraft, TimedChapterDraft, TimedPointDraft, WatchedDraft
from rushes.text.model_insights import NOT_AVAILABLE, written
from rushes.text.model_summary import joined
from rushes.text.request import Request

if TYPE_CHECKING:
    from pydantic_ai.messages import UserContent

NOTE = "The model watched the video from its address; times are the model's own and were not checked against captions."
_KEY = re.compile(r"^youtube:([\w-]{11})$")


def address(key: str) -> str | None:
    """The address in the form that Gemini takes, of a video with a YouTube key."""
    match = _KEY.match(key)
    return f"https://www.youtube.com/watch?v={match[1]}" if match else None


async def watch(request: Request, asker: Asker, url: str) -> Summary:
    """Summarize a video without a transcript.

    Raises:
        UnusableAnswer, TooLong, StageError: as `Asker.ask`.
    """
    from pydantic_ai import VideoUrl

    question: list[UserContent] = [prompts.video_block(request.video), VideoUrl(url=url)]
    length = request.video.duration
    draft = await asker.ask(
        WatchedDraft, prompts.watch_instructions(request), question, lambda answer: _outside(answer, length)
    )
    insights = None
    if request.template == "insights":
        answer = await asker.ask(InsightsDraft, prompts.insights_instructions(request), question, lambda _answer: None)
        insights = written(answer, NOT_AVAILABLE, NOT_AVAILABLE)
    return _summary(draft, request, asker).model_copy(update={"insights": insights, "template": request.template})


def _outside(draft: WatchedDraft, duration: float | None) -> str | None:
    late = sorted(item.seconds for item in _timed(draft) if duration is not None and item.seconds >= duration)
    return f"The video is {duration:g} seconds long; {late[0]:g} is outside." if late else None


def _timed(draft: WatchedDraft) -> list[TimedPointDraft | TimedChapterDraft]:
    return [*draft.key_points, *draft.chapters]


def _summary(draft: WatchedDraft, request: Request, asker: Asker) -> Summary:
    detailed = request.length == "detailed"
    chapters = sorted(draft.chapters, key=lambda chapter: chapter.seconds)
    starts = [(chapter.seconds, chapter.title, tuple(chapter.points) if detailed else ()) for chapter in chapters]
    latest = max(item.seconds for item in _timed(draft))
    return Summary(
        title=draft.title,
        overview=draft.overview,
        key_points=tuple(
            KeyPoint(text=point.text, start=point.seconds)
            for point in sorted(draft.key_points, key=lambda point: point.seconds)
        ),
        chapters=tuple(joined(starts, request.video.duration or latest)),
        topics=tuple(draft.topics),
        length=request.length,
        language=request.language,
        engine=asker.model.provider,
        model=asker.model.name,
        usage=asker.usage,
        notes=(NOTE,),
    )
