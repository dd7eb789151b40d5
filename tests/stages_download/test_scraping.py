"""Feeds, pages of several videos and single videos, as the stage `scrape` meets them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rushes.errors import Permanent, Transient
from rushes.model import NewItem
from rushes.stages.download import DOWNLOAD, DownloadOptions
from rushes.stages.fetching.feeds import is_feed
from rushes.stages.fetching.listing import selected
from rushes.stages.fetching.request import Access, Entry, ListRequest
from rushes.stages.scrape import SCRAPE

ITEM = """<item><title>{title}</title><guid>{n}</guid><link>{site}/episodes/{n}</link>
<pubDate>{date}</pubDate><description>&lt;p&gt;About {title}.&lt;/p&gt;</description>
<enclosure url="{site}/{n}.mp3" type="audio/mpeg" length="1000"/><itunes:duration>00:06</itunes:duration>{more}</item>"""
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
 xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>Bread</title><language>en</language>
{items}</channel></rss>"""
TRANSCRIPTS = """<podcast:transcript url="{site}/{n}.html" type="text/html"/>
<podcast:transcript url="{site}/{n}.vtt" type="text/vtt" language="de"/>
<podcast:transcript url="{site}/{n}.json" type="application/json"/>"""
TITLES = ("Flour", "Water", "Salt", "Yeast", "Time")


@pytest.fixture
def feed(site: Any) -> str:
    """The address of a feed of five episodes, the newest first; the second has transcripts."""
    items = "".join(
        ITEM.format(
            title=title,
            n=n,
            site=site.address,
            date=f"Sun, {22 - n} Nov 2026 09:00:00 GMT",
            more=TRANSCRIPTS.format(site=site.address, n=n) if n == 2 else "",
        )
        for n, title in enumerate(TITLES, start=1)
    )
    return str(site.put("/podcast", RSS.format(items=items), "application/rss+xml"))


def options_of(item: NewItem) -> DownloadOptions:
    return DownloadOptions.model_validate(item.options["download"])


async def test_a_feed_becomes_its_episodes_in_its_order_with_what_it_knows_of_them(
    site: Any, feed: str, desk: Any
) -> None:
    result = await desk(feed, collection=True).run(SCRAPE)
    assert [item.title for item in result.items] == list(TITLES)
    assert [item.source.location for item in result.items] == [f"{site.address}/{n}.mp3" for n in range(1, 6)]
    assert len({item.source.key for item in result.items}) == 5
    assert [item.origin for item in result.items] == [f"{feed}:{n}" for n in range(1, 6)]
    assert result.notes == []
    # What the feed knows of an episode goes along with it.
    options = options_of(result.items[1])
    assert options.captions_url == f"{site.address}/2.vtt"
    assert options.captions_language == "de"
    assert options.page_url == f"{site.address}/episodes/2"
    assert options.uploader == "Bread"
    assert str(options.published) == "2026-11-20"
    assert (options.duration, options.language, options.description) == (6, "en", "About Water.")


async def test_the_limit_cuts_the_list_and_says_so(feed: str, desk: Any) -> None:
    result = await desk(feed, collection=True, options={"limit": 2}).run(SCRAPE)
    assert [item.title for item in result.items] == ["Flour", "Water"]
    assert result.notes == ["the list goes on: its first 2 were taken (option `limit`)"]


@pytest.mark.parametrize(
    ("options", "titles", "left_out"),
    [
        ({"since": date(2026, 11, 19)}, ["Flour", "Water", "Salt"], 2),
        ({"include": ("wat", "TIME")}, ["Water", "Time"], 3),
        ({"exclude": ("flour", "salt")}, ["Water", "Yeast", "Time"], 2),
    ],
)
def test_filters_keep_what_matches_and_count_the_rest(
    options: dict[str, Any], titles: list[str], left_out: int
) -> None:
    entries = [
        Entry(url=f"https://x/{n}", title=title, published=f"2026-11-{22 - n}") for n, title in enumerate(TITLES, 1)
    ]
    listed = selected(entries, ListRequest(url="https://x/", limit=10, access=Access(cache=""), **options))
    assert [entry.title for entry in listed.entries] == titles
    assert listed.passed_over == left_out


def test_what_has_no_date_is_kept_and_counted() -> None:
    since = ListRequest(url="https://x/", limit=10, access=Access(cache=""), since=date(2026, 11, 1))
    listed = selected([Entry(url="https://x/1"), Entry(url="https://x/2", published="2026-10-31")], since)
    assert (len(listed.entries), listed.undated, listed.passed_over) == (1, 1, 1)


