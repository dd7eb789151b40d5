"""The stage `download`: an address or a file becomes `video.json`, captions, a thumbnail and the media that is wanted.

Fetching is done by yt-dlp in a child (`fetching/`). What an earlier attempt left in the scratch folder is gone on with.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from rushes.documents import CaptionTrack, Chapter, VideoDocument
from rushes.errors import Permanent, Transient
from rushes.media.ffmpeg import find_ffmpeg
from rushes.media.probe import Probe, probe
from rushes.model import Engine, Facts, Job, Trust, VideoKey
from rushes.stages.base import Context, Made, Options, Result, parted, stage
from rushes.stages.fetching import local
from rushes.stages.fetching.asking import access_of, ask
from rushes.stages.fetching.checking import check, discard, media_faults
from rushes.stages.fetching.frame import make_frame
from rushes.stages.fetching.items import expanded
from rushes.stages.fetching.request import Access, Fetched, FetchedMedia, FetchRequest, Progress
from rushes.stages.fetching.wanted import Wanted

CHECK_STARTS = 0.95
"""Share of the progress that is fetching; the rest is looking at what came."""
CAPTION_TYPES = {
    "vtt": "text/vtt",
    "srt": "application/x-subrip",
    "json3": "application/json",
    "ttml": "application/ttml+xml",
}


Tag = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")]
WebAddress = Annotated[str, Field(pattern=r"^https?://", max_length=8192)]


class DownloadOptions(Options):
    """Options of `download`. From `captions_url` on they are what the list knew that an item came from."""

    height: int = Field(default=1080, ge=144, le=4320)
    """The picture's height that is enough, where a later stage wants a picture."""
    languages: Annotated[tuple[Tag, ...], BeforeValidator(parted)] = ()
    """Languages of captions, the first is best: `en,de`. By default the video's own."""
    limit: int = Field(default=1000, ge=1, le=100_000)
    """How many videos are taken from a page that turns out to hold several."""
    captions_url: WebAddress | None = None
    """A transcript with times that the publisher offers."""
    captions_language: str | None = None
    """The language of that transcript."""
    thumbnail_url: WebAddress | None = None
    """A picture, where the video's own page offers none."""
    page_url: WebAddress | None = None
    """Where a person would watch it."""
    uploader: str | None = None
    """Who published it."""
    published: date | None = None
    """The day it was published."""
    duration: float | None = Field(default=None, gt=0)
    """Seconds."""
    language: str | None = None
    """The language that is spoken."""
    description: str | None = None
    """What its publisher wrote of it."""


async def download(_job: Job, context: Context) -> Result:
    """Fetch a video, or take note of a file. A page of several videos becomes as many items."""
    wanted = Wanted.of(context.wanted)
    if "://" in context.source.location:
        return await _fetch(context, wanted)
    if context.trust is not Trust.LOCAL:
        raise Permanent("files of this machine are not for others: give an http or https address")
    return await _take_file(context, wanted)


DOWNLOAD = stage(
    "download", version=1, options=DownloadOptions, makes=frozenset({"metadata"}), concurrency=4, fetches=True
)(download)


async def _take_file(context: Context, wanted: Wanted) -> Result:
    path, options = Path(context.source.location), context.options
    with media_faults():
        probed = await probe(path)
        captions, notes = local.captions_beside(path, context.scratch)
        if not captions and any(stream.kind == "subtitle" for stream in probed.streams):
            ffmpeg = find_ffmpeg(context.settings.ffmpeg).path
            captions, notes = await local.captions_inside(ffmpeg, path, probed, context.scratch)
    enough = wanted.unless_captions and local.fits(captions, options.languages, local.spoken_in(probed))
    media = []
    if wanted.media != "none" and not enough:
        await context.progress(CHECK_STARTS, "checking")
        probed = await check(path, audio=wanted.sound_needed, picture=wanted.picture_needed)
        media = [_media(path, probed, in_place=True)]
    document = local.describe(context.source, probed, captions, notes)
    picture = await _frame(context, path, probed)
    return Result(
        made=[_written(context, document), *media, *map(_captions, captions), *picture],
        facts=_facts(document),
        notes=notes,
    )


async def _fetch(context: Context, wanted: Wanted) -> Result:
    async with access_of(context) as access:
        answer = await ask(_request(context, wanted, access), lambda progress: _report(context, progress))
    if answer.listed:
        if not answer.listed.entries:
            raise Permanent("the page holds a list of videos, and the list is empty")
        return expanded(context.source, answer.listed)
    assert answer.fetched
    fetched, probed = answer.fetched, None
    media: list[Made] = []
    if fetched.media:
        await context.progress(CHECK_STARTS, "checking")
        probed = await _checked(fetched.media, wanted, fetched.duration)
        media = [_media(Path(fetched.media.path), probed)]
    document = describe(context, fetched, probed)
    tracks = zip((Path(one.path) for one in fetched.captions), document.captions, strict=True)
    picture: Sequence[Made] = [_thumbnail(Path(fetched.thumbnail))] if fetched.thumbnail else []
    if not picture and fetched.media and probed:
        picture = await _frame(context, Path(fetched.media.path), probed)
    return Result(
        made=[_written(context, document), *media, *map(_captions, tracks), *picture],
        facts=_facts(document),
        engine=Engine(f"yt-dlp {version('yt-dlp')}"),
        notes=fetched.notes,
    )


