"""Addresses fetched for real from a site on loopback: pages, media files, captions, thumbnails, and every way to fail."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rushes.documents import VideoDocument
from rushes.errors import NeedsInput, Permanent, RateLimited, Scope, Transient
from rushes.stages.base import Made, Result
from rushes.stages.download import DOWNLOAD


def made(result: Result, kind: str) -> list[Made]:
    return [one for one in result.made if one.kind == kind]


def document(result: Result) -> VideoDocument:
    (metadata,) = made(result, "metadata")
    assert metadata.path.name == "video.json"
    return VideoDocument.read(metadata.path)


def kinds(result: Result) -> Sequence[str]:
    return sorted(one.kind for one in result.made)


def test_a_page_gives_media_captions_thumbnail_and_metadata(fetched: Any) -> None:
    result = fetched.result
    assert kinds(result) == ["captions", "media", "metadata", "thumbnail"]
    video = document(result)
    assert (video.title, video.url, video.extractor) == ("Bread at home", fetched.url, "HTML5MediaEmbed")
    assert video.duration == pytest.approx(6, abs=0.2)
    assert [(one.language, one.automatic, one.format) for one in video.captions] == [("en", False, "vtt")]
    (media,) = made(result, "media")
    assert media.metadata == {"duration": video.duration, "has_audio": True, "has_picture": True}
    assert media.path.read_bytes() == fetched.site.pages["/talk.mp4"].content
    assert (result.facts.title, result.facts.duration) == ("Bread at home", timedelta(seconds=video.duration or 0))
    assert result.engine.name.startswith("yt-dlp 20")


def test_the_thumbnail_is_a_small_jpeg(fetched: Any) -> None:
    from PIL import Image

    (thumbnail,) = made(fetched.result, "thumbnail")
    with Image.open(thumbnail.path) as picture:
        assert (picture.format, picture.size) == ("JPEG", (640, 360))


def test_everything_is_asked_for_once(fetched: Any) -> None:
    assert sorted(visit.path for visit in fetched.site.visits) == ["/page", "/poster.jpg", "/talk.en.vtt", "/talk.mp4"]


def test_progress_is_told_in_words(fetched: Any) -> None:
    notes = fetched.desk.notes
    assert notes[0] == "None reading the page"
    assert any(" downloading, " in note and note.endswith((" MB", " MB/s")) for note in notes)
    assert notes[-1] == "0.95 checking"


async def test_captions_stand_in_for_the_media(page: str, site: Any, desk: Any) -> None:
    result = await desk(page, wanted={"captions_or_audio"}).run(DOWNLOAD)
    assert kinds(result) == ["captions", "metadata", "thumbnail"]
    assert site.visits_to("/talk.mp4") == []


@pytest.mark.parametrize("trouble", ["other language", "error page", "missing"])
async def test_captions_that_do_not_serve_leave_the_media_wanted(page: str, site: Any, desk: Any, trouble: str) -> None:
    languages = "de" if trouble == "other language" else ""
    if trouble == "error page":
        site.put("/talk.en.vtt", "<html>Sorry</html>")
    if trouble == "missing":
        del site.pages["/talk.en.vtt"]
    result = await desk(page, wanted={"captions_or_audio"}, options={"languages": languages}).run(DOWNLOAD)
    assert len(made(result, "media")) == 1
    assert len(result.notes) == (0 if trouble == "other language" else 1)
    assert document(result).notes == tuple(result.notes)


async def test_captions_alone_fetch_no_media(page: str, site: Any, desk: Any) -> None:
    result = await desk(page, wanted={"captions"}).run(DOWNLOAD)
    assert kinds(result) == ["captions", "metadata", "thumbnail"]
    site.pages["/talk.en.vtt"].statuses = [503]
    with pytest.raises(Transient):
        await desk(page, wanted={"captions"}).run(DOWNLOAD)


@pytest.mark.parametrize(
    ("name", "type"), [("talk.mp4", "video/mp4"), ("talk.mp3", "audio/mpeg"), ("talk.m4a", "audio/mp4")]
)
async def test_a_media_file_of_its_own_address(site: Any, media: Any, desk: Any, name: str, type: str) -> None:  # noqa: A002
    url = site.put(f"/{name}", media(name), type)
    result = await desk(url, wanted={"audio"}, title="Bread, part 1").run(DOWNLOAD)
    assert document(result).title == "Bread, part 1"
    assert document(result).has_picture is (name == "talk.mp4")
    assert made(result, "media")[0].path.read_bytes() == site.pages[f"/{name}"].content
    assert kinds(result) == (["media", "metadata", "thumbnail"] if name == "talk.mp4" else ["media", "metadata"])


async def test_an_address_that_ends_in_anything_is_taken_by_its_type(site: Any, media: Any, desk: Any) -> None:
    result = await desk(site.put("/stream.php", media("talk.mp4"), "video/mp4"), wanted={"audio"}).run(DOWNLOAD)
    assert len(made(result, "media")) == 1


async def test_sound_alone_is_taken_where_the_site_offers_it(site: Any, media: Any, desk: Any) -> None:
    site.put("/talk.mp4", media("talk.mp4"), "video/mp4")
    site.put("/talk.m4a", media("talk.m4a"), "audio/mp4")
    listed = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="/sound.m3u8",DEFAULT=YES
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=320x180,CODECS="avc1.42c00d,mp4a.40.2",AUDIO="a"
/picture.m3u8
"""
    segment = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{}\n#EXT-X-ENDLIST\n"
    site.put("/sound.m3u8", segment.format("/talk.m4a"), "application/vnd.apple.mpegurl")
    site.put("/picture.m3u8", segment.format("/talk.mp4"), "application/vnd.apple.mpegurl")
    url = site.put("/talk.m3u8", listed, "application/vnd.apple.mpegurl")
    result = await desk(url, wanted={"audio"}).run(DOWNLOAD)
    assert site.visits_to("/talk.mp4") == []
    assert made(result, "media")[0].metadata["has_picture"] is False


