"""The stage `scrape`: a channel, a playlist or a feed becomes the items that it lists, in its order.

Only names are read, no video is opened: each is fetched by its own job, with its own retries.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from rushes.errors import Permanent
from rushes.model import Job
from rushes.stages.base import Context, Options, Result, parted, stage
from rushes.stages.fetching.asking import access_of, ask
from rushes.stages.fetching.items import expanded
from rushes.stages.fetching.request import Listed, ListRequest, Progress

Words = Annotated[tuple[str, ...], BeforeValidator(parted)]


class ScrapeOptions(Options):
    """Options of `scrape`."""

    limit: int = Field(default=1000, ge=1, le=100_000)
    """How many videos are taken; the list's first ones."""
    since: date | None = None
    """Only what was published on that day or later. What the list gives no date for is kept, and that is said."""
    include: Words = ()
    """Only titles with one of these words, separated by commas."""
    exclude: Words = ()
    """No titles with one of these words."""


async def scrape(_job: Job, context: Context) -> Result:
    """List a collection. What is a single video passes through."""
    if not context.source.collection:
        return Result()
    listed = await _list(context)
    if listed.single:
        return Result(notes=["it is one video, not a list of them"])
    if not listed.entries:
        raise Permanent(_emptiness(listed))
    return expanded(context.source, listed)


SCRAPE = stage("scrape", version=1, options=ScrapeOptions, concurrency=2, timeout=timedelta(hours=1), fetches=True)(
    scrape
)


async def _list(context: Context) -> Listed:
    async def report(_progress: Progress) -> None:
        await context.progress(None, "reading the list")

    options = context.options
    async with access_of(context) as access:
        request = ListRequest(
            url=context.source.location,
            limit=options.limit,
            since=options.since,
            include=options.include,
            exclude=options.exclude,
            access=access,
        )
        answer = await ask(request, report)
    assert answer.listed
    return answer.listed


def _emptiness(listed: Listed) -> str:
    if listed.passed_over:
        return f"none of the {listed.passed_over} videos listed there matches the options of scrape"
    return "the list is empty: it names no video"
