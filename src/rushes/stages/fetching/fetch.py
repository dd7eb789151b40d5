"""The fetch of one video, in the child: one look at its page, then captions, thumbnail, and the media if still wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rushes.errors import NeedsInput, Transient
from rushes.stages.fetching.captions import UNKNOWN, Track, choose, language_tag, sniff
from rushes.stages.fetching.faults import Place, failure_of, to_error
from rushes.stages.fetching.listing import entries_of, feed_entries, is_list, published, resolve, selected
from rushes.stages.fetching.meter import Meter
from rushes.stages.fetching.request import (
    Answer,
    Fetched,
    FetchedCaptions,
    FetchedMedia,
    FetchRequest,
    Listed,
    ListRequest,
    Progress,
    PublishedChapter,
)
from rushes.stages.fetching.signs import LATER
from rushes.stages.fetching.thumbnail import fetch_thumbnail, thumbnail_address
from rushes.stages.fetching.wording import plain
from rushes.stages.fetching.ytdlp import Log, fetching, make_downloader

LARGEST_CAPTIONS = 16 * 1024 * 1024
"""Bytes of a caption file."""
_PARTS = (".part", ".ytdl")


class Fetch:
    """One run. `place` says where it is, for the sake of a failure's words."""

    def __init__(self, request: FetchRequest, tell: Callable[[Progress], None]) -> None:
        self._request = request
        self._folder = Path(request.folder)
        self._tell = tell
        self._log = Log()
        self._meter = Meter(tell)
        self._place = Place(request.url)
        self._notes: list[str] = []

    @property
    def place(self) -> Place:
        return replace(self._place, without_javascript=self._log.without_javascript)

    def answer(self) -> Answer:
        """Fetch it. Raises: StageError, whatever yt-dlp raises."""
        parameters = fetching(self._request, self._meter.hook, self._merging)
        self._downloader = make_downloader(self._request.access, self._log, **parameters)
        found = self._look()
        if isinstance(found, Listed):
            return Answer(listed=found)
        captions = self._captions(found)
        thumbnail = self._thumbnail(found)
        media = self._media(found, captions)
        return Answer(fetched=self._fetched(found, captions, thumbnail, media))

    def _look(self) -> dict[str, Any] | Listed:
        raw = resolve(self._downloader, self._request.url)
        self._place = replace(self._place, extractor=raw.get("extractor"))
        if is_list(raw):
            return self._listed(raw)
        _name_formats(raw)
        info: dict[str, Any] = self._downloader.process_ie_result(raw, download=False)
        if is_list(info):
            return self._listed(info)
        self._place = replace(self._place, extractor=info.get("extractor"))
        _refuse_live(info)
        return info

    def _listed(self, raw: dict[str, Any]) -> Listed:
        wanted = ListRequest(url=self._request.url, limit=self._request.limit, access=self._request.access)
        entries = feed_entries(self._downloader, wanted.url) if raw.get("extractor") == "generic" else None
        return selected(entries or entries_of(self._downloader, raw), wanted, title=raw.get("title"))

    def _captions(self, info: Mapping[str, Any]) -> tuple[FetchedCaptions, ...]:
        self._tell(Progress(phase="captions"))
        fetched = [self._try_captions(index, track, info) for index, track in enumerate(self._tracks(info))]
        return tuple(one for one in fetched if one)

    def _tracks(self, info: Mapping[str, Any]) -> list[Track]:
        request = self._request
        given = []
        if request.captions_url:
            language = language_tag(request.captions_language or UNKNOWN)
            given = [Track(language, automatic=False, format="vtt", info={"url": request.captions_url}, fits=True)]
        subtitles, automatic = info.get("subtitles") or {}, info.get("automatic_captions") or {}
        return given or choose(subtitles, automatic, languages=request.languages, original=_language(info))

    def _try_captions(self, index: int, track: Track, info: Mapping[str, Any]) -> FetchedCaptions | None:
        """Fetch one track. What fails is a note, unless nothing but captions is wanted, or this machine is at fault."""
        try:
            return self._fetch_captions(index, track, info)
        except Exception as error:
            failure = failure_of(error, self.place)
            if failure is None:
                raise
            if failure.environment or self._request.media == "none":
                raise to_error(failure) from error
            self._notes.append(f"captions ({track.language}) could not be fetched: {failure.message}")
            return None

    def _fetch_captions(self, index: int, track: Track, info: Mapping[str, Any]) -> FetchedCaptions | None:
        content = self._caption_bytes(track, info)
        form = sniff(content)
        if form is None:
            self._notes.append(f"captions ({track.language}) were left out: the server sent no captions")
            return None
        kind = "automatic" if track.automatic else "captions"
        path = self._folder / f"{kind}.{index}.{track.language}.{form}"
        path.write_bytes(content)
        return FetchedCaptions(
            path=str(path), language=track.language, automatic=track.automatic, format=form, fits=track.fits
        )

    def _caption_bytes(self, track: Track, info: Mapping[str, Any]) -> bytes:
        if track.info.get("data") is not None:
            return str(track.info["data"]).encode()
        if str(track.info.get("protocol", "")).startswith("m3u8"):
            return self._caption_fragments(track, info)
        from yt_dlp.networking import Request

        headers = track.info.get("http_headers") or info.get("http_headers") or {}
        response = self._downloader.urlopen(Request(track.info["url"], headers=headers))
        try:
            content: bytes = response.read(LARGEST_CAPTIONS)
        finally:
            response.close()
        return content

    def _caption_fragments(self, track: Track, info: Mapping[str, Any]) -> bytes:
        path = self._folder / "captions.fragments"
        self._downloader.dl(str(path), {"http_headers": info.get("http_headers"), **track.info}, subtitle=True)
        content = path.read_bytes()
        path.unlink()
        return content

    def _thumbnail(self, info: Mapping[str, Any]) -> str | None:
        address = thumbnail_address(info, self._request.thumbnail_url)
        if not address:
            return None
        path = self._folder / "thumbnail.jpg"
        try:
            fetch_thumbnail(self._downloader, address, path)
        except Exception as error:
            failure = failure_of(error, self.place)
            if failure is None and not isinstance(error, ValueError):
                raise
            reason = failure.message if failure else plain(str(error))
            self._notes.append(f"the publisher's thumbnail could not be fetched: {reason}")
            return None
        return str(path)

    def _media(self, info: dict[str, Any], captions: tuple[FetchedCaptions, ...]) -> FetchedMedia | None:
        enough = self._request.unless_captions and any(one.fits for one in captions)
        if self._request.media == "none" or enough:
            return None
        self._place = replace(self._place, downloading=True)
        formats = info.get("requested_formats") or [info]
        if self._request.access.confined:
            from rushes.stages.fetching.confined import refuse_other_protocols

            refuse_other_protocols(formats)
        self._meter.expect(formats)
        resumed = any(path.name.endswith(_PARTS) for path in self._folder.iterdir())
        done = self._downloader.process_ie_result(info, download=True)
        paths = [one["filepath"] for one in done.get("requested_downloads") or () if one.get("filepath")]
        if not paths or not Path(paths[0]).is_file():
            raise Transient(f"{self._place.host}: nothing was downloaded")
        return FetchedMedia(path=paths[0], resumed=resumed, whole=self._meter.whole)

    def _merging(self, status: Mapping[str, Any]) -> None:
        if status["status"] == "started" and status["postprocessor"] == "Merger":
            self._tell(Progress(phase="merging"))

    def _fetched(
        self,
        info: Mapping[str, Any],
        captions: tuple[FetchedCaptions, ...],
        thumbnail: str | None,
        media: FetchedMedia | None,
    ) -> Fetched:
        formats = info.get("formats") or [info]
        return Fetched(
            title=_title(info),
            extractor=str(info.get("extractor_key") or "Generic"),
            extractor_id=str(info["id"]),
            page=info.get("webpage_url"),
            uploader=info.get("uploader") or info.get("channel"),
            published=published(info),
            description=info.get("description"),
            duration=info.get("duration"),
            language=_language(info),
            has_audio=any(one.get("acodec") != "none" for one in formats),
            has_picture=any(one.get("vcodec") != "none" for one in formats),
            chapters=_chapters(info),
            captions=captions,
            media=media,
            thumbnail=thumbnail,
            notes=tuple(self._notes),
        )


