"""The stages `download` and `scrape` on items of strangers: public hosts by the proxy, and nothing else."""

from __future__ import annotations

import io
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import HTTPError

from rushes.errors import ErrorClass, NeedsInput, Permanent, Scope, StageError, Transient
from rushes.stages.download import DOWNLOAD
from rushes.stages.fetching import confined
from rushes.stages.fetching.faults import Place, classify
from rushes.stages.scrape import SCRAPE
from tests.stages_download.conftest import Site, put_page

NOT_PUBLIC = "{0}: this address is not public ({0})"
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n{more}#EXTINF:6,\n{segment}\n#EXT-X-ENDLIST\n"
HLS_TYPE = "application/vnd.apple.mpegurl"


def kinds(result: Any) -> list[str]:
    return sorted(one.kind for one in result.made)


async def failure(desk: Any, stage: Any = DOWNLOAD) -> StageError:
    with pytest.raises(StageError) as caught:
        await desk.run(stage)
    return caught.value


@pytest.fixture
def segment(site: Site, media: Any, ffmpeg: Path, tmp_path: Path) -> str:
    """A part of a stream, served. Returns its path."""
    path = tmp_path / "talk.ts"
    subprocess.run([ffmpeg, "-v", "error", "-i", media("talk.mp4"), "-c", "copy", path], check=True)
    site.put("/talk.ts", path, "video/mp2t")
    return "/talk.ts"


async def test_a_page_of_a_host_that_may_be_fetched_from(site: Site, media: Any, others: Any):
    result = await others(put_page(site, media), wanted={"audio", "picture"}).run(DOWNLOAD)
    assert kinds(result) == ["captions", "media", "metadata", "thumbnail"]
    assert result.notes == ()
    assert {visit.path for visit in site.visits} >= {"/page", "/talk.mp4", "/talk.en.vtt", "/poster.jpg"}
    # Not one request went around the proxy: it is the one that closes the connection after each.
    assert {visit.headers["Connection"] for visit in site.visits} == {"close"}
    assert all("Proxy-Authorization" not in visit.headers for visit in site.visits)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:{port}/page", "http://localhost:{port}/page", "http://[::ffff:127.0.0.1]:{port}/page"]
)
async def test_a_host_that_is_not_public_fails_at_once_with_the_reason(site: Site, media: Any, others: Any, address):
    put_page(site, media)
    error = await failure(others(address.format(port=site.server_port), allowed=""))
    assert isinstance(error, Permanent)
    assert error.reason.endswith(": this address is not public (127.0.0.1)")
    assert "RUSHES_ALLOWED_HOSTS" in str(error.remedy)
    assert site.visits == []


@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd",
        "relative.mp4",
        "file:///etc/passwd",
        "ftp://127.0.0.1/talk.mp4",
        "ws://127.0.0.1/talk",
        "rtmp://127.0.0.1/live",
        "http://127.1/",
        "http://2130706433/",
        "http://example.org/#__youtubedl_smuggle=%7B%22http_headers%22%3A%7B%7D%7D",
    ],
)
async def test_what_is_no_plain_web_address_is_refused(others: Any, location: str):
    assert isinstance(await failure(others(location)), Permanent)


@pytest.mark.parametrize(
    ("by", "address"),
    [
        ("a redirect", "http://169.254.169.254/latest/meta-data/x.mp4"),
        ("a redirect", "https://[fd00:ec2::254]/x.mp4"),
        ("a redirect", "http://metadata.google.internal/x.mp4"),
        ("an embedded video", "http://10.0.0.1/x.mp4"),
        ("an embedded video", "https://10.0.0.1/x.mp4"),
        ("a stream", "http://10.0.0.1/x.ts"),
        ("a stream", "https://192.168.0.1/x.ts"),
    ],
)
async def test_a_page_that_leads_to_a_private_host_fails_likewise(site: Site, others: Any, address: str, by: str):
    match by:
        case "a redirect":
            url = site.put("/page", "", statuses=[302] * 9, headers={"Location": address})
        case "an embedded video":
            url = site.put("/page", site.page_of(address))
        case _:
            url = site.put("/page.m3u8", HLS.format(more="", segment=address), HLS_TYPE)
    error = await failure(others(url))
    assert isinstance(error, Permanent)
    assert error.reason == NOT_PUBLIC.format(address.split("/")[2].strip("[]"))


@pytest.mark.parametrize("scheme", ["rtmp", "wss", "ftp", "file"])
async def test_a_video_by_another_protocol_is_refused(site: Site, others: Any, scheme: str):
    url = site.put("/page", site.page_of(f"{scheme}://127.0.0.1:{site.server_port}/talk.mp4"))
    error = await failure(others(url))
    assert isinstance(error, Permanent)
    assert error.reason == f"it is offered by {scheme} alone, and only http and https are fetched for others"
    assert {visit.path for visit in site.visits} <= {"/page", "/poster.jpg"}


async def test_a_redirect_to_a_file_is_refused(site: Site, others: Any):
    url = site.put("/page", "", statuses=[302] * 9, headers={"Location": "file:///etc/passwd"})
    assert isinstance(await failure(others(url)), Permanent)


async def test_a_stream_is_fetched_by_yt_dlp_itself(site: Site, others: Any, segment: str):
    url = site.put("/talk.m3u8", HLS.format(more="", segment=segment), HLS_TYPE)
    result = await others(url, wanted={"audio", "picture"}).run(DOWNLOAD)
    assert "media" in kinds(result)


