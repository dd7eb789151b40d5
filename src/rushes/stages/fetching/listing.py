"""Lists of videos: what yt-dlp or a feed names, filtered, cut at the limit, in the list's own order. In the child only.

Entries are names alone: no video of the list is opened, so that a channel of thousands is listed in a few requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from rushes.errors import Permanent
from rushes.stages.fetching.captions import choose
from rushes.stages.fetching.feeds import LARGEST, is_feed, read_feed
from rushes.stages.fetching.request import Entry, Listed, ListRequest

DEEPEST = 3
"""Lists in lists: a channel names its tabs, a tab its videos."""
_LISTS = ("Tab", "Playlist", "Channel", "User", "Series", "Season", "Album")
_FEED_ENDINGS = (".xml", ".rss", ".atom", "/feed", "/feed/", "/rss", "/rss/")


def list_videos(downloader: Any, request: ListRequest) -> Listed:
    """List what is behind an address; `single` where that is one video."""
    entries = feed_entries(downloader, request.url) if may_be_feed(downloader, request.url) else None
    if entries is not None:
        return selected(entries, request)
    raw = resolve(downloader, request.url)
    if not is_list(raw):
        return Listed(single=True)
    return selected(entries_of(downloader, raw), request, title=raw.get("title"))


def feed_entries(downloader: Any, url: str) -> Iterator[Entry] | None:
    """The entries of the feed at that address; None where it is none."""
    content, address = _read(downloader, url)
    return read_feed(content, url=address) if is_feed(content) else None


def may_be_feed(downloader: Any, url: str) -> bool:
    """Whether it is worth reading as a feed: it looks like one, or no extractor knows the site."""
    if "/feeds/" in url or url.split("?", maxsplit=1)[0].lower().endswith(_FEED_ENDINGS):
        return True
    sites = downloader._ies  # noqa: SLF001  (there is no public list)
    return not any(extractor.suitable(url) for key, extractor in sites.items() if key != "Generic")


def resolve(downloader: Any, url: str) -> dict[str, Any]:
    """What yt-dlp says of an address, references followed, nothing of it processed yet."""
    raw: dict[str, Any] = downloader.extract_info(url, download=False, process=False)
    for _ in range(DEEPEST):
        if raw.get("_type") != "url":
            break
        raw = downloader.extract_info(raw["url"], download=False, process=False, ie_key=raw.get("ie_key"))
    return raw


def is_list(raw: Mapping[str, Any]) -> bool:
    return raw.get("_type") in {"playlist", "multi_video", "compat_list"}


def entries_of(downloader: Any, raw: Mapping[str, Any], depth: int = 1) -> Iterator[Entry]:
    """The videos that a list of yt-dlp's names, those of lists in it included."""
    for entry in raw.get("entries") or ():
        if not entry:
            continue
        if _names_a_list(entry) and depth < DEEPEST:
            inner = resolve(downloader, entry["url"])
            yield from entries_of(downloader, inner, depth + 1) if is_list(inner) else ()
        elif is_list(entry):
            yield from entries_of(downloader, entry, depth + 1)
        else:
            yield from _entry(entry, raw)


def selected(entries: Iterable[Entry], request: ListRequest, *, title: str | None = None) -> Listed:
    """What matches the request, counted, up to its limit."""
    kept: list[Entry] = []
    passed_over = 0
    for entry in entries:
        if not _matches(entry, request):
            passed_over += 1
        elif len(kept) == request.limit:
            return _listed(kept, request, title=title, more=True, passed_over=passed_over)
        else:
            kept.append(entry)
    return _listed(kept, request, title=title, passed_over=passed_over)


def _listed(kept: list[Entry], request: ListRequest, **counts: Any) -> Listed:
    undated = sum(1 for entry in kept if request.since and entry.published is None)
    return Listed(entries=tuple(kept), undated=undated, **counts)


def _matches(entry: Entry, request: ListRequest) -> bool:
    title = (entry.title or "").casefold()
    if request.since and entry.published and date.fromisoformat(entry.published) < request.since:
        return False
    if request.include and not any(word.casefold() in title for word in request.include):
        return False
    return not any(word.casefold() in title for word in request.exclude)


def _names_a_list(entry: Mapping[str, Any]) -> bool:
    return entry.get("_type") == "url" and str(entry.get("ie_key") or "").endswith(_LISTS)


def _entry(entry: Mapping[str, Any], page: Mapping[str, Any]) -> Iterator[Entry]:
    from yt_dlp.utils import unsmuggle_url

    url = entry.get("url") if entry.get("_type") in {"url", "url_transparent"} else _media_address(entry)
    url = unsmuggle_url(url)[0] if url else None
    if url and "://" not in url:
        url = f"https://www.youtube.com/watch?v={url}" if entry.get("ie_key") == "Youtube" else entry.get("webpage_url")
    if url:
        known = _known(entry, page) if entry.get("formats") or entry.get("subtitles") else {}
        yield Entry(url=url, title=entry.get("title"), published=published(entry), options=known)


def _media_address(entry: Mapping[str, Any]) -> str | None:
    """Of a video that a page holds itself: its media, since the page's address stands for several."""
    formats = entry.get("formats") or ()
    best = max(formats, key=lambda one: one.get("height") or 0, default=entry)
    return best.get("url")


def _known(entry: Mapping[str, Any], page: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the download stage: the page's knowledge of a bare media file."""
    tracks = choose(entry.get("subtitles") or {}, {})
    known = {
        "captions_url": tracks[0].info.get("url") if tracks else None,
        "captions_language": tracks[0].language if tracks else None,
        "thumbnail_url": entry.get("thumbnail"),
        "page_url": entry.get("webpage_url") or page.get("webpage_url"),
    }
    return {name: value for name, value in known.items() if value}


def published(info: Mapping[str, Any]) -> str | None:
    """The ISO date on which a video came out, as far as yt-dlp knows it."""
    day = info.get("release_date") or info.get("upload_date")
    if day:
        return f"{day[:4]}-{day[4:6]}-{day[6:8]}"
    time = info.get("release_timestamp") or info.get("timestamp")
    return datetime.fromtimestamp(time, UTC).date().isoformat() if time else None


def _read(downloader: Any, url: str) -> tuple[bytes, str]:
    """A document, whole if it is a feed, else its start, and where it was in the end."""
    response = downloader.urlopen(url)
    content = b""
    try:
        while chunk := response.read(65536):
            content += chunk
            if not is_feed(content) or len(content) > LARGEST:
                break
    finally:
        response.close()
    if len(content) > LARGEST:
        raise Permanent(f"the feed is larger than {LARGEST >> 20} MB")
    return content, response.url