def _title(info: Mapping[str, Any]) -> str:
    """Its title; without the number by which yt-dlp tells apart the media of one page, where there is only this one."""
    title = str(info.get("title") or info["id"])
    return title.removesuffix(" (1)") if info.get("extractor_key") == "HTML5MediaEmbed" else title


def _name_formats(raw: dict[str, Any]) -> None:
    """Give formats a file ending that yt-dlp accepts; an address such as `video.php` has none."""
    from yt_dlp.utils import determine_ext
    from yt_dlp.utils._utils import _UnsafeExtensionError

    for one in raw.get("formats") or [raw]:
        ending = one.get("ext") or determine_ext(one.get("url"))
        if one.get("url") and ending not in _UnsafeExtensionError.ALLOWED_EXTENSIONS:
            one["ext"] = "unknown_video"


def _refuse_live(info: Mapping[str, Any]) -> None:
    match info.get("live_status"):
        case "is_live":
            raise NeedsInput(
                "it is live now, and not yet there as a whole", remedy="Run the same again when it is over."
            )
        case "post_live":
            raise NeedsInput(
                "it has just been live, and the site is still working on it", remedy="Try again in some hours."
            )
        case "is_upcoming":
            begins = published(info)
            raise NeedsInput(f"it has not begun{f'; it begins on {begins}' if begins else ''}", remedy=LATER)


def _language(info: Mapping[str, Any]) -> str | None:
    """The language that is spoken, as far as the site tells."""
    if info.get("language"):
        return str(info["language"])
    original = next((name for name in info.get("automatic_captions") or () if name.endswith("-orig")), None)
    if original:
        return language_tag(original)
    spoken = [one for one in info.get("formats") or () if one.get("language")]
    best = max(spoken, key=lambda one: one.get("language_preference") or -1, default=None)
    return str(best["language"]) if best else None


def _chapters(info: Mapping[str, Any]) -> tuple[PublishedChapter, ...]:
    return tuple(
        PublishedChapter(title=one.get("title") or "", start=one["start_time"], end=one["end_time"])
        for one in info.get("chapters") or ()
        if one.get("start_time") is not None and one.get("end_time") is not None
    )
