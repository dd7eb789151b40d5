"""Word error rate of our speech recognition: on people reading, and on talks of our own read by the narrator.

The people are LibriVox volunteers in Debian's `pocketsphinx-testdata`, fetched by `apt-get download` and unpacked
without root. `--clips DIR` adds a folder of `NAME.wav` with `NAME.txt` beside it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.quality.corpus import passages
from bench.quality.rows import Row
from rushes.media.ffmpeg import find_ffmpeg
from rushes.media.models import TINY
from rushes.media.narration import Narrator
from rushes.media.speech import Speech
from rushes.settings import Settings

MEASURE = "word error rate (lower is better)"
_PACKAGE = "pocketsphinx-testdata"
_LIBRIVOX = "usr/share/pocketsphinx/test/data/librivox"
_LINE = re.compile(r"^<s> (?P<text>.*) </s> \((?P<name>.*)\)$")
_NARRATED = 4
"""Passages of the corpus that are read aloud: about nine minutes."""


@dataclass(frozen=True, slots=True)
class Clip:
    path: Path
    text: str


class NotMeasured(Exception):
    """Why some speech could not be had."""


async def rows(own: Path | None) -> tuple[list[Row], list[str]]:
    """Return the rows, and what could not be measured and why."""
    found: list[Row] = []
    missing: list[str] = []
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        corpora: dict[str, Sequence[Clip]] = {"talks read by the narrator": await _narrated(Path(folder))}
        if own:
            corpora[f"clips in {own.name}"] = _own(own)
        try:
            corpora["people reading (LibriVox)"] = _librivox(Path(folder))
        except NotMeasured as reason:
            missing.append(f"no people reading: {reason}")
        speech = Speech(Settings.load())
        try:
            for name, clips in corpora.items():
                found.append(await _row(speech, name, clips))
        finally:
            await speech.close()
    return found, missing


async def _row(speech: Speech, corpus: str, clips: Sequence[Clip]) -> Row:
    """All clips of a corpus are one text: a clip of five words would weigh as much as one of five hundred."""
    from jiwer import wer
    from whisper_normalizer.english import EnglishTextNormalizer

    normal = EnglishTextNormalizer()
    heard = [(await speech.transcribe(clip.path, model=TINY)).text for clip in clips]
    rate = wer([normal(clip.text) for clip in clips], [normal(text) for text in heard])
    return Row(MEASURE, f"rushes, {TINY}", corpus, 100 * rate, len(clips), "%")


async def _narrated(folder: Path) -> list[Clip]:
    everything = passages()
    chosen = everything[:: len(everything) // _NARRATED][:_NARRATED]
    clips = [Clip(folder / f"{number}.wav", passage.text) for number, passage in enumerate(chosen)]
    async with await Narrator.start() as narrator:
        for clip in clips:
            await narrator.narrate([clip.text], clip.path)
    return clips


def _own(folder: Path) -> list[Clip]:
    texts = sorted(folder.glob("*.txt"))
    return [Clip(text.with_suffix(".wav"), text.read_text(encoding="utf-8")) for text in texts]


def _librivox(folder: Path) -> list[Clip]:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise NotMeasured(f"{_PACKAGE} comes by apt-get, which this machine has not")
    command = ["apt-get", "download", _PACKAGE]
    fetched = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    packages = list(folder.glob("*.deb"))
    if not packages:
        raise NotMeasured(f"`{' '.join(command)}` ended with {fetched.returncode}: {fetched.stderr.strip()}")
    subprocess.run(["dpkg", "-x", packages[0], folder], check=True)
    where = folder / _LIBRIVOX
    lines = [
        line for line in map(_LINE.match, (where / "transcription").read_text(encoding="utf-8").splitlines()) if line
    ]
    return [
        _reading([where / f"{line['name']}.wav" for line in lines], " ".join(line["text"] for line in lines), folder)
    ]


def _reading(clips: Sequence[Path], text: str, folder: Path) -> Clip:
    """Sentences of one chapter, a recording each, read on: as a recogniser meets them."""
    path = folder / "reading.wav"
    inputs = [argument for clip in clips for argument in ("-i", clip)]
    joining = ("-filter_complex", f"concat=n={len(clips)}:v=0:a=1")
    subprocess.run([find_ffmpeg(None).path, "-v", "error", "-nostdin", *inputs, *joining, path], check=True)
    return Clip(path, text)
