"""The parent's side of a fetch: one child for one request, its progress passed on, its failure raised."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

from rushes.children import Child, ChildDied
from rushes.errors import NeedsInput, Scope, Transient
from rushes.media.faults import EngineMissing
from rushes.media.ffmpeg import find_ffmpeg
from rushes.settings import Settings
from rushes.stages.fetching.faults import to_error
from rushes.stages.fetching.request import Access, Answer, FetchRequest, ListRequest, Progress

CHILD = "rushes.stages.fetching.child"
_INHERITED = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip
"""What the child gets of our environment. It runs code for thousands of sites, and our keys are none of theirs."""

Report = Callable[[Progress], Awaitable[None]]


async def ask(request: FetchRequest | ListRequest, report: Report) -> Answer:
    """Have a child fetch or list, and return its answer.

    Raises:
        StageError: as the child classed its failure, or `Transient` where it was killed.
        ChildDied: it failed in a way that nobody foresaw (a bug).
    """
    async with await Child.start_module(CHILD, name="yt-dlp", env=_environment(request.access)) as child:
        try:
            await child.send(request.model_dump(mode="json"))
            return await _answer(child, report)
        except ChildDied as death:
            if death.code is not None and death.code < 0:
                raise Transient(f"the download was interrupted: {death}") from death
            raise


async def access_of(settings: Settings) -> Access:
    """How fetches may reach the world, by the settings.

    Raises:
        NeedsInput: there is no FFmpeg.
    """
    try:
        ffmpeg = await asyncio.to_thread(find_ffmpeg, settings.ffmpeg)
    except EngineMissing as error:
        raise NeedsInput(error.reason, remedy=error.remedy or "", scope=Scope.ENVIRONMENT) from error
    return Access(
        cookies=str(settings.cookies) if settings.cookies else None,
        proxy=settings.proxy.get_secret_value() if settings.proxy else None,
        rate=settings.download_rate,
        ffmpeg=str(ffmpeg.path),
        cache=str(settings.home / "cache" / "yt-dlp"),
    )


async def _answer(child: Child, report: Report) -> Answer:
    while True:
        answer = Answer.model_validate(await child.receive())
        if answer.failure:
            raise to_error(answer.failure)
        if answer.progress is None:
            return answer
        await report(answer.progress)


def _environment(access: Access) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**inherited, "YTDLP_NO_PLUGINS": "1", "DENO_DIR": f"{access.cache}/deno", "PYTHONUNBUFFERED": "1"}
