"""A transcript as captions that a player shows well, and as text."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from rushes.documents import Cue, Transcript, Word
from rushes.media.captions import read_captions, shown_cues, to_srt, to_txt, to_vtt
from rushes.media.ffmpeg import run_ffmpeg


def transcript(*cues: Cue) -> Transcript:
    return Transcript(source="speech", engine="test", speech="some", cues=cues)


LONG = Cue(text="A long sentence goes on and on " * 8 + "until it ends.", start=3700, end=3730)
SHORT = Cue(text="Is a < b & c?", start=0.5, end=2.25)


def test_webvtt_has_its_times_and_escapes() -> None:
    assert to_vtt(transcript(SHORT)) == "WEBVTT\n\n00:00:00.500 --> 00:00:02.250\nIs a &lt; b &amp; c?\n"


def test_subrip_is_numbered() -> None:
    second = Cue(text="Yes.", start=3661.001, end=3662)

    assert to_srt(transcript(SHORT, second)) == (
        "1\n00:00:00,500 --> 00:00:02,250\nIs a < b & c?\n\n2\n01:01:01,001 --> 01:01:02,000\nYes.\n"
    )


@pytest.mark.parametrize("write", [to_vtt, to_srt])
async def test_what_is_written_is_what_ffmpeg_reads(ffmpeg: Path, tmp_path: Path, write: object) -> None:
    ending = "vtt" if write is to_vtt else "srt"
    path = tmp_path / f"written.{ending}"
    path.write_text((to_vtt if write is to_vtt else to_srt)(transcript(SHORT, LONG)), encoding="utf-8")

    await run_ffmpeg(ffmpeg, ["-f", "webvtt" if ending == "vtt" else "srt", "-i", str(path)], tmp_path / "read.ass")

    shown = read_captions(tmp_path / "read.ass")
    assert "".join(cue.text for cue in shown).replace(" ", "").startswith("Isa")
    assert shown[-1].end == pytest.approx(3730, abs=0.02)


def test_a_long_sentence_is_cut_for_a_screen() -> None:
    shown = list(shown_cues(transcript(LONG)))

    assert " ".join(cue.text for cue in shown) == LONG.text
    assert all(cue.end - cue.start <= 7.5 for cue in shown)
    assert all(len(line) <= 46 for cue in to_srt(transcript(LONG)).split("\n\n") for line in cue.splitlines()[2:])
    assert all(len(cue.splitlines()) <= 4 for cue in to_srt(transcript(LONG)).split("\n\n"))
    assert all(before.end <= after.start for before, after in pairwise(shown))


def test_word_times_say_where_a_screen_ends() -> None:
    words = tuple(Word(text=f"word{index}", start=index * 1.0, end=index + 0.5) for index in range(14))
    cue = Cue(text=" ".join(word.text for word in words), start=0, end=13.5, words=words)

    first, second = shown_cues(transcript(cue))

    assert (first.end, second.start) == (7.5, 8)


def test_an_arrow_in_the_text_does_not_break_the_file(tmp_path: Path) -> None:
    arrow = Cue(text="From here --> to there, and from there on to the end of the road.", start=0, end=3)
    path = tmp_path / "arrow.srt"
    path.write_text(to_srt(transcript(arrow, Cue(text="Next.", start=4, end=5))), encoding="utf-8")

    assert [cue.start for cue in read_captions(path)] == [0, 4]


def test_text_has_paragraphs_at_pauses() -> None:
    cues = [Cue(text="One.", start=0, end=1), Cue(text="Two.", start=1.2, end=2), Cue(text="Three.", start=6, end=7)]

    assert to_txt(transcript(*cues)) == "One. Two.\n\nThree.\n"


def test_silence_is_an_empty_file_of_its_kind() -> None:
    silent = Transcript(source="speech", engine="test", speech="none", cues=())

    assert (to_vtt(silent), to_srt(silent), to_txt(silent)) == ("WEBVTT\n", "", "")
