"""Stopped at any point, nothing goes on: the voice and FFmpeg are gone, and the next script finds a sound voice."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from rushes.errors import NeedsInput, Scope, Transient
from rushes.media.ffmpeg import find_ffmpeg
from rushes.media.voice import Voice
from tests.places import eventually

from .conftest import BREAD, Desk, made

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = "\n\n".join(
    f"## Part {n}\n\nFact number {n} says that bread of kind {n} needs time, salt and heat." for n in range(60)
)


def children() -> set[int]:
    return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))


async def reached(desk: Desk, what: str) -> None:
    while not any(what in (note or "") for _, note in desk.reports):
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("at", ["script:", "passages spoken", "drawn", "encoded"])
async def test_a_cancelled_production_leaves_no_child(desk: Desk, at: str):
    await desk.services.close()  # a voice of its own
    before = children()

    running = asyncio.create_task(desk.run(text=LONG, seconds=900))
    await reached(desk, at)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    if at in {"drawn", "encoded"}:
        await desk.services.close()  # the voice had done its work, and is kept for the next
    assert eventually(lambda: children() <= before), f"children left at {at}"
    assert not list(desk.scratch.glob("*.mp4"))


async def test_after_a_cancellation_the_next_text_is_spoken(desk: Desk):
    running = asyncio.create_task(desk.run(text=LONG, seconds=900, modalities="audio"))
    await reached(desk, "passages spoken")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    _, result = await desk.run(text=BREAD, modalities="audio")

    assert made(result)["narration"].path.stat().st_size > 10_000


async def test_texts_that_come_at_once_are_spoken_one_after_the_other(desk: Desk, tmp_path: Path):
    voice = desk.services.get(Voice)

    first, second = await asyncio.gather(
        voice.narrate(["The first text."], tmp_path / "1.wav"), voice.narrate(["The second."], tmp_path / "2.wav")
    )

    assert [one.sentences[0].text for one in (first, second)] == ["The first text.", "The second."]


async def test_an_ffmpeg_that_fails_is_tried_again_later(desk: Desk, tmp_path: Path):
    desk.settings = desk.settings.model_copy(update={"ffmpeg": failing(tmp_path / "ffmpeg", "libx264 -preset")})

    with pytest.raises(Transient, match="FFmpeg ended with 9: no film today"):
        await desk.run(text=BREAD)


async def test_a_missing_ffmpeg_pauses_the_batch_and_says_what_to_install(desk: Desk, tmp_path: Path):
    desk.settings = desk.settings.model_copy(update={"ffmpeg": tmp_path / "nowhere"})

    with pytest.raises(NeedsInput, match="RUSHES_FFMPEG") as raised:
        await desk.run(text=BREAD)

    assert raised.value.scope is Scope.ENVIRONMENT


async def test_a_missing_voice_pauses_the_batch(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    await desk.services.close()
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(NeedsInput, match="There is no narrator") as raised:
        await desk.run(text=BREAD, modalities="audio")

    assert raised.value.scope is Scope.ENVIRONMENT
    assert "rushes[offline]" in (raised.value.remedy or "")


async def test_a_full_disk_pauses_the_batch(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    def full(_self: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)

    with pytest.raises(NeedsInput) as raised:
        await desk.run(text=BREAD, modalities="text")

    assert raised.value.scope is Scope.ENVIRONMENT


def failing(path: Path, wanted: str) -> Path:
    """An FFmpeg that works but for commands with `wanted` in them."""
    real = find_ffmpeg(None).path
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *"{wanted}"*) echo "no film today" >&2; exit 9;; esac\nexec {real} "$@"\n'
    )
    path.chmod(0o755)
    assert shutil.which(str(path))
    return path
