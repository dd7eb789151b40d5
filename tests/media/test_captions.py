"""Captions of any kind become sentences with times, and nothing but speech."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rushes.documents import Cue
from rushes.media.captions import read_captions
from rushes.media.faults import BadCaptions

ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.070 align:start position:0%
\x20
welcome<00:00:00.480><c> to</c><00:00:00.640><c> this</c><00:00:00.880><c> short</c>

00:00:02.070 --> 00:00:02.080 align:start position:0%
welcome to this short
\x20

00:00:02.080 --> 00:00:04.309 align:start position:0%
welcome to this short
lesson<00:00:02.400><c> on</c><00:00:02.639><c> sourdough</c><00:00:03.200><c> bread</c>

00:00:04.309 --> 00:00:04.319 align:start position:0%
lesson on sourdough bread
\x20

00:00:04.319 --> 00:00:06.000 align:start position:0%
lesson on sourdough bread
[Music]
"""
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 10))
    + ']><tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="2s">&a9;</p></div></body></tt>'
)


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(name: str, content: str | bytes) -> tuple[Cue, ...]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_captions(path)

    return read


def srt(*events: tuple[float, float, str]) -> str:
    def clock(seconds: float) -> str:
        return f"00:{int(seconds // 60):02}:{int(seconds % 60):02},{round(seconds % 1 * 1000):03}"

    return "".join(
        f"{number}\n{clock(start)} --> {clock(end)}\n{text}\n\n" for number, (start, end, text) in enumerate(events, 1)
    )


def texts(cues: tuple[Cue, ...]) -> list[str]:
    return [cue.text for cue in cues]


def json3(*events: dict[str, Any]) -> str:
    return json.dumps({"wireMagic": "pb3", "events": events})


def test_rolling_captions_say_each_line_once_with_its_word_times(read: Any) -> None:
    (cue,) = read("talk.vtt", ROLLING)

    assert cue.text == "welcome to this short lesson on sourdough bread"
    times = {word.text: word.start for word in cue.words}
    assert (times["welcome"], times["to"], times["sourdough"]) == (0.16, 0.48, 2.639)


def test_people_who_repeat_themselves_are_left_alone(read: Any) -> None:
    lines = srt((0, 1, "No."), (1, 2, "No."), (2, 3, "Never."), (3, 5, "You see."), (5, 7, "It is so."), (7, 8, "Yes."))

    assert texts(read("talk.srt", lines))[:2] == ["No.", "No."]


def test_json3_keeps_the_times_of_words_and_no_line_breaks(read: Any) -> None:
    words = [{"utf8": "welcome"}, {"utf8": " to", "tOffsetMs": 320}, {"utf8": " bread", "tOffsetMs": 480}]
    (cue,) = read(
        "talk.json3",
        json3(
            {"tStartMs": 0, "dDurationMs": 9000, "id": 1},
            {"tStartMs": 160, "dDurationMs": 4000, "segs": words},
            {"tStartMs": 2070, "aAppend": 1, "segs": [{"utf8": "\n"}]},
            {"tStartMs": 2080, "dDurationMs": 3000, "segs": [{"utf8": "[Music]"}]},
        ),
    )

    assert cue.text == "welcome to bread"
    assert [word.start for word in cue.words] == [0.16, 0.48, 0.64]
    assert cue.end < 2.08


def test_a_publishers_json3_without_word_times_is_cut_into_sentences(read: Any) -> None:
    line = {"utf8": "Flour and water.\nThat is all"}
    cues = read(
        "talk.json3",
        json3(
            {"tStartMs": 0, "dDurationMs": 4000, "segs": [line]},
            {"tStartMs": 4000, "dDurationMs": 2000, "segs": [{"utf8": "you need."}]},
        ),
    )

    assert texts(cues) == ["Flour and water.", "That is all you need."]
    assert (cues[0].start, cues[1].end) == (0, 6)


def test_words_without_punctuation_are_parted_at_pauses(read: Any) -> None:
    said = [(index * 0.4 + (3 if index >= 8 else 0), f" word{index}") for index in range(16)]
    events = [
        {"tStartMs": start * 1000, "dDurationMs": 400, "segs": [{"utf8": text, "tOffsetMs": 0}]} for start, text in said
    ]

    cues = read("talk.json3", json3(*events))

    assert [len(cue.words) for cue in cues] == [8, 8]


