"""One address, one key: spellings that mean the same are the same, and whatever may mean something else is not."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.keys import BadAddress, source_of
from rushes.keys.addresses import normalized, parse

SAME = [
    ("HTTPS://Example.ORG/a", "https://example.org/a"),
    ("https://example.org:443/a", "https://example.org/a"),
    ("http://example.org:80", "http://example.org/"),
    ("https://example.org:08443/a", "https://example.org:8443/a"),
    ("https://example.org./a", "https://example.org/a"),
    ("https://user:secret@example.org/a", "https://example.org/a"),
    ("https://example.org/a#t=30", "https://example.org/a"),
    ("https://example.org/a?utm_source=x&utm_medium=y&fbclid=z&gclid=1&si=2", "https://example.org/a"),
    ("https://example.org/a?b=2&UTM_Source=x&a=1", "https://example.org/a?a=1&b=2"),
    ("https://example.org/a?", "https://example.org/a"),
    ("https://example.org/%7euser/%C3%a9", "https://example.org/~user/%C3%A9"),
    ("https://example.org/é?q=ü", "https://example.org/%C3%A9?q=%C3%BC"),
    ("https://example.org/a/../b/./c", "https://example.org/b/c"),
    ("https://example.org/a/%2e%2e/b", "https://example.org/b"),
    ("https://MÜNCHEN.example/", "https://xn--mnchen-3ya.example/"),
    ("https://xn--mnchen-3ya.example/", "https://xn--mnchen-3ya.example/"),
    ("http://[2001:DB8:0::1]/", "http://[2001:db8::1]/"),
    ("https://example.org/a?q=1%202", "https://example.org/a?q=1+2"),
    (
        "https://bucket.example/v.mp4?X-Amz-Signature=1&X-Amz-Date=2&versionId=3",
        "https://bucket.example/v.mp4?versionId=3",
    ),
]


@pytest.mark.parametrize(("text", "normal"), SAME)
def test_spellings_of_one_address_share_its_key(text: str, normal: str) -> None:
    assert normalized(parse(text)) == normal
    assert source_of(text).key == source_of(normal).key


DIFFERENT = [
    ("http://example.org/a", "https://example.org/a"),
    ("https://example.org/a", "https://example.org/A"),
    ("https://example.org/a", "https://example.org/a/"),
    ("https://example.org/a?x=1&x=2", "https://example.org/a?x=2&x=1"),
    ("https://example.org/a?token=1", "https://example.org/a?token=2"),
    ("https://example.org/a%2Fb", "https://example.org/a/b"),
    ("https://example.org/#/videos/1", "https://example.org/#/videos/2"),
    ("https://example.org/#!v1", "https://example.org/"),
    ("https://example.org/?q=%FF", "https://example.org/?q=%FE"),
    ("https://www.example.org/", "https://example.org/"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_may_be_another_video_has_another_key(one: str, other: str) -> None:
    assert source_of(one).key != source_of(other).key


def test_an_address_is_fetched_as_it_was_written() -> None:
    signed = "https://user:secret@example.org:443/v.mp4?b=1&utm_x=2&X-Amz-Signature=3#t=1"

    assert source_of(signed).location == signed


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/pod.rss",
        "https://example.org/news.ATOM?page=2",
        "https://example.org/a/b.xml",
        "https://example.org/blog/feed/",
        "https://example.org/rss",
        "feed:https://example.org/page",
        "FEED://example.org/page",
        "list:https://example.org/channel",
    ],
)
def test_feeds_and_whatever_is_said_to_be_a_list_are_collections(text: str) -> None:
    source = source_of(text)

    assert source.collection
    assert source.location.startswith("https://example.org/")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ftp://example.org/a", "only http and https are fetched, not ftp"),
        ("file:///etc/passwd", "without file:"),
        ("example.org/a", "does not start with https://"),
        ("https://", "names no host"),
        ("https:///a", "names no host"),
        ("https://exa mple.org/", "no spaces"),
        ("https://example.org/a b", "%20"),
        ("https://example.org/\x00", r"U\+0000"),
        ("https://example.org/\ud800", r"U\+D800"),
        ("https://-a.example/", "is no host"),
        ("https://a..example/", "is no host"),
        ("https://" + "a" * 64 + ".example/", "is no host"),
        ("https://example.org:0/", "no port 0"),
        ("https://example.org:65536/", "no port 65536"),
        ("https://example.org:http/", "is no host"),
        ("http://256.1.1.1/", "is no host"),
        ("http://0x7f.1/", "is no host"),
        ("http://2130706433/", "is no host"),
        ("http://[::1/", "is no host"),
        ("http://[fe80::1%eth0]/", "is no host"),
        ("https://good.example\\@evil.example/", "is no host"),
        ("https://" + "a." * 200 + "example/", "is no host"),
        ("https://example.org/" + "a" * 8192, "limit is 8,192"),
        ("feed:local.xml", "does not start with https://"),
    ],
)
def test_what_cannot_be_fetched_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(BadAddress, match=reason):
        source_of(text)


PIECE = st.text(string.ascii_letters + string.digits + "%/.~?&=#+;@!é -_'\"", max_size=30)


ORIGINS = ["https://example.org", "http://Bücher.example:8080", "https://www.youtube.com", "https://youtu.be"]


@given(st.sampled_from(ORIGINS), PIECE)
def test_the_normal_form_is_its_own_normal_form(origin: str, rest: str) -> None:
    text = f"{origin}/{rest}"
    try:
        source = source_of(text)
    except BadAddress:
        return

    again = source_of(source.location)
    assert again.key == source.key
    normal = normalized(parse(source.location))
    assert normalized(parse(normal)) == normal
    assert source_of(normal).key == source.key


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for whole in (text, f"https://{text}", f"https://example.org/{text}"):
        with contextlib.suppress(BadAddress):
            assert source_of(whole).key.startswith(("url:", "youtube:"))
