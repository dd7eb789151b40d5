"""What a file says of itself, and whether it is there to its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from rushes.media.faults import Incomplete, MediaFault, NotMedia, TooSlow
from rushes.media.probe import check_decodable, probe


async def test_a_video_tells_its_streams_title_and_chapters(talk_video: Path) -> None:
    found = await probe(talk_video)

    assert found.duration == pytest.approx(12, abs=0.1)
    assert (found.has_audio, found.has_picture) == (True, True)
    assert found.title == "Bread at home"
    assert [(mark.title, mark.start, mark.end) for mark in found.chapters] == [("Flour", 0, 6), ("Water", 6, 12)]
    picture = next(stream for stream in found.streams if stream.kind == "video")
    assert (picture.codec, picture.width, picture.height, picture.fps) == ("h264", 320, 180, 10)


async def test_a_video_without_sound_says_so(talk_video: Path, make: Callable[..., Path]) -> None:
    found = await check_decodable(make("mute.mp4", "-i", talk_video, "-an", "-c", "copy"))

    assert (found.has_audio, found.has_picture) == (False, True)


async def test_a_cover_is_no_picture(talk_video: Path, make: Callable[..., Path]) -> None:
    cover = make("cover.jpg", "-i", talk_video, "-frames:v", "1")
    song = make("song.mp3", "-i", talk_video, "-i", cover, "-map", "0:a", "-map", "1:v", "-c:v", "copy")

    assert not (await probe(song)).has_picture


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm", "ts", "mov", "avi", "mp3", "m4a", "ogg", "flac", "wav"])
async def test_a_whole_file_of_any_format_is_whole(talk_video: Path, make: Callable[..., Path], ending: str) -> None:
    coding = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8") if ending == "webm" else ()

    found = await check_decodable(make(f"whole.{ending}", "-i", talk_video, *coding), expected=12)

    assert found.duration == pytest.approx(12, abs=0.3)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
async def test_a_truncated_video_is_told_with_both_its_lengths(
    talk_video: Path, make: Callable[..., Path], tmp_path: Path, ending: str
) -> None:
    whole = make(f"truncate.{ending}", "-i", talk_video, "-c", "copy", "-movflags", "+faststart").read_bytes()
    half = tmp_path / f"half.{ending}"
    half.write_bytes(whole[: len(whole) // 2])

    assert (await probe(half)).duration == pytest.approx(12, abs=0.1)  # its head says so: only reading on tells
    with pytest.raises(Incomplete, match=r"is cut short: it states 0:00:12\.\d, and can be read up to 0:00:0\d\.\d"):
        await check_decodable(half)


async def test_a_video_that_lost_its_index_is_told_as_truncated(
    talk_video: Path, make: Callable[..., Path], tmp_path: Path
) -> None:
    whole = make("late-index.mp4", "-i", talk_video, "-c", "copy").read_bytes()
    head = tmp_path / "head.mp4"
    head.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(Incomplete, match="truncated MP4 file: its index is missing"):
        await check_decodable(head)


async def test_what_the_publisher_states_counts_where_the_file_states_nothing(
    talk_video: Path, make: Callable[..., Path]
) -> None:
    short = make("short.mp3", "-i", talk_video, "-t", "5")

    assert await check_decodable(short)
    with pytest.raises(Incomplete, match=r"states 0:00:12\.0"):
        await check_decodable(short, expected=12)


async def test_sound_that_is_mostly_noise_in_the_file_is_damaged(
    talk_video: Path, make: Callable[..., Path], tmp_path: Path
) -> None:
    data = bytearray(make("damage.flac", "-i", talk_video).read_bytes())
    for offset in range(9000, len(data), 400):
        data[offset : offset + 60] = os.urandom(60)
    damaged = tmp_path / "damaged.flac"
    damaged.write_bytes(data)

    with pytest.raises(Incomplete):
        await check_decodable(damaged)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"Dear reader, this is a text.\n", "is a text file"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "is a web page"),
        (b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n", "is a text file"),
        (b"\x00\x01\x02garbage" * 400, "no audio or video that can be read"),
    ],
)
async def test_what_is_no_media_is_told_by_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "talk.mp4"
    path.write_bytes(content)

    with pytest.raises(NotMedia, match=words):
        await check_decodable(path)


async def test_a_still_picture_is_media_without_length(make: Callable[..., Path], talk_video: Path) -> None:
    found = await probe(make("still.png", "-i", talk_video, "-frames:v", "1"))

    assert not found.has_audio


async def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MediaFault, match=r"gone\.mp4 does not exist"):
        await probe(tmp_path / "gone.mp4")


async def test_a_file_that_never_answers_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)

    with pytest.raises(TooSlow, match=r"the check of pipe\.mp4 did not end"):
        await probe(path, within=timedelta(seconds=2))
