"""Real media for the tests: made by FFmpeg, narrated on this machine, or read by people and kept by Debian."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rushes.media.ffmpeg import find_ffmpeg

DEBIAN_PACKAGE = "pocketsphinx-testdata"
LIBRIVOX = "usr/share/pocketsphinx/test/data/librivox"


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    return find_ffmpeg(None).path


Make = Callable[..., Path]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Path) -> Make:
    """`make("a.mp4", *arguments)` has FFmpeg make a file once."""
    folder = tmp_path_factory.mktemp("made")

    def run(name: str, *arguments: str | Path) -> Path:
        path = folder / name
        if not path.exists():
            subprocess.run([ffmpeg, "-v", "error", "-nostdin", *arguments, path], check=True)
        return path

    return run


@pytest.fixture(scope="session")
def talk_video(make: Make) -> Path:
    """Twelve seconds of picture and sound, its index in front, with a title and two chapters."""
    chapters = make("chapters.txt", "-f", "lavfi", "-i", "anullsrc", "-t", "0.1", "-f", "ffmetadata")
    marks = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={start + 6000}\ntitle={title}\n"
        for start, title in ((0, "Flour"), (6000, "Water"))
    )
    chapters.write_text(f";FFMETADATA1\ntitle=Bread at home\n{marks}", encoding="utf-8")
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=12")
    sound = ("-f", "lavfi", "-i", "sine=f=440:d=12:r=16000")
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-c:a", "aac", "-movflags", "+faststart")
    return make("talk.mp4", *picture, *sound, "-i", chapters, "-map_metadata", "2", *coding)


@pytest.fixture(scope="session")
def narrate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`narrate(text)` has a voice read it, once."""
    from hibari import Hibari

    folder = tmp_path_factory.mktemp("narrated")
    voice = Hibari(threads=2)

    def read(text: str) -> Path:
        path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.wav"
        if not path.exists():
            voice.save(text, str(path))
        return path

    return read


@pytest.fixture(scope="session")
def librivox(request: pytest.FixtureRequest) -> Path:
    """Sentences of a novel read by a volunteer, and their words. Public domain, out of a Debian package."""
    cache = request.config.cache
    assert cache is not None
    folder = cache.mkdir(DEBIAN_PACKAGE)
    if not (folder / LIBRIVOX).is_dir():
        _fetch_debian_package(folder)
    return folder / LIBRIVOX


def _fetch_debian_package(folder: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        _cannot_have_speech("this machine has no apt-get and dpkg")
    fetched = subprocess.run(
        ["apt-get", "download", DEBIAN_PACKAGE], cwd=folder, capture_output=True, text=True, check=False
    )
    packages = list(folder.glob("*.deb"))
    if not packages:
        _cannot_have_speech(f"`apt-get download` ended with {fetched.returncode}: {fetched.stderr.strip()}")
    subprocess.run(["dpkg", "-x", packages[0], folder], check=True)


def _cannot_have_speech(reason: str) -> None:
    message = f"NO HUMAN SPEECH TO TEST WITH: {DEBIAN_PACKAGE} could not be fetched: {reason}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