async def test_a_feeds_transcript_counts_as_the_publishers_captions(
    site: Any, media: Any, desk: Any, captions: str
) -> None:
    url = site.put("/1.mp3", media("talk.mp3"), "audio/mpeg")
    transcript = site.put("/1.vtt", captions, "text/plain")
    page_url = f"{site.address}/episodes/1"
    options = {"captions_url": transcript, "captions_language": "en", "page_url": page_url, "uploader": "Bread"}
    result = await desk(url, wanted={"captions_or_audio"}, options=options).run(DOWNLOAD)
    video = document(result)
    assert [(one.language, one.automatic, one.format) for one in video.captions] == [("en", False, "vtt")]
    assert (video.url, video.uploader) == (page_url, "Bread")
    assert made(result, "media") == []
    assert made(result, "captions")[0].path.read_text(encoding="utf-8") == captions


async def test_statuses_of_pages_are_classed(page: str, site: Any, desk: Any) -> None:
    site.pages["/page"].statuses = [404, 403, 503]
    with pytest.raises(Permanent, match=r"^127\.0\.0\.1 answered 404 \(Not Found\)$"):
        await desk(page).run(DOWNLOAD)
    with pytest.raises(NeedsInput, match=r"answered 403 \(Forbidden\): it wants a login"):
        await desk(page).run(DOWNLOAD)
    with pytest.raises(Transient, match=r"answered 503 \(Service Unavailable\)"):
        await desk(page).run(DOWNLOAD)


async def test_statuses_of_media_are_classed(page: str, site: Any, desk: Any) -> None:
    site.pages["/talk.mp4"].statuses = [410, *[503] * 4]
    with pytest.raises(Permanent, match="answered 410"):
        await desk(page, wanted={"audio"}).run(DOWNLOAD)
    with pytest.raises(Transient, match="answered 503"):
        await desk(page, wanted={"audio"}).run(DOWNLOAD)


async def test_a_rate_limit_tells_how_long_the_host_asked_to_rest(page: str, site: Any, desk: Any) -> None:
    site.pages["/page"].statuses, site.pages["/page"].headers = [429], {"Retry-After": "90"}
    with pytest.raises(RateLimited) as caught:
        await desk(page).run(DOWNLOAD)
    assert caught.value.retry_after == timedelta(seconds=90)


async def test_a_refused_port_and_an_unknown_host_are_transient(site: Any, desk: Any) -> None:
    site.shutdown()
    site.server_close()
    with pytest.raises(Transient, match=r"127\.0\.0\.1:\d+ refuses connections"):
        await desk(f"{site.address}/talk.mp4").run(DOWNLOAD)
    with pytest.raises(Transient, match=r"nowhere\.invalid was not found"):
        await desk("http://nowhere.invalid/talk.mp4").run(DOWNLOAD)


