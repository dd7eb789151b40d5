"""What a reader is told, and where links lead."""

from __future__ import annotations

import pytest

from rushes.batches.export import ExportedItem, links, words
from rushes.clock import clock
from rushes.documents import VideoDocument
from rushes.masking import masked
from rushes.model import ItemStatus


def item(given: str = "talk", key: str = "url:1") -> ExportedItem:
    return ExportedItem(position=1, given=given, key=key, status=ItemStatus.COMPLETED)


def video(**facts: str) -> VideoDocument:
    return VideoDocument(key="k", title="t", **facts)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.99, "0:59"), (83.4, "1:23"), (3600, "1:00:00"), (36065, "10:01:05")]
)
def test_a_place_in_a_video_is_a_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.12, "0.1 s"), (42.4, "42 s"), (59.7, "1 min 0 s"), (185, "3 min 5 s"), (7440, "2 h 4 min")],
)
def test_a_length_of_time_is_said_in_units(seconds: float, shown: str) -> None:
    assert words.lasting(seconds) == shown


def test_cleaned_text_is_one_line_without_controls_and_direction_overrides() -> None:
    assert words.clean("a\x00b\n c\t\u202egnp.exe\u202c\u2066x\u2069") == "ab c gnp.exex"


def test_joined_emoji_survive_cleaning() -> None:
    assert words.clean("👩‍👩‍👧") == "👩‍👩‍👧"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:secret@host.example/v", "https://***@host.example/v"),
        ("https://h.example/v?id=1&X-Amz-Signature=abc&t=2", "https://h.example/v?id=1&X-Amz-Signature=***&t=2"),
        ("https://h.example/v?access_token=abc#x", "https://h.example/v?access_token=***#x"),
        ("https://h.example/v?id=1&page=2", "https://h.example/v?id=1&page=2"),
    ],
)
def test_secrets_in_addresses_are_masked(address: str, shown: str) -> None:
    assert masked(address) == shown
    assert words.clean(f"tried {address} in vain") == f"tried {shown} in vain"


@pytest.mark.parametrize(
    "text", ["?" * 20_000, "?key" * 5_000, "?" + "key" * 7_000, "a." * 10_000, "x://" + "y" * 20_000]
)
def test_masking_ends_on_text_made_to_slow_it(text: str) -> None:
    assert masked(text) == text  # an unbounded pattern would take hours, and the suite's time limit ends it


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://www.youtube.com/watch?v=abc", "https://www.youtube.com/watch?v=abc&t=83s"),
        ("https://youtu.be/abc?t=5", "https://youtu.be/abc?t=83s"),
        ("https://talks.example.org/v/1?x=y", "https://talks.example.org/v/1?x=y#t=83"),
        ("https://talks.example.org/v.mp4#t=4", "https://talks.example.org/v.mp4#t=83"),
        ("file:///srv/talks/one%20two.mp4", "file:///srv/talks/one%20two.mp4#t=83"),
    ],
)
def test_a_link_leads_to_the_second(address: str, expected: str) -> None:
    assert links.at(address, 83.9) == expected


def test_a_video_is_watched_where_it_is() -> None:
    assert links.watch(item(key="youtube:-_abc"), None) == "https://www.youtube.com/watch?v=-_abc"
    assert links.watch(item(), video(url="https://talks.example.org/1")) == "https://talks.example.org/1"
    assert links.watch(item(), video(path="/srv/talks/a b#1.mp4")) == "file:///srv/talks/a%20b%231.mp4"
    assert links.watch(item("https://talks.example.org/2"), None) == "https://talks.example.org/2"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "JaVaScRiPt://x",
        "https://",
        "http://[",
        "https://a b",
        "ftp://x/y",
        "talk.mp4",
    ],
)
def test_what_is_no_web_address_never_becomes_a_link(address: str) -> None:
    assert links.watch(item(address), video(url=address)) is None


def test_a_key_cannot_smuggle_parameters_into_a_link() -> None:
    assert links.watch(item(key="youtube:a&b=<c>"), None) == "https://www.youtube.com/watch?v=a%26b%3D%3Cc%3E"