async def test_options_reach_the_list_and_a_filter_that_leaves_nothing_fails_in_words(feed: str, desk: Any) -> None:
    with pytest.raises(Permanent, match="none of the 5 videos listed there matches"):
        await desk(feed, collection=True, options={"include": "cake, bread", "since": "2026-11-20"}).run(SCRAPE)


async def test_a_single_video_passes_through_untouched(site: Any, desk: Any) -> None:
    result = await desk(f"{site.address}/talk.mp4").run(SCRAPE)
    assert (list(result.items), site.visits) == ([], [])


async def test_a_collection_that_is_one_video_passes_through_and_says_so(site: Any, media: Any, desk: Any) -> None:
    url = site.put("/talk.mp4", media("talk.mp4"), "video/mp4")
    result = await desk(url, collection=True).run(SCRAPE)
    assert list(result.items) == []
    assert result.notes == ["it is one video, not a list of them"]


async def test_a_page_of_two_videos_becomes_two_items_at_download(site: Any, desk: Any) -> None:
    track = '<track src="/one.vtt" kind="subtitles" srclang="en">'
    url = site.put("/both", site.page_of("/one.mp4", "/two.mp4", title="Two talks", tracks=track))
    result = await desk(url).run(DOWNLOAD)
    assert [item.source.location for item in result.items] == [f"{site.address}/one.mp4", f"{site.address}/two.mp4"]
    assert [item.title for item in result.items] == ["Two talks (1)", "Two talks (2)"]
    assert options_of(result.items[0]).captions_url == f"{site.address}/one.vtt"
    assert options_of(result.items[0]).page_url == url
    assert list(result.made) == []


async def test_a_feed_given_as_a_video_becomes_its_episodes_too(site: Any, feed: str, desk: Any) -> None:
    result = await desk(feed, options={"limit": 3}).run(DOWNLOAD)
    assert [item.title for item in result.items] == list(TITLES[:3])
    assert options_of(result.items[1]).captions_url == f"{site.address}/2.vtt"


async def test_a_feed_that_cannot_be_read_is_classed(site: Any, desk: Any) -> None:
    url = site.put("/feed.xml", "", statuses=[503, 404])
    with pytest.raises(Transient, match=r"127\.0\.0\.1 answered 503"):
        await desk(url, collection=True).run(SCRAPE)
    with pytest.raises(Permanent, match=r"127\.0\.0\.1 answered 404"):
        await desk(url, collection=True).run(SCRAPE)


async def test_an_empty_feed_fails_in_words(site: Any, desk: Any) -> None:
    url = site.put("/feed.xml", RSS.format(items=""), "application/rss+xml")
    with pytest.raises(Permanent, match="the list is empty"):
        await desk(url, collection=True).run(SCRAPE)


async def test_a_youtube_feed_names_watch_pages(site: Any, desk: Any) -> None:
    entry = """<entry><id>yt:video:{0}</id><yt:videoId>{0}</yt:videoId><title>Talk {0}</title>
        <link rel="alternate" href="https://www.youtube.com/watch?v={0}"/><published>2026-11-01T00:00:00+00:00</published></entry>"""
    atom = """<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom">{}</feed>"""
    videos = ("dQw4w9WgXcQ", "jNQXAC9IVRw")
    url = site.put("/feeds/videos.xml", atom.format("".join(map(entry.format, videos))), "text/xml")
    result = await desk(url, collection=True).run(SCRAPE)
    assert [item.source.key for item in result.items] == [f"youtube:{video}" for video in videos]
    assert all(not item.options for item in result.items)


async def test_what_a_feed_repeats_is_named_and_taken_once(site: Any, desk: Any) -> None:
    item = ITEM.format(title="Flour", n=1, site=site.address, date="Sun, 22 Nov 2026 09:00:00 GMT", more="")
    bad = item.replace(f"{site.address}/1.mp3", "ftp://elsewhere/1.mp3")
    url = site.put("/feed.xml", RSS.format(items=item + item + bad), "application/rss+xml")
    result = await desk(url, collection=True).run(SCRAPE)
    assert len(result.items) == 1
    assert [note.split(":")[0] for note in result.notes] == ["entry 2 was left out", "entry 3 was left out"]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b'<?xml version="1.0"?>\n<!-- made by x -->\n<rss version="2.0">', True),
        (b'<feed xmlns="http://www.w3.org/2005/Atom">', True),
        (b"<!doctype html><html><body>rss</body></html>", False),
    ],
)
def test_a_feed_is_known_by_its_start(start: bytes, *, expected: bool) -> None:
    assert is_feed(start) is expected