async def test_a_page_without_a_video_is_permanent_and_says_what_was_tried(site: Any, desk: Any) -> None:
    url = site.put("/page", "<!doctype html><html><head><title>News</title></head><body>Words.</body></html>")
    with pytest.raises(Permanent, match="no video was found on that page: no extractor knows the site"):
        await desk(url).run(DOWNLOAD)


async def test_a_text_named_mp4_is_permanent(site: Any, desk: Any) -> None:
    url = site.put("/talk.mp4", "This is no video.\n" * 400, "video/mp4")
    with pytest.raises(Permanent, match=r"^what was fetched is a text file, not audio or video$"):
        await desk(url, wanted={"audio"}).run(DOWNLOAD)


async def test_a_truncated_video_is_permanent_and_says_how_much_is_there(site: Any, media: Any, desk: Any) -> None:
    content = media("talk.mp4").read_bytes()
    url = site.put("/talk.mp4", content[: len(content) // 2], "video/mp4")
    context = desk(url, wanted={"audio"})
    with pytest.raises(
        Permanent, match=r"^what was fetched is cut short: it states 0:00:06\.\d, and can be read up to 0:00:0[23]"
    ):
        await context.run(DOWNLOAD)
    site.put("/talk.mp4", content, "video/mp4")  # mended since, and tried again by hand
    assert len(made(await context.run(DOWNLOAD), "media")) == 1


async def test_a_transfer_that_was_cut_without_a_word_is_transient_and_fetched_anew(
    site: Any, media: Any, desk: Any
) -> None:
    content = media("talk.mp4").read_bytes()
    url = site.put("/page", site.page_of("/talk.mp4"))
    site.put("/talk.mp4", content, "video/mp4", no_length=True, cuts=[len(content) // 2])
    with pytest.raises(Transient, match="the transfer may have been cut"):
        await desk(url, wanted={"audio"}).run(DOWNLOAD)
    result = await desk(url, wanted={"audio"}).run(DOWNLOAD)
    assert made(result, "media")[0].path.read_bytes() == content


async def test_a_video_without_sound_is_permanent_where_sound_is_wanted(site: Any, media: Any, desk: Any) -> None:
    url = site.put("/mute.mp4", media("mute.mp4"), "video/mp4")
    with pytest.raises(Permanent, match="it has no sound"):
        await desk(url, wanted={"audio"}).run(DOWNLOAD)
    result = await desk(url).run(DOWNLOAD)
    assert document(result).has_audio is False


async def test_cookies_and_proxy_are_used_and_the_cookie_file_stays_as_it_was(
    page: str, site: Any, desk: Any, tmp_path: Path
) -> None:
    jar = tmp_path / "cookies.txt"
    jar.write_text("# Netscape HTTP Cookie File\nfar.example\tFALSE\t/\tFALSE\t0\tsession\ts3cret\n", encoding="utf-8")
    before = jar.stat()
    far = page.replace(site.address, "http://far.example")  # reached through the proxy alone
    result = await desk(far, wanted={"audio"}, cookies=jar, proxy=site.address).run(DOWNLOAD)
    assert document(result).title == "Bread at home"
    assert {visit.headers.get("Cookie") for visit in site.visits} == {"session=s3cret"}
    assert (jar.stat().st_mtime_ns, jar.stat().st_size) == (before.st_mtime_ns, before.st_size)


@pytest.mark.parametrize("content", [None, "no cookies"])
async def test_a_cookie_file_that_cannot_be_read_concerns_everything(
    page: str, site: Any, desk: Any, tmp_path: Path, content: str | None
) -> None:
    if content:
        (tmp_path / "jar").write_text(content, encoding="utf-8")
    with pytest.raises(NeedsInput) as caught:
        await desk(page, cookies=tmp_path / "jar").run(DOWNLOAD)
    assert caught.value.scope is Scope.ENVIRONMENT
    assert "RUSHES_COOKIES" in str(caught.value.remedy)


async def test_secrets_of_an_address_are_in_no_message(site: Any, desk: Any) -> None:
    url = site.address.replace("//", "//me:hunter2@") + "/talk.mp4?token=s3cret"
    with pytest.raises(Permanent) as caught:
        await desk(url).run(DOWNLOAD)
    assert "hunter2" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    sent = site.visits[0].headers.get("Authorization", "")
    assert base64.b64decode(sent.removeprefix("Basic ")) == b"me:hunter2"
