"""The parent's side of a fetch: one child for one request, its progress passed on, its failure raised."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable

from rushes.children import Child, ChildDied
from rushes.errors import NeedsInput, Permanent, Scope, Transient
from rushes.keys import BadAddress
from rushes.keys.addresses import parse
from rushes.media.faults import EngineMissing
from rushes.media.ffmpeg import find_ffmpeg
from rushes.model import Trust
from rushes.settings import Settings
from rushes.stages.base import Context
from rushes.stages.fetching.faults import for_others, to_error
from rushes.stages.fetching.request import Access, Answer, FetchRequest, ListRequest, Progress

CHILD = "rushes.stages.fetching.child"
_INHERITED = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
)  # fmt: skip
"""What the child gets of our environment. It runs code for thousands of sites, and our keys are none of theirs."""
_PROXIES = (
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip
"""What it gets beside, unless it is confined."""

_SMUGGLED = "#__youtubedl_smuggle"

Report = Callable[[Progress], Awaitable[None]]


async def ask(request: FetchRequest | ListRequest, report: Report) -> Answer:
    """Have a child fetch or list, and return its answer.

    Raises:
        StageError: as the child classed its failure, or `Transient` where it was killed.
        ChildDied: it failed in a way that nobody foresaw (a bug).
    """
    if request.access.confined:
        _check_address(request.url)
    async with await Child.start_module(CHILD, name="yt-dlp", env=_environment(request.access)) as child:
        try:
            await child.send(request.model_dump(mode="json"))
            return await _answer(child, request.access, report)
        except ChildDied as death:
            if death.code is not None and death.code < 0:
                raise Transient(f"the download was interrupted: {death}") from death
            raise


@contextlib.asynccontextmanager
async def access_of(context: Context) -> AsyncIterator[Access]:
    """How a fetch may reach the world, for as long as it goes on: by the settings, or for others by the egress proxy alone.

    Raises:
        NeedsInput: there is no FFmpeg, or the operator has a proxy of their own, which does not go together with ours.
    """
    ffmpeg = await _ffmpeg(context.settings)
    if context.trust is Trust.LOCAL:
        yield _own_access(context.settings, ffmpeg)
        return
    from rushes.egress.proxy import Egress

    async with context.service(Egress).admitted() as proxy:
        # What is cached may come from cookies of the operator's, and what strangers' pages leave there is not for them.
        cache = str(context.settings.home / "cache" / "yt-dlp-for-others")
        yield Access(proxy=proxy, confined=True, rate=context.settings.download_rate, ffmpeg=ffmpeg, cache=cache)


def _check_address(url: str) -> None:
    """Raise `Permanent` unless it is a plain web address. In a fragment of its own yt-dlp takes what an extractor knows."""
    try:
        parse(url)
    except BadAddress as error:
        raise Permanent(str(error)) from None
    if _SMUGGLED in url:
        raise Permanent("not a web address: it ends in words for yt-dlp")


async def _ffmpeg(settings: Settings) -> str:
    try:
        return str((await asyncio.to_thread(find_ffmpeg, settings.ffmpeg)).path)
    except EngineMissing as error:
        raise NeedsInput(error.reason, remedy=error.remedy or "", scope=Scope.ENVIRONMENT) from error


def _own_access(settings: Settings, ffmpeg: str) -> Access:
    return Access(
        cookies=str(settings.cookies) if settings.cookies else None,
        proxy=settings.proxy.get_secret_value() if settings.proxy else None,
        rate=settings.download_rate,
        ffmpeg=ffmpeg,
        cache=str(settings.home / "cache" / "yt-dlp"),
    )


async def _answer(child: Child, access: Access, report: Report) -> Answer:
    while True:
        answer = Answer.model_validate(await child.receive())
        if answer.failure:
            raise to_error(for_others(answer.failure) if access.confined else answer.failure)
        if answer.progress is None:
            return answer
        await report(answer.progress)


def _environment(access: Access) -> dict[str, str]:
    names = _INHERITED if access.confined else (*_INHERITED, *_PROXIES)
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    return {**inherited, "YTDLP_NO_PLUGINS": "1", "DENO_DIR": f"{access.cache}/deno", "PYTHONUNBUFFERED": "1"}
