"""A context to run the stage in, and a sentence that a voice reads."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rushes.documents import Transcript, VideoDocument
from rushes.media.ffmpeg import find_ffmpeg
from rushes.media.speech import Speech
from rushes.model import Job, JobId, JobStatus, Source, Trust, VideoKey
from rushes.settings import Settings
from rushes.stages.base import InputFile, Options, Result
from rushes.stages.transcribe import TRANSCRIBE, TranscribeOptions

SPOKEN = "Flour and water are mixed in a bowl. Then you wait for half an hour."
KEY = VideoKey("url:1")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`made("a.wav", *arguments)` has FFmpeg make a file once."""
    folder = tmp_path_factory.mktemp("made")
    ffmpeg = find_ffmpeg(None).path

    def run(name: str, *arguments: str | Path) -> Path:
        path = folder / name
        if not path.exists():
            subprocess.run([ffmpeg, "-v", "error", "-nostdin", *arguments, path], check=True)
        return path

    return run


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`SPOKEN`, read by a voice."""
    from hibari import Hibari

    path = tmp_path_factory.mktemp("spoken") / "talk.wav"
    Hibari(threads=2).save(SPOKEN, str(path))
    return path


@dataclass
class Desk:
    """A context for one run, which a test may look into."""

    scratch: Path
    settings: Settings
    speech: Speech
    options: Any = field(default_factory=TranscribeOptions)
    files: dict[str, list[InputFile]] = field(default_factory=dict)
    reports: list[tuple[float | None, str | None]] = field(default_factory=list)
    source: Source = field(default_factory=lambda: Source(KEY, "https://example.org/talk"))
    title: str | None = None
    trust: Trust = Trust.LOCAL
    wanted: frozenset[str] = frozenset()
    name: str = "one job"
    reference: str | None = None

    @property
    def chosen_by(self) -> Trust:
        return self.trust

    def inputs(self, kind: str) -> Sequence[InputFile]:
        return self.files.get(kind, ())

    async def progress(self, fraction: float | None, note: str | None = None) -> None:
        self.reports.append((fraction, note))

    def service(self, make: Callable[[Settings], Any]) -> Any:
        assert make is Speech
        return self.speech

    def give(self, kind: str, path: Path, metadata: Mapping[str, Any] | None = None) -> None:
        self.files.setdefault(kind, []).append(InputFile(kind, path, "0" * 64, metadata or {}))

    def media(self, path: Path, *, has_audio: bool = True) -> None:
        self.give("media", path, {"has_audio": has_audio})

    def captions(self, text: str, *, language: str = "en", automatic: bool = False, form: str = "srt") -> None:
        path = self.scratch / f"captions.{len(self.inputs('captions'))}.{form}"
        path.write_text(text, encoding="utf-8")
        self.give("captions", path, {"language": language, "automatic": automatic, "format": form})

    def video(self, **known: Any) -> None:
        document = VideoDocument(**{"key": KEY, "title": "Bread at home", **known})
        document.write(self.scratch / "video.json")
        self.give("metadata", self.scratch / "video.json")

    async def run(self, **options: Any) -> tuple[Transcript, Result]:
        self.options = TranscribeOptions(**options)
        assert isinstance(self.options, Options)
        result = await TRANSCRIBE.run(JOB, self)
        (made,) = result.made
        assert (made.kind, made.path.name) == ("transcript", "transcript.json")
        return Transcript.read(made.path), result


JOB = Job(JobId(1), "transcribe", JobStatus.PROCESSING, 5, 1, 3, {}, datetime.now(UTC))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listener(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Speech]:
    """One child with its model for all tests of a module."""
    service = Speech(Settings.load(home=tmp_path_factory.mktemp("home")))
    yield service
    await service.close()


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path: Path, listener: Speech) -> Desk:
    return Desk(tmp_path, Settings.load(home=tmp_path), listener)
