"""Sound is decoded as it is needed, keeps its times, and is cut where nobody speaks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.media.audio import BLOCK, LONGEST, RATE, Block, _joined, _widened, open_sound
from rushes.media.faults import NoSound, NotMedia

Make = Callable[..., Path]


def blocks_of(path: Path) -> list[Block]:
    return list(open_sound(path).blocks)


def whole(blocks: list[Block]) -> np.ndarray:
    """The blocks put together: where two overlap, they hold the same."""
    end = max(block.start + block.samples.size / RATE for block in blocks)
    samples = np.zeros(round(end * RATE), dtype=np.float32)
    for block in blocks:
        at = round(block.start * RATE)
        samples[at : at + block.samples.size] = block.samples
    return samples


def test_a_long_file_comes_in_blocks_that_cover_it(make: Make) -> None:
    path = make("long-tone.wav", "-f", "lavfi", "-i", "sine=f=300:r=16000:d=400")

    blocks = blocks_of(path)

    assert max(block.samples.size for block in blocks) < (BLOCK + 35) * RATE
    assert all(after.start <= before.start + before.samples.size / RATE for before, after in pairwise(blocks))
    assert whole(blocks).size == 400 * RATE
    assert np.abs(whole(blocks)).max() > 0.1


def test_sound_that_begins_late_keeps_its_times(make: Make) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=5:d=8")
    late = make("late.mkv", *picture, "-itsoffset", "3", "-f", "lavfi", "-i", "sine=f=440:d=5", "-c:a", "flac")

    samples = whole(blocks_of(late))

    assert np.abs(samples[: int(2.9 * RATE)]).max() == 0
    assert np.abs(samples[int(3.1 * RATE) :]).max() > 0.05


def test_a_hole_in_the_stream_becomes_silence(make: Make) -> None:
    gap = "aselect='not(between(t,2,5))'"
    holed = make("hole.mkv", "-f", "lavfi", "-i", "sine=f=440:d=8", "-af", gap, "-c:a", "flac")

    samples = whole(blocks_of(holed))

    assert samples.size / RATE == pytest.approx(8, abs=0.2)
    assert np.abs(samples[int(2.3 * RATE) : int(4.7 * RATE)]).max() == 0
    assert np.abs(samples[int(5.3 * RATE) :]).max() > 0.05


@pytest.mark.parametrize("sound", ["sine=f=440:d=20", "anoisesrc=c=white:a=0.2:d=20", "anullsrc,atrim=duration=20"])
def test_there_is_no_speech_where_nobody_speaks(make: Make, sound: str) -> None:
    name = sound.partition("=")[0].partition(",")[0]

    assert [block.windows for block in blocks_of(make(f"{name}.wav", "-f", "lavfi", "-i", sound))] == [()]


def test_speech_is_found_where_it_is(make: Make, narrate: Callable[[str], Path]) -> None:
    talk = narrate("Flour and water are mixed in a bowl.")
    late = make("after-ten.wav", "-i", talk, "-af", "adelay=10000:all=1,apad=pad_dur=10")

    ((start, end),) = blocks_of(late)[0].windows

    assert 9.5 < start < 10.5
    assert 11.5 < end < 14


def test_a_video_without_sound_and_a_text_are_told(make: Make, talk_video: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("words", encoding="utf-8")

    with pytest.raises(NoSound, match=r"silent\.mp4 has no sound"):
        open_sound(make("silent.mp4", "-i", talk_video, "-an", "-c", "copy"))
    with pytest.raises(NotMedia, match=r"text\.mp4 is no audio or video"):
        open_sound(text)


PARTS = st.lists(st.tuples(st.floats(0.05, 6), st.floats(0.1, 28)), max_size=40)


@given(PARTS)
def test_windows_hold_all_speech_and_none_is_too_long(parts: list[tuple[float, float]]) -> None:
    spans, at = [], 0.0
    for pause, length in parts:
        spans.append((at + pause, at + pause + length))
        at = spans[-1][1]

    windows = list(_widened(list(_joined(spans)), at + 1))

    assert all(end - start <= LONGEST + 1e-6 for start, end in windows)
    assert all(before[1] <= after[0] + 1e-6 for before, after in pairwise(windows))
    assert all(any(start <= span[0] and span[1] <= end for start, end in windows) for span in spans)
