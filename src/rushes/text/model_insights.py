"""The insights template by a language model: one more question over the material that the summary was made from."""

from __future__ import annotations

import re

from rushes.documents import Insights, Question
from rushes.text import prompts
from rushes.text.asking import Asker
from rushes.text.drafts import InsightsDraft
from rushes.text.request import Request

NOT_AVAILABLE = "N/A"
LEFT_OUT = "The model named an address that stands neither in the description nor in the transcript: left out."


async def insights(request: Request, asker: Asker, material: str) -> tuple[Insights, tuple[str, ...]]:
    """Return the eight fields, and notes on what was left out.

    Raises:
        UnusableAnswer, TooLong, StageError: as `Asker.ask`.
    """
    question = f"{prompts.video_block(request.video)}\n{material}"
    draft = await asker.ask(InsightsDraft, prompts.insights_instructions(request), question, lambda _answer: None)
    source, demo = known_address(draft.source_code_url, request), known_address(draft.demo_url, request)
    invented = any(given != kept and _is_address(given) for given, kept in _pairs(draft, source, demo))
    return written(draft, source, demo), (LEFT_OUT,) if invented else ()


def _pairs(draft: InsightsDraft, source: str, demo: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (draft.source_code_url, source), (draft.demo_url, demo)


def written(draft: InsightsDraft, source_code_url: str, demo_url: str) -> Insights:
    return Insights(
        chapter_title=draft.chapter_title,
        introduction_context=draft.introduction_context,
        what_will_build=draft.what_will_build,
        technologies_and_services=tuple(draft.technologies_and_services),
        how_we_did_it=tuple(draft.how_we_did_it),
        source_code_url=source_code_url,
        demo_url=demo_url,
        qa_segment=tuple(Question(question=pair.question, answer=pair.answer) for pair in draft.qa_segment),
    )


def known_address(given: str, request: Request) -> str:
    """An address that the description or the transcript names, else N/A. `example.com/x` spoken counts too."""
    bare = re.sub(r"^https?://(?:www\.)?", "", given.strip(), flags=re.IGNORECASE).rstrip("/").lower()
    material = f"{request.video.description or ''} {request.transcript.text}".lower()
    return given.strip() if _is_address(given) and bare in material else NOT_AVAILABLE


def _is_address(given: str) -> bool:
    return re.match(r"^(?:https?://)?[\w-]+(?:\.[\w-]+)+(?:[/?#]\S*)?$", given.strip(), re.IGNORECASE) is not None
