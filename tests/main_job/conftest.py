"""The real command on real media, made once: a narrated talk, and files with a fault each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rushes.media.ffmpeg import find_ffmpeg
from rushes.media.narration import Narrator

SPEECH = """
Today we are going to talk about sourdough bread. A sourdough starter is a mixture of flour and water in which wild yeast
and bacteria live. You feed it every day with fresh flour. After a week it rises within a few hours, and then it is ready.
The bacteria make the dough sour, and the yeast makes the bubbles. Bake the loaf in a very hot oven with some steam, so
that the crust stays soft while the bread still grows.
"""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Rushes = Callable[..., Ended]


@pytest.fixture
def rushes(server_home: Path, tmp_path: Path) -> Rushes:
    """Run `rushes …` on the tests' server, in a folder of the test's own."""

    def call(*arguments: object, stdin: str = "", **variables: str) -> Ended:
        environment = {
            **os.environ, "RUSHES_HOME": str(server_home), "RUSHES_STORAGE": str(tmp_path / "artifacts"), **variables,
        }  # fmt: skip
        ended = subprocess.run(
            [sys.executable, "-m", "rushes", *map(str, arguments)],
            cwd=tmp_path, env=environment, input=stdin, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return call


@dataclass(frozen=True)
class Media:
    """Files to run on."""

    talk: Path
    silent: Path
    music: Path
    mute: Path
    truncated: Path
    text: Path


def _ffmpeg(*arguments: str) -> None:
    command = [str(find_ffmpeg(None).path), "-v", "error", "-nostdin", "-y", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The talk, spoken: `SPEECH` as a WAV file."""
    import asyncio

    path = tmp_path_factory.mktemp("speech") / "speech.wav"

    async def narrate() -> None:
        async with await Narrator.start() as voice:
            await voice.narrate([SPEECH], path)

    asyncio.run(narrate())
    return path


@pytest.fixture(scope="session")
def media(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Media:
    folder = tmp_path_factory.mktemp("media")
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=5")
    codecs = ("-shortest", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-movflags", "+faststart")
    talk = folder / "talk.mp4"
    _ffmpeg(*picture, "-i", str(speech), *codecs, str(talk))
    silent, music, mute = folder / "silent.mp4", folder / "music.wav", folder / "mute.mp4"
    _ffmpeg(*picture, "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "20", *codecs, str(silent))
    chord = "sine=f=220:d=20[a];sine=f=277:d=20[b];sine=f=330:d=20[c];[a][b][c]amix=inputs=3,tremolo=f=2"
    _ffmpeg("-filter_complex", chord, str(music))
    _ffmpeg(*picture, "-t", "5", "-c:v", "libx264", "-preset", "ultrafast", str(mute))
    truncated = folder / "truncated.mp4"
    content = talk.read_bytes()
    truncated.write_bytes(content[: len(content) * 6 // 10])
    text = folder / "text.mp4"
    text.write_text("This is no video.\n")
    return Media(talk, silent, music, mute, truncated, text)