@pytest.mark.parametrize("private", ["http://10.0.0.1/key", "https://10.0.0.1/key"])
async def test_a_stream_s_key_is_no_way_to_a_private_host(site: Site, others: Any, segment: str, private: str):
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="{private}"\n'
    url = site.put("/talk.m3u8", HLS.format(more=key, segment=segment), HLS_TYPE)
    assert (await failure(others(url))).reason == NOT_PUBLIC.format("10.0.0.1")


async def test_a_stream_that_only_ffmpeg_could_fetch_is_refused(site: Site, others: Any, segment: str):
    key = f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{site.address}/key"\n'
    url = site.put("/talk.m3u8", HLS.format(more=key, segment=segment), HLS_TYPE)
    error = await failure(others(url))
    assert isinstance(error, Permanent)
    assert "FFmpeg would have to fetch" in error.reason
    assert site.visits_to("/key") == []


@pytest.mark.parametrize("segment_address", ["file:///etc/hostname", "http://127.0.0.1:1/talk.ts"])
async def test_a_playlist_in_disguise_opens_nothing(site: Site, others: Any, segment_address: str):
    playlist = HLS.format(more="", segment=segment_address)
    error = await failure(others(site.put("/talk.mp4", playlist, "video/mp4")))
    assert isinstance(error, Permanent)
    assert error.reason == "what was fetched is a text file, not audio or video"


async def test_captions_and_a_picture_from_a_private_host_are_left_out_and_that_is_said(
    site: Site, media: Any, others: Any
):
    site.put("/talk.mp4", media("talk.mp4"), "video/mp4")
    options = {
        "captions_url": "https://10.0.0.1/talk.vtt", "captions_language": "en", "thumbnail_url": "http://10.0.0.2/a.jpg",
    }  # fmt: skip
    result = await others(f"{site.address}/talk.mp4", options=options).run(DOWNLOAD)
    assert kinds(result) == ["media", "metadata", "thumbnail"]  # a frame of its own stands in
    assert list(result.notes) == [
        f"captions (en) could not be fetched: {NOT_PUBLIC.format('10.0.0.1')}",
        f"the publisher's thumbnail could not be fetched: {NOT_PUBLIC.format('10.0.0.2')}",
    ]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_host_out_of_reach_is_worth_another_try_as_without_the_proxy(others: Any, scheme: str):
    error = await failure(others(f"{scheme}://nowhere.invalid/talk.mp4"))
    assert isinstance(error, Transient)
    assert error.reason == "nowhere.invalid was not found (DNS)"
    error = await failure(others(f"{scheme}://127.0.0.1:1/talk.mp4", allowed="127.0.0.1"))
    assert isinstance(error, Transient)
    assert error.reason == "127.0.0.1:1 refuses connections"


async def test_a_broken_download_is_gone_on_with(site: Site, media: Any, others: Any):
    site.put("/big.mp4", media("big.mp4"), "video/mp4", cuts=[1_000_000])
    await others(site.put("/page", site.page_of("/big.mp4"))).run(DOWNLOAD)
    cut, rest = site.visits_to("/big.mp4")
    assert cut.start == 0
    assert rest.start > 0


async def test_statuses_mean_what_they_mean_without_the_proxy(site: Site, others: Any):
    assert isinstance(await failure(others(site.put("/gone", "", statuses=[404] * 9))), Permanent)
    assert isinstance(await failure(others(site.put("/away", "", statuses=[503] * 9))), Transient)
    error = await failure(others(site.put("/login", "", statuses=[401] * 9)))
    assert isinstance(error, NeedsInput)
    assert error.scope is Scope.ITEM
    assert error.remedy == "Nothing but what everybody may watch is fetched for others."


def test_what_a_server_says_of_a_status_is_no_sign_that_this_machine_lacks_something():
    response = Response(io.BytesIO(), "https://x.example/", {}, status=404, reason="No space left on device")
    told = confined._meant(HTTPError(response))
    failure = classify(told, Place("https://x.example/"))
    assert failure
    assert (failure.error_class, failure.environment) == (ErrorClass.PERMANENT, False)


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl to make a certificate with")
async def test_certificates_are_checked_at_the_end_of_the_tunnel(site: Site, others: Any, tmp_path: Path):
    files = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "certificate")]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", *files]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    site.socket = context.wrap_socket(site.socket, server_side=True)
    error = await failure(others(f"https://127.0.0.1:{site.server_port}/talk.mp4"))
    assert isinstance(error, Permanent)
    assert error.reason == "127.0.0.1: its TLS certificate is not valid"


async def test_the_operators_cookies_and_proxies_are_not_for_others(
    site: Site, media: Any, others: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tsecret\n")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    site.put("/talk.mp4", media("talk.mp4"), "video/mp4")
    await others(f"{site.address}/talk.mp4", cookies=cookies).run(DOWNLOAD)
    assert all("Cookie" not in visit.headers for visit in site.visits)


async def test_a_feed_is_listed_by_the_proxy_too(site: Site, others: Any):
    item = "<item><title>Talk</title><enclosure url='http://10.0.0.1/1.mp3' type='audio/mpeg' length='1'/></item>"
    url = site.put("/feed.xml", f"<rss version='2.0'><channel>{item}</channel></rss>", "application/rss+xml")
    result = await others(url, collection=True).run(SCRAPE)
    assert [one.source.location for one in result.items] == ["http://10.0.0.1/1.mp3"]
    error = await failure(others(url, collection=True, allowed=""), SCRAPE)
    assert error.reason == NOT_PUBLIC.format("127.0.0.1")
