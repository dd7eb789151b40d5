"""The fault table: each sign that yt-dlp or a server gives, and the class of failure that it must become."""

from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta
from http.client import IncompleteRead
from typing import Any

import pytest
from yt_dlp.networking.exceptions import CertificateVerifyError, ProxyError, TransportError
from yt_dlp.utils import (
    ContentTooShortError,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    ThrottledDownload,
    UnsupportedError,
)

from rushes.errors import ErrorClass, NeedsInput, RateLimited, Scope
from rushes.stages.fetching.faults import (
    Place,
    by_status,
    by_words,
    classify,
    disk_failure,
    for_others,
    from_error,
    to_error,
)
from rushes.stages.fetching.wording import plain
from rushes.stages.http import rest_asked

HERE = Place("https://video.example/watch?id=1", extractor="example")
PAGE = Place("https://video.example/talk.html", extractor="generic")
NOT_HERE: Any = GeoRestrictedError("not here", None)
NOT_HERE.countries = ["FI", "SE"]
TRANSIENT, PERMANENT = ErrorClass.TRANSIENT, ErrorClass.PERMANENT
NEEDS, REST = ErrorClass.NEEDS_INPUT, ErrorClass.RATE_LIMITED


@pytest.mark.parametrize(
    ("message", "error_class", "environment"),
    [
        ("[youtube] x: Sign in to confirm you’re not a bot. Use --cookies", NEEDS, True),
        ("[youtube] x: Error. YouTube is requiring a captcha challenge before playback", NEEDS, True),
        (
            "This content isn't available, try again later. The current session has been rate-limited by YouTube",
            REST,
            False,
        ),
        ("You have exceeded the rate limit. Try again later", REST, False),
        ("[youtube] x: Private video. Sign in if you've been granted access to this video", NEEDS, False),
        ("Join this channel to get access to members-only content like this video", NEEDS, False),
        ("Sign in to confirm your age. This video may be inappropriate for some users", NEEDS, False),
        ("This video is only available for registered users. Use --cookies, --cookies-from-browser", NEEDS, False),
        ("Password protected video, use --video-password <password>", NEEDS, False),
        ("[youtube] x: Premieres in 3 hours", NEEDS, False),
        ("[youtube] x: This live event will begin in 5 days.", NEEDS, False),
        ("This livestream has not yet started", NEEDS, False),
        ("The uploader has not made this video available in your country", PERMANENT, False),
        ("This video is DRM protected", PERMANENT, False),
        ("[youtube] x: Video unavailable. This video has been removed by the uploader", PERMANENT, False),
        ("The account associated with this video has been terminated", PERMANENT, False),
        (
            "Video unavailable. This video contains content from X, who has blocked it on copyright grounds",
            PERMANENT,
            False,
        ),
        ("No video formats found!", PERMANENT, False),
        ("unable to write data: [Errno 28] No space left on device", NEEDS, True),
        ("unable to open for writing: [Errno 13] Permission denied: '/x'", NEEDS, True),
        ("You have requested merging of multiple formats but ffmpeg is not installed. Aborting", NEEDS, True),
        ("ERROR: Postprocessing: ffprobe and ffmpeg not found. Please install", NEEDS, True),
        ("[download] Got error: HTTP Error 503: Service Unavailable. Giving up after 3 retries", TRANSIENT, False),
        ("[download] Got error: 12 bytes read, 9 more expected. Giving up after 3 retries", TRANSIENT, False),
        ("Did not get any data blocks", TRANSIENT, False),
        # What a server writes behind its status says nothing of this machine.
        (
            "Unable to download webpage: HTTP Error 404: unusual traffic (caused by <HTTPError 404: x>)",
            PERMANENT,
            False,
        ),
        ("HTTP Error 410: No space left on device", PERMANENT, False),
    ],
)
def test_words_of_sites_and_of_yt_dlp(message: str, error_class: ErrorClass, *, environment: bool) -> None:
    failure = by_words(message, HERE)
    assert (failure.error_class, failure.environment) == (error_class, environment), failure


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (401, NEEDS),
        (403, NEEDS),
        (404, PERMANENT),
        (410, PERMANENT),
        (416, PERMANENT),
        (451, PERMANENT),
        (408, TRANSIENT),
        (429, REST),
        (500, TRANSIENT),
        (502, TRANSIENT),
        (503, TRANSIENT),
    ],
)
def test_statuses(status: int, error_class: ErrorClass) -> None:
    failure = by_status(status, HERE)
    assert failure.error_class is error_class
    assert failure.message.startswith(f"video.example answered {status} (")
    assert not failure.environment


def test_a_stranger_s_host_does_not_speak_of_our_proxy() -> None:
    failure = for_others(by_status(407, HERE))
    assert (failure.error_class, failure.environment) == (TRANSIENT, False)
    assert by_status(407, HERE).environment


