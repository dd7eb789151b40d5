"""The engine that asks a language model, with the offline engine behind it for answers that are of no use.

A fall-back is named in the summary's notes, and what was spent until then is kept.
"""

from __future__ import annotations

from asyncio import to_thread

from rushes.documents import Summary
from rushes.errors import Permanent, RushesError
from rushes.text import model_insights, model_summary, model_video, offline
from rushes.text.asking import Asker, TooLong, UnusableAnswer
from rushes.text.model_summary import Progress
from rushes.text.request import Request


async def summarize(
    request: Request, asker: Asker, *, part_words: int, progress: Progress, fallback: bool = True
) -> Summary:
    """Summarize a transcript that has sentences.

    Args:
        request: what to summarize.
        asker: the model.
        part_words: how many words of transcript go into one question.
        progress: told before each question.
        fallback: take the offline summary where the model refuses or twice answers with what cannot be used.

    Raises:
        Permanent: the answer cannot be used, and there is to be no fall-back.
        StageError: the service did not answer.
    """
    try:
        return await _ask(request, asker, part_words, progress)
    except (UnusableAnswer, TooLong) as error:
        if not fallback:
            raise Permanent(error.reason, remedy="Try another model, or --set summarize.model=offline") from None
        return await fallen_back(request, asker, error)


async def _ask(request: Request, asker: Asker, part_words: int, progress: Progress) -> Summary:
    made, material = await model_summary.summarize(request, asker, part_words=part_words, progress=progress)
    if request.template != "insights":
        return made
    await progress(0.9, f"asks {asker.model} for insights")
    filled, notes = await model_insights.insights(request, asker, material)
    changed = {"template": "insights", "insights": filled, "usage": asker.usage, "notes": (*made.notes, *notes)}
    return made.model_copy(update=changed)


async def fallen_back(request: Request, asker: Asker, error: RushesError) -> Summary:
    """The offline summary, which says why it is not the model's."""
    made = await to_thread(offline.summarize, request)
    note = f"Summarized offline, because {error.reason[:1].lower()}{error.reason[1:]}."
    return made.model_copy(update={"notes": (note, *made.notes), "usage": asker.usage})


async def watch(request: Request, asker: Asker, url: str) -> Summary:
    """Summarize a video without a transcript: a Gemini model watches it.

    Raises:
        Permanent: the answer cannot be used; there are no words to fall back on.
        StageError: the service did not answer.
    """
    try:
        return await model_video.watch(request, asker, url)
    except (UnusableAnswer, TooLong) as error:
        raise Permanent(error.reason) from None
