"""The channel: recordings published as HTML5 pages and as a podcast feed, at addresses that stay the same.

The port is fixed where it is free, and a talk's address carries the hash of its content. So a second demo finds what
the first one made under the same keys, and a talk that was rewritten is another video.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from rushes.demo.server import Server
from rushes.demo.studio import Recording, record
from rushes.demo.talks import Talk, read_talks
from rushes.media.ffmpeg import find_ffmpeg
from rushes.settings import Settings

PREFERRED_PORT = 7874
NAME = "How It Works, Briefly"
DESCRIPTION = "Short talks on everyday machinery, spoken and drawn on this computer."


@dataclass(frozen=True, slots=True)
class Published:
    """A talk as it stands on the channel."""

    recording: Recording
    page_url: str

    @property
    def talk(self) -> Talk:
        return self.recording.talk

    @property
    def media_url(self) -> str:
        return self.page_url + "talk.mp4"

    @property
    def poster_url(self) -> str:
        return self.page_url + "poster.jpg"

    @property
    def captions_url(self) -> str | None:
        return self.page_url + "captions.vtt" if self.talk.captions else None

    @property
    def duration(self) -> float:
        """Seconds, as published."""
        return self.recording.duration

    @property
    def size(self) -> int:
        """Bytes of the video."""
        return self.recording.video.stat().st_size

    @property
    def pub_date(self) -> str:
        """As feeds write it (RFC 2822)."""
        return format_datetime(datetime.combine(self.talk.published, time(9), UTC))


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel while it is served."""

    address: str
    talks: tuple[Published, ...]
    """Oldest first. The feed has them in this order too."""
    usual_address: bool
    """Its port was free. Otherwise the addresses are others than last time, and nothing made then is found again."""

    @property
    def index_url(self) -> str:
        return f"{self.address}/"

    @property
    def feed_url(self) -> str:
        return f"{self.address}/feed.xml"

    @property
    def page_urls(self) -> list[str]:
        return [each.page_url for each in self.talks]


@asynccontextmanager
async def demo_channel(
    settings: Settings, folder: Path, *, port: int = PREFERRED_PORT, tell: Callable[[Talk], None] = lambda _talk: None
) -> AsyncIterator[Channel]:
    """Record the talks that `folder` does not hold yet, and serve the channel on loopback as long as the context lasts.

    `tell` hears of each talk that was recorded.

    Raises:
        EngineMissing, EngineFault: narration or FFmpeg.
        OSError: the folder cannot be written.
    """
    recordings = await record(read_talks(), folder, find_ffmpeg(settings.ffmpeg).path, tell=tell)
    server = Server.start(port)
    try:
        talks = tuple(Published(each, f"{server.address}/{each.folder.name}/") for each in recordings)
        channel = Channel(server.address, talks, usual_address=server.server_port == port)
        server.site = _site(channel)
        yield channel
    finally:
        server.close()


def _site(channel: Channel) -> Mapping[str, Path | str]:
    site: dict[str, Path | str] = {
        "/": _render("index.html", channel, talks=channel.talks),
        "/feed.xml": _render("feed.xml", channel, talks=channel.talks),
    }
    for each in channel.talks:
        place = f"/{each.recording.folder.name}/"
        site[place] = _page(channel, each)
        files = (each.recording.video, each.recording.poster, each.recording.captions)
        site |= {place + file.name: file for file in files if file}
    return site


def _page(channel: Channel, each: Published) -> str:
    minutes, seconds = divmod(round(each.duration), 60)
    return _render(
        "talk.html",
        channel,
        talk=each.talk,
        page_url=each.page_url,
        media_url=each.media_url,
        poster_url=each.poster_url,
        captions_url=each.captions_url,
        length=f"{minutes}:{seconds:02}",
        facts=_structured_data(each),
    )


def _structured_data(each: Published) -> Any:
    """The page as search engines read it (schema.org, VideoObject)."""
    from jinja2.utils import htmlsafe_json_dumps

    return htmlsafe_json_dumps(
        {
            "@context": "https://schema.org",
            "@type": "VideoObject",
            "name": each.talk.title,
            "description": each.talk.subtitle,
            "thumbnailUrl": each.poster_url,
            "uploadDate": each.talk.published.isoformat(),
            "duration": f"PT{each.duration:.0f}S",
            "author": {"@type": "Organization", "name": NAME},
            "inLanguage": "en",
        }
    )


def _render(template: str, channel: Channel, **values: Any) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("rushes.demo"), autoescape=True, undefined=StrictUndefined)
    urls = {"index_url": channel.index_url, "feed_url": channel.feed_url}
    return environment.get_template(template).render(channel=NAME, description=DESCRIPTION, **urls, **values)