def test_a_sentence_over_several_captions_is_one_cue(read: Any) -> None:
    cues = read("talk.srt", srt((1, 3, "Hello, Mr. Smith, how"), (3, 5, "are you? Fine, I"), (5, 6, "hope.")))

    assert texts(cues) == ["Hello, Mr. Smith, how are you?", "Fine, I hope."]
    assert cues[0].start == 1
    assert 3 < cues[0].end < 5
    assert cues[1].end == 6


def test_markup_entities_and_sound_marks_are_left_out(read: Any) -> None:
    cues = read(
        "talk.srt",
        srt(
            (0, 2, "{\\an8}<i>Flour &amp; water</i> &lt;mixed&gt;."),
            (2, 3, "[Music]"),
            (3, 4, "♪ ♪"),
            (4, 6, ">> (audience applauds) Thank\u00a0you."),
            (6, 8, "- Yes.\n- No."),
        ),
    )

    assert texts(cues) == ["Flour & water <mixed>.", "Thank you.", "Yes.", "No."]


def test_voices_and_classes_of_webvtt_are_left_out(read: Any) -> None:
    cues = read("talk.vtt", "WEBVTT\n\nNOTE by me\n\n1\n00:01.000 --> 00:03.000 line:0\n<v Ann><c.loud>Good</c> day.\n")

    assert texts(cues) == ["Good day."]


def test_ttml_is_read(read: Any) -> None:
    cues = read(
        "talk.ttml",
        '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="00:00:01.000" end="00:00:02.000">Hello<br/>there.</p>'
        '<p begin="3s" end="4s">Second one.</p></div></body></tt>',
    )

    assert [(cue.text, cue.start, cue.end) for cue in cues] == [("Hello there.", 1, 2), ("Second one.", 3, 4)]


def test_ass_is_read_without_its_comments(read: Any) -> None:
    cues = read(
        "talk.ass",
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name\nStyle: Default\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\b1}Bold{\\b0}\\Nwords.\n"
        "Comment: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,Not said.\n",
    )

    assert texts(cues) == ["Bold words."]


def test_times_that_overlap_or_run_backwards_are_made_sane(read: Any) -> None:
    cues = read(
        "talk.srt", srt((5, 9, "Second one."), (0, 6, "First one."), (7, 7, "Third one."), (7, 8, "Fourth one."))
    )

    assert texts(cues) == ["First one.", "Second one.", "Third one.", "Fourth one."]
    assert all(cue.start <= cue.end for cue in cues)
    assert all(before.end <= after.start for before, after in pairwise(cues))


def test_scripts_without_spaces_stay_without(read: Any) -> None:
    cues = read("talk.srt", srt((1, 3, "你好，我们今天讲面包。第一"), (3, 5, "步是面粉。")))

    assert texts(cues) == ["你好，我们今天讲面包。", "第一步是面粉。"]


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "cp1252"])
def test_files_of_old_programs_are_read(read: Any, coding: str) -> None:
    assert texts(read("talk.srt", srt((0, 1, "Café au lait.")).encode(coding))) == ["Café au lait."]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.srt", "", "in no caption format"),
        ("a.vtt", "garbage", "in no caption format"),
        ("a.srt", b"\x00\x01\x02", "binary data"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n[Music]\n", "has no words"),
        ("a.json3", '{"events": 3}', "no json3 caption file"),
        ("a.json3", "{" * 100_000, "no json3 caption file"),
        ("a.json3", '{"events": [{"segs": "x"}]}', "no json3 caption file"),
        ("a.ttml", BOMB, "cannot be read as captions"),
    ],
)
def test_what_is_no_captions_is_told_by_name(read: Any, name: str, content: str | bytes, words: str) -> None:
    with pytest.raises(BadCaptions, match=rf"{name} .*{words}|{name} {words}"):
        read(name, content)


def test_times_that_are_no_numbers_cost_their_line_alone(read: Any) -> None:
    good = {"tStartMs": 1000, "dDurationMs": 900, "segs": [{"utf8": "Good."}]}
    bad = '{"tStartMs": NaN, "dDurationMs": Infinity, "segs": [{"utf8": "Bad."}]}'
    late = {"tStartMs": 1e15, "dDurationMs": 1, "segs": [{"utf8": "Late."}]}

    cues = read("a.json3", f'{{"events": [{json.dumps(good)}, {bad}, {json.dumps(late)}]}}')

    assert texts(cues) == ["Good."]
