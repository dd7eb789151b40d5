"""FFmpeg is found, tried, run to its end, and killed for sure."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from rushes.media.containers import input_arguments
from rushes.media.faults import EngineFault, EngineMissing, TooSlow
from rushes.media.ffmpeg import find_ffmpeg, run_ffmpeg
from rushes.media.probe import probe

ENDLESS = ["-re", "-f", "lavfi", "-i", "sine=f=440"]


def running(output: Path) -> bool:
    """Whether a process has that file's name on its command line."""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(output).encode() in line.read_bytes():
                return True
    return False


def fake_ffmpeg(folder: Path, version: str) -> Path:
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\necho 'ffmpeg version {version} Copyright'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_one_that_is_found_can_encode_and_burn_captions(ffmpeg: Path) -> None:
    assert ffmpeg.is_file()
    assert find_ffmpeg(None).version


def test_a_setting_that_is_no_ffmpeg_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"RUSHES_FFMPEG: .*/nothing does not run"):
        find_ffmpeg(tmp_path / "nothing")


def test_a_setting_that_is_too_old_is_refused_with_its_version(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"is version 4\.4\.2; 5 or later"):
        find_ffmpeg(fake_ffmpeg(tmp_path, "4.4.2"))


def test_a_setting_without_the_encoders_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match="lacks aac, libx264, loudnorm, subtitles"):
        find_ffmpeg(fake_ffmpeg(tmp_path, "7.1"))


def test_an_unfit_one_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(tmp_path, "4.4.2")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    find_ffmpeg.cache_clear()
    try:
        assert find_ffmpeg(None).origin == "package"
    finally:
        find_ffmpeg.cache_clear()


async def test_a_run_makes_a_whole_file_and_tells_its_seconds(ffmpeg: Path, tmp_path: Path) -> None:
    told: list[float] = []
    output = tmp_path / "tone: it's, a [test].wav"

    await run_ffmpeg(ffmpeg, ["-f", "lavfi", "-i", "sine=d=3"], output, progress=told.append)

    assert (await probe(output)).duration == pytest.approx(3, abs=0.05)
    assert told[-1] == pytest.approx(3, abs=0.05)
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


async def test_a_failure_gives_its_last_words_and_leaves_nothing(ffmpeg: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("this is a text", encoding="utf-8")

    with pytest.raises(EngineFault, match=r"FFmpeg ended with \d+: .*Invalid data"):
        await run_ffmpeg(ffmpeg, input_arguments(text), tmp_path / "out.wav")

    assert [path.name for path in tmp_path.iterdir()] == ["text.mp4"]


async def test_a_failure_leaves_the_output_of_an_earlier_run(ffmpeg: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.wav"
    output.write_bytes(b"earlier")

    with pytest.raises(EngineFault):
        await run_ffmpeg(ffmpeg, input_arguments(tmp_path / "absent.mp4"), output)

    assert output.read_bytes() == b"earlier"


async def test_a_cancelled_run_is_killed_and_leaves_nothing(ffmpeg: Path, tmp_path: Path) -> None:
    working = asyncio.Event()
    run = asyncio.create_task(
        run_ffmpeg(ffmpeg, ENDLESS, tmp_path / "out.wav", progress=lambda _seconds: working.set())
    )
    await working.wait()
    assert running(tmp_path / "out.part.wav")

    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    assert not running(tmp_path / "out.part.wav")
    assert not list(tmp_path.iterdir())


async def test_a_run_that_takes_too_long_is_stopped(ffmpeg: Path, tmp_path: Path) -> None:
    with pytest.raises(TooSlow, match="did not end within 0 s"):
        await run_ffmpeg(ffmpeg, ENDLESS, tmp_path / "out.wav", within=timedelta(milliseconds=200))


async def test_without_an_output_the_log_is_what_is_wanted(ffmpeg: Path, talk_video: Path) -> None:
    measuring = [*input_arguments(talk_video), "-af", "loudnorm=print_format=json"]

    log = await run_ffmpeg(ffmpeg, measuring, loglevel="info")

    assert '"input_i"' in log


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{secret}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{secret}'\n",
    ],
)
async def test_a_playlist_in_disguise_opens_no_other_file(
    ffmpeg: Path, tmp_path: Path, talk_video: Path, content: str
) -> None:
    disguised = tmp_path / "talk.mp4"
    disguised.write_text(content.format(secret=talk_video), encoding="utf-8")

    with pytest.raises(EngineFault):
        await run_ffmpeg(ffmpeg, [*input_arguments(disguised), "-c", "copy"], tmp_path / "out.mp4")