def test_a_known_site_that_refuses_the_media_takes_us_for_a_bot() -> None:
    media = Place(HERE.url, extractor="youtube", downloading=True)
    assert by_status(403, media).environment
    assert not by_status(403, Place(PAGE.url, extractor="generic", downloading=True)).environment


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        ("120", timedelta(seconds=120)),
        ("Sun, 22 Nov 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Sun, 22 Nov 2026 11:00:00 GMT", timedelta()),
        ("soon", None),
        (None, None),
    ],
)
def test_the_rest_a_server_asks_for(header: str | None, rest: timedelta | None) -> None:
    assert rest_asked(header, datetime(2026, 11, 22, 12, tzinfo=UTC)) == rest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Failed to resolve 'nowhere.example' ([Errno -2] Name or service not known)", "was not found (DNS)"),
        ("HTTPConnection(host='127.0.0.1', port=9): [Errno 111] Connection refused", "127.0.0.1:9 refuses connections"),
        ("[Errno 101] Network is unreachable", "cannot be reached"),
        ("The read operation timed out", "did not answer in time"),
        ("Connection reset by peer", "broke: Connection reset by peer"),
    ],
)
def test_broken_connections_are_transient_and_told_in_words(text: str, words: str) -> None:
    failure = classify(TransportError(text), HERE)
    assert failure is not None
    assert failure.error_class is TRANSIENT
    assert failure.message.endswith(words)


@pytest.mark.parametrize(
    ("error", "error_class", "environment"),
    [
        (CertificateVerifyError("CERTIFICATE_VERIFY_FAILED"), PERMANENT, False),
        (ProxyError("tunnel connection failed"), NEEDS, True),
        (ContentTooShortError(10, 20), TRANSIENT, False),
        (ThrottledDownload(), TRANSIENT, False),
        (NOT_HERE, PERMANENT, False),
        (UnsupportedError("https://x.example/"), PERMANENT, False),
        (
            ExtractorError("A network error has occurred.", cause=IncompleteRead(b"", 9), expected=True),
            TRANSIENT,
            False,
        ),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), TRANSIENT, False),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), NEEDS, True),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), NEEDS, True),
        (ExtractorError("An extractor error has occurred.", cause=KeyError("videoId")), PERMANENT, False),
        (
            ExtractorError("Unable to download webpage", cause=TransportError("timed out"), expected=True),
            TRANSIENT,
            False,
        ),
    ],
)
def test_exceptions(error: BaseException, error_class: ErrorClass, *, environment: bool) -> None:
    failure = classify(error, HERE)
    assert failure is not None
    assert (failure.error_class, failure.environment) == (error_class, environment)


def test_a_full_disk_is_told_in_words() -> None:
    reported = DownloadError("ERROR: unable to write data: [Errno 28] No space left on device")
    reported.__context__ = OSError(errno.ENOSPC, "No space left on device", "/data/media.part")
    failure = classify(reported, HERE)
    assert failure is not None
    assert failure.message == "the disk is full (/data/media.part)"


def test_countries_are_named() -> None:
    failure = classify(NOT_HERE, HERE)
    assert failure is not None
    assert "Finland, Sweden" in failure.message


def test_an_extractors_own_words_count_and_not_the_status_behind_them() -> None:
    words = ExtractorError("This video is for premium members only", expected=True)
    words.__context__ = TransportError("the API answered 404")
    reported = DownloadError("ERROR: x")
    reported.__context__ = words
    failure = classify(reported, HERE)
    assert failure is not None
    assert failure.error_class is NEEDS


def test_a_broken_extractor_asks_for_a_newer_yt_dlp_and_an_unknown_page_does_not() -> None:
    broken: Any = ExtractorError("Unable to extract player")
    broken.ie = "youtube"
    known = classify(broken, Place("https://youtube.com/watch?v=x"))
    unknown = classify(UnsupportedError(PAGE.url), PAGE)
    assert known is not None
    assert unknown is not None
    assert "Update yt-dlp" in str(known.remedy)
    assert unknown.remedy is None
    assert "no extractor knows the site" in unknown.message


def test_what_is_missing_for_want_of_javascript_says_so() -> None:
    failure = by_words(
        "Requested format is not available", Place("https://youtube.com/", "youtube", without_javascript=True)
    )
    assert failure.environment
    assert "deno" in str(failure.remedy)


def test_an_error_of_our_own_is_a_bug() -> None:
    assert classify(KeyError("x"), HERE) is None
    assert disk_failure(OSError(errno.EIO, "Input/output error")) is None


def test_messages_are_short_and_plain_and_keep_no_secret() -> None:
    said = (
        "\x1b[0;31mERROR:\x1b[0m [youtube] abc: Unable to open https://me:hunter2@cdn.example/v.mp4?sig=s3cret&n=1; "
        "please report this issue on https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the template"
    )
    assert plain(said) == "abc: Unable to open https://***@cdn.example/v.mp4?sig=***&n=1"
    assert len(plain("x" * 5000)) <= 300


def test_a_failure_survives_the_way_from_child_to_parent() -> None:
    limited = RateLimited("slow down", retry_after=timedelta(seconds=7))
    lacking = NeedsInput("full", remedy="make room", scope=Scope.ENVIRONMENT)
    again = to_error(from_error(limited))
    assert isinstance(again, RateLimited)
    assert again.retry_after == timedelta(seconds=7)
    assert from_error(to_error(from_error(lacking))) == from_error(lacking)
