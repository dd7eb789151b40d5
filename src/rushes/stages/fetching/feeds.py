"""Podcast and video feeds: RSS and Atom bytes to entries, with what a feed knows of a video that its address does not.

yt-dlp reads feeds too, but drops `podcast:transcript`, and a transcript is the difference between reading and hearing.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rushes.stages.fetching.request import Entry

LARGEST = 64 * 1024 * 1024
"""Bytes of a feed. The longest podcasts have some tens of megabytes."""
_FEED = re.compile(rb"<(rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
_TRANSCRIPTS = ("text/vtt", "application/x-subrip", "application/srt", "text/srt")
"""Types of `podcast:transcript` that have times, best first; its HTML and plain text have none."""
_DESCRIPTION_KEPT = 5000


def is_feed(start: bytes) -> bool:
    """Whether a document that starts so is a feed."""
    return _FEED.search(start[:2000]) is not None


def read_feed(content: bytes, *, url: str) -> Iterator[Entry]:
    """The feed's entries that hold a video or sound, in the feed's order."""
    parsed = _parser()(io.BytesIO(content), response_headers={"content-location": url})
    with_media = any(_enclosure(item) for item in parsed.entries)
    for item in parsed.entries:
        enclosure = _enclosure(item)
        # Beside episodes, an entry without one is an article; a feed of links alone is a feed of watch pages.
        address = enclosure or _youtube_page(item) or (None if with_media else item.get("link"))
        if address:
            yield Entry(
                url=address,
                title=item.get("title"),
                published=_day(item),
                options=_known(item, parsed.feed) if enclosure else {},
            )


def _parser() -> Any:
    """feedparser, taught to keep every transcript of an entry; by itself it keeps the last one."""
    import feedparser
    from feedparser.mixin import _FeedParserMixin

    def start_transcript(self: Any, attributes: dict[str, str]) -> None:
        self._get_context().setdefault("transcripts", []).append(attributes)

    _FeedParserMixin._start_podcast_transcript = start_transcript  # noqa: SLF001  (its only way to add an element)
    return feedparser.parse


def _enclosure(item: Mapping[str, Any]) -> str | None:
    """The address of the media itself. A type is often missing or wrong; a link in an `enclosure` is meant as media."""
    links = [*item.get("enclosures", ()), *item.get("media_content", ())]
    media = [link for link in links if str(link.get("type", "")).startswith(("audio/", "video/"))]
    for link in media or item.get("enclosures", ()):
        url = link.get("href") or link.get("url")
        if url and not str(link.get("type", "")).startswith("image/"):
            return str(url)
    return None


def _youtube_page(item: Mapping[str, Any]) -> str | None:
    video = item.get("yt_videoid")
    return f"https://www.youtube.com/watch?v={video}" if video else None


def _known(item: Mapping[str, Any], feed: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the download stage: the feed's knowledge of a bare media file."""
    transcript = _transcript(item.get("transcripts", ()))
    known = {
        "captions_url": transcript.get("url"),
        "captions_language": transcript and (transcript.get("language") or feed.get("language")),
        "thumbnail_url": (item.get("image") or {}).get("href"),
        "page_url": item.get("link"),
        "uploader": item.get("author") or feed.get("title"),
        "published": _day(item),
        "duration": _seconds(item.get("itunes_duration")),
        "language": feed.get("language"),
        "description": _without_markup(item.get("summary"))[:_DESCRIPTION_KEPT],
    }
    return {name: value for name, value in known.items() if value}


def _transcript(offered: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    by_type = {one.get("type", "").split(";")[0].strip().lower(): one for one in reversed(offered) if one.get("url")}
    return next((by_type[kind] for kind in _TRANSCRIPTS if kind in by_type), {})


def _day(item: Mapping[str, Any]) -> str | None:
    time = item.get("published_parsed") or item.get("updated_parsed")
    return date(*time[:3]).isoformat() if time else None


def _seconds(duration: str | None) -> int | None:
    """`itunes:duration`: `3723`, `62:03` or `1:02:03`."""
    if not re.fullmatch(r"\d{1,6}(:\d{1,2}){0,2}", duration or ""):
        return None
    return functools.reduce(lambda seconds, part: seconds * 60 + int(part), str(duration).split(":"), 0)


def _without_markup(text: str | None) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text or "").split())
