"""Which caption tracks are taken: a person's before a machine's, what was asked for before the rest, and no error pages."""

from __future__ import annotations

from typing import Any

import pytest

from rushes.stages.fetching.captions import choose, language_tag, matches, sniff


def offered(*names: str, formats: str = "json3 vtt") -> dict[str, list[dict[str, Any]]]:
    return {name: [{"ext": ext, "url": f"https://x/{name}.{ext}"} for ext in formats.split()] for name in names}


def chosen(*arguments: Any, **options: Any) -> list[tuple[str, bool, str, bool]]:
    return [(one.language, one.automatic, one.format, one.fits) for one in choose(*arguments, **options)]


def test_a_publishers_track_in_the_videos_language_leaves_the_machines_out() -> None:
    assert chosen(offered("de", "en-GB"), offered("en-orig"), original="en") == [
        ("en-GB", False, "vtt", True),
        ("de", False, "vtt", False),
    ]


def test_a_machines_track_comes_where_no_publishers_track_fits() -> None:
    assert chosen(offered("de"), offered("fr", "en-orig", "en"), original="en") == [
        ("de", False, "vtt", False),
        ("en", True, "json3", True),
    ]


def test_translations_by_machine_are_never_taken() -> None:
    assert chosen({}, offered("de", "fr", "en-orig"), languages=["de"], original="en") == []


def test_the_languages_asked_for_come_first_in_their_order() -> None:
    tracks = chosen(offered("en", "fr", "de"), {}, languages=["de", "fr"], original="en")
    assert [(language, fits) for language, _, _, fits in tracks] == [("de", True), ("fr", True), ("en", False)]


def test_a_sole_track_of_an_unknown_language_fits_where_none_was_asked_for() -> None:
    assert chosen(offered("English", formats="vtt"), {}) == [("und", False, "vtt", True)]


def test_live_chats_and_formats_that_nobody_reads_are_no_captions() -> None:
    assert chosen({**offered("live_chat", formats="json"), **offered("en", formats="srv3 xml")}, {}) == []


@pytest.mark.parametrize(
    ("have", "want", "same"),
    [("en", "en-US", True), ("en-US", "en", True), ("pt-BR", "pt-PT", False), ("EN", "en", True), ("de", "en", False)],
)
def test_languages_match_by_their_common_parts(have: str, want: str, *, same: bool) -> None:
    assert matches(have, want) is same


@pytest.mark.parametrize(("name", "tag"), [("en-orig", "en"), ("pt_BR", "pt-BR"), ("English", "und"), ("a b", "und")])
def test_a_tracks_name_becomes_a_tag_that_is_safe_in_a_file_name(name: str, tag: str) -> None:
    assert language_tag(name) == tag


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"\xef\xbb\xbfWEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", "vtt"),
        (b"WEBVTT\n\n", None),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "srt"),
        (b'{"wireMagic": "pb3", "events": [{"segs": [{"utf8": "hello"}]}]}', "json3"),
        (b'{"error": "gone"}', None),
        (b'<?xml version="1.0"?><tt xmlns="http://www.w3.org/ns/ttml"><p begin="0s">x</p></tt>', "ttml"),
        (b"[Script Info]\nTitle: x\n[Events]\nDialogue: 0,0:00:01.00", "ass"),
        (b"<!doctype html><title>Not found</title>", None),
        (b"", None),
        (b"MZ\x90\x00", None),
    ],
)
def test_a_caption_file_is_known_by_its_content(content: bytes, form: str | None) -> None:
    assert sniff(content) == form
