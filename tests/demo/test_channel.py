"""The channel as the world meets it: a feed reader, yt-dlp, a downloader that resumes, somebody with a wrong address."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from pathlib import Path
from typing import Any

import feedparser
import httpx
import pytest
import yt_dlp

from rushes.demo import Channel, demo_channel
from rushes.demo.server import HOST
from rushes.demo.studio import Recording
from rushes.settings import Settings


async def get(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(url, headers=headers)


def extract(url: str) -> dict[str, Any]:
    with yt_dlp.YoutubeDL({"quiet": True, "no_warnings": True, "proxy": ""}) as downloader:
        return dict(downloader.extract_info(url, download=False))


async def test_the_feed_names_five_talks_with_all_a_reader_needs(channel: Channel) -> None:
    feed = feedparser.parse((await get(channel.feed_url)).content)
    assert not feed.bozo
    assert feed.feed.title
    assert [entry.title for entry in feed.entries] == [each.talk.title for each in channel.talks]
    assert [entry.link for entry in feed.entries] == channel.page_urls
    for entry, each in zip(feed.entries, channel.talks, strict=True):
        (enclosure,) = entry.enclosures
        assert (enclosure.href, enclosure.type) == (each.media_url, "video/mp4")
        assert int(enclosure.length) == each.size
        assert int(entry.itunes_duration) == pytest.approx(each.duration, abs=1)
        assert entry.published_parsed[:3] == each.talk.published.timetuple()[:3]


async def test_the_feed_links_captions_where_there_are_any(channel: Channel) -> None:
    feed = feedparser.parse((await get(channel.feed_url)).content)
    linked = {entry.link: entry.podcast_transcript for entry in feed.entries if "podcast_transcript" in entry}
    (captioned,) = [each for each in channel.talks if each.talk.captions]
    assert list(linked) == [captioned.page_url]
    assert linked[captioned.page_url]["url"] == captioned.captions_url
    assert linked[captioned.page_url]["type"] == "text/vtt"


async def test_every_address_of_the_channel_answers_with_its_type(channel: Channel) -> None:
    expected = {channel.index_url: "text/html", channel.feed_url: "application/rss+xml"}
    for each in channel.talks:
        expected |= {each.page_url: "text/html", each.media_url: "video/mp4", each.poster_url: "image/jpeg"}
        expected |= {each.captions_url: "text/vtt"} if each.captions_url else {}
    for url, media_type in expected.items():
        answer = await get(url)
        assert answer.status_code == 200, url
        assert answer.headers["content-type"].split(";")[0] == media_type
        assert answer.content


async def test_yt_dlp_finds_video_poster_and_captions_on_a_page(channel: Channel) -> None:
    (captioned,) = [each for each in channel.talks if each.talk.captions]
    info = await asyncio.to_thread(extract, captioned.page_url)
    assert info["title"].startswith(captioned.talk.title)
    assert info["thumbnail"] == captioned.poster_url
    assert [each["url"] for each in info["formats"]] == [captioned.media_url]
    assert [track["url"] for track in info["subtitles"]["en"]] == [captioned.captions_url]


async def test_yt_dlp_finds_no_captions_where_there_are_none(channel: Channel) -> None:
    plain = channel.talks[0]
    info = await asyncio.to_thread(extract, plain.page_url)
    assert not info["subtitles"]
    assert [each["url"] for each in info["formats"]] == [plain.media_url]


async def test_a_page_describes_its_talk_to_search_engines(channel: Channel) -> None:
    each = channel.talks[1]
    page = (await get(each.page_url)).text
    found = re.search(r'<script type="application/ld\+json">\s*(.*?)\s*</script>', page, re.DOTALL)
    assert found
    facts = json.loads(found[1])
    assert facts["@type"] == "VideoObject"
    assert facts["name"] == each.talk.title
    assert facts["duration"] == f"PT{each.duration:.0f}S"
    assert f'<meta property="og:title" content="{each.talk.title}">' in page


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=0-99", 0, 100), ("bytes=500-", 500, None), ("bytes=-64", -64, None), ("bytes=100-99999999", 100, None)],
)
async def test_a_range_is_served_as_asked(channel: Channel, asked: str, first: int, end: int | None) -> None:
    each = channel.talks[0]
    whole = each.recording.video.read_bytes()
    answer = await get(each.media_url, Range=asked)
    assert answer.status_code == 206
    assert answer.content == whole[first:end]
    start = first % len(whole)
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(answer.content) - 1}/{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
async def test_a_range_beyond_the_end_is_refused(channel: Channel, asked: str) -> None:
    each = channel.talks[0]
    answer = await get(each.media_url, Range=asked)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{each.size}"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=-", "pages=1-2"])
async def test_what_is_no_single_range_gets_the_whole_file(channel: Channel, asked: str) -> None:
    each = channel.talks[0]
    answer = await get(each.media_url, Range=asked)
    assert answer.status_code == 200
    assert len(answer.content) == each.size


async def test_head_gives_the_size_without_the_file(channel: Channel) -> None:
    each = channel.talks[0]
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.head(each.media_url)
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == each.size
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.content == b""


@pytest.mark.parametrize("path", ["nothing", "../../../etc/hostname", "%2e%2e/%2e%2e/etc/hostname", "recording.json"])
async def test_only_what_is_published_can_be_reached(channel: Channel, path: str) -> None:
    answer = await get(channel.talks[0].page_url + path)
    assert answer.status_code == 404


async def test_a_client_that_hangs_up_disturbs_nobody(channel: Channel, capfd: pytest.CaptureFixture[str]) -> None:
    each = channel.talks[2]
    _, writer = await asyncio.open_connection(HOST, httpx.URL(each.media_url).port)
    writer.write(f"GET {httpx.URL(each.media_url).path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await writer.drain()
    writer.transport.abort()
    assert (await get(each.page_url)).status_code == 200
    assert capfd.readouterr() == ("", "")


async def test_a_second_run_finds_the_same_addresses(recordings: dict[str, Recording], studio: Path) -> None:
    port = free_port()
    async with demo_channel(Settings.load(), studio, port=port) as first:
        assert first.usual_address
    async with demo_channel(Settings.load(), studio, port=port) as second:
        assert second.page_urls == first.page_urls


async def test_a_taken_port_is_said_and_another_is_found(recordings: dict[str, Recording], studio: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        async with demo_channel(Settings.load(), studio, port=port) as channel:
            assert not channel.usual_address
            assert (await get(channel.feed_url)).status_code == 200


async def test_nothing_listens_after_the_end(recordings: dict[str, Recording], studio: Path) -> None:
    async with demo_channel(Settings.load(), studio, port=0) as channel:
        pass
    with pytest.raises(httpx.ConnectError):
        await get(channel.index_url)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