def _request(context: Context, wanted: Wanted, access: Access) -> FetchRequest:
    options = context.options
    folder = context.scratch / "fetch"
    with media_faults():
        folder.mkdir(parents=True, exist_ok=True)
    return FetchRequest(
        url=context.source.location,
        folder=str(folder),
        media=wanted.media,
        unless_captions=wanted.unless_captions,
        height=options.height,
        languages=options.languages,
        limit=options.limit,
        captions_url=options.captions_url,
        captions_language=options.captions_language,
        thumbnail_url=options.thumbnail_url,
        access=access,
    )


async def _report(context: Context, progress: Progress) -> None:
    share = progress.fraction * CHECK_STARTS if progress.fraction is not None else None
    await context.progress(share, in_words(progress))


def in_words(progress: Progress) -> str:
    """`downloading, 3.1 of 12.0 MB, 2.5 MB/s`."""
    parts = [{"extracting": "reading the page", "captions": "fetching captions"}.get(progress.phase, progress.phase)]
    if progress.bytes is not None:
        total = f" of {progress.total / 1e6:.1f}" if progress.total else ""
        parts.append(f"{progress.bytes / 1e6:.1f}{total} MB")
    if progress.speed:
        parts.append(f"{progress.speed / 1e6:.1f} MB/s")
    return ", ".join(parts)


async def _checked(media: FetchedMedia, wanted: Wanted, expected: float | None) -> Probe:
    """Look at what came. What is no good is thrown away, so that another attempt fetches it anew."""
    path = Path(media.path)
    try:
        return await check(path, audio=wanted.sound_needed, picture=wanted.picture_needed, expected=expected)
    except Permanent as fault:
        discard(path)
        said = fault.reason.replace(path.name, "what was fetched")
        if media.whole and not media.resumed:
            raise Permanent(said, remedy=fault.remedy) from fault
        raise Transient(f"{said}: the transfer may have been cut") from fault


def describe(context: Context, fetched: Fetched, probed: Probe | None) -> VideoDocument:
    """`video.json` of a fetched video: what its site says, then what its list said, then what the file says."""
    options = context.options
    bare = fetched.extractor == "Generic"  # a media file's own address: its title is its file name
    return VideoDocument(
        key=context.source.key,
        url=options.page_url or fetched.page or context.source.location,
        extractor=fetched.extractor,
        extractor_id=fetched.extractor_id,
        title=(context.title if bare else None) or fetched.title,
        uploader=fetched.uploader or options.uploader,
        published=fetched.published or (options.published.isoformat() if options.published else None),
        description=fetched.description or options.description,
        duration=(probed.duration if probed else None) or fetched.duration or options.duration,
        language=fetched.language or options.language,
        has_audio=probed.has_audio if probed else fetched.has_audio,
        has_picture=fetched.has_picture,
        chapters=tuple(Chapter(title=one.title, start=one.start, end=one.end) for one in fetched.chapters),
        captions=tuple(
            CaptionTrack(language=one.language, automatic=one.automatic, format=one.format) for one in fetched.captions
        ),
        notes=fetched.notes,
    )


async def _frame(context: Context, video: Path, probed: Probe) -> Sequence[Made]:
    """A thumbnail for a video that came without one. It is a courtesy: where none can be made, there is none."""
    if not probed.has_picture:
        return ()
    output = context.scratch / "frame.jpg"
    try:
        with media_faults():
            await make_frame(find_ffmpeg(context.settings.ffmpeg).path, video, probed.duration, output)
    except Transient:
        return ()
    return [_thumbnail(output)] if output.is_file() else ()


def _written(context: Context, document: VideoDocument) -> Made:
    path = context.scratch / "video.json"
    with media_faults():
        document.write(path)
    return Made("metadata", path, "application/json")


def _media(path: Path, probed: Probe, *, in_place: bool = False) -> Made:
    facts = {"duration": probed.duration, "has_audio": probed.has_audio, "has_picture": probed.has_picture}
    kind = "video" if probed.has_picture else "audio"
    media_type = mimetypes.guess_type(path.name)[0] or f"{kind}/{probed.format.split(',')[0]}"
    return Made("media", path, media_type, {**facts, "in_place": True} if in_place else facts)


def _captions(track: tuple[Path, CaptionTrack]) -> Made:
    path, described = track
    return Made("captions", path, CAPTION_TYPES.get(described.format, "text/plain"), described.model_dump())


def _thumbnail(path: Path) -> Made:
    return Made("thumbnail", path, "image/jpeg")


def _facts(document: VideoDocument) -> Facts:
    known = document.extractor and document.extractor_id and document.extractor not in {"Generic", "HTML5MediaEmbed"}
    alias = VideoKey(f"{str(document.extractor).lower()}:{document.extractor_id}")
    duration = timedelta(seconds=document.duration) if document.duration is not None else None
    return Facts(document.title, duration, (alias,) if known and alias != document.key else ())
