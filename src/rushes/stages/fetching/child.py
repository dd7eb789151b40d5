"""The yt-dlp child: `python -m rushes.stages.fetching.child`. One request on stdin, progress and one answer on stdout.

yt-dlp blocks, cannot be interrupted while it reads a page, and runs code for thousands of sites, so it has a process of
its own that can be killed at any moment. What it has fetched by then stays in the folder; the next attempt goes on there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field, TypeAdapter

from rushes.children import Message, serve
from rushes.stages.fetching.faults import Place, failure_of
from rushes.stages.fetching.fetch import Fetch
from rushes.stages.fetching.listing import list_videos
from rushes.stages.fetching.request import Answer, FetchRequest, ListRequest, Progress
from rushes.stages.fetching.walls import confine
from rushes.stages.fetching.ytdlp import Log, listing, make_downloader

_REQUEST: TypeAdapter[FetchRequest | ListRequest] = TypeAdapter(
    Annotated[FetchRequest | ListRequest, Field(discriminator="verb")]
)


class Listing:
    """The listing of one channel, playlist or feed."""

    def __init__(self, request: ListRequest) -> None:
        self._request = request
        self._log = Log()

    @property
    def place(self) -> Place:
        return Place(self._request.url, without_javascript=self._log.without_javascript)

    def answer(self) -> Answer:
        """List it. Raises: StageError, whatever yt-dlp raises."""
        downloader = make_downloader(self._request.access, self._log, **listing())
        return Answer(listed=list_videos(downloader, self._request))


def handle(message: Message, say: Callable[..., None]) -> None:
    """Answer one request. A bug ends the process with its traceback."""
    request = _REQUEST.validate_python(message)
    if request.access.confined:
        confine(request.access)

    def tell(answer: Answer) -> None:
        say(**answer.model_dump(mode="json", exclude_none=True))

    def progress(progress: Progress) -> None:
        tell(Answer(progress=progress))

    progress(Progress(phase="extracting"))
    work = Fetch(request, progress) if isinstance(request, FetchRequest) else Listing(request)
    try:
        answer = work.answer()
    except Exception as error:
        failure = failure_of(error, work.place)
        if failure is None:
            raise
        answer = Answer(failure=failure)
    tell(answer)


if __name__ == "__main__":
    serve(handle)
