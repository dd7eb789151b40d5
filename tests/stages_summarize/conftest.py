"""A context that gives the stage what earlier stages would have made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rushes.documents import Document, Transcript, VideoDocument
from rushes.model import Job, JobId, JobStatus, Source, Trust, VideoKey
from rushes.settings import Settings
from rushes.stages.base import InputFile, S
from rushes.stages.registry import parse_options
from rushes.stages.summarize import SUMMARIZE
from tests.text.fake_models import FakeModels, serving


@dataclass
class Bench:
    """What a worker gives to a running stage."""

    scratch: Path
    settings: Settings
    options: Any
    files: dict[str, InputFile]
    source: Source = field(
        default_factory=lambda: Source(VideoKey("youtube:dQw4w9WgXcQ"), "https://youtu.be/dQw4w9WgXcQ")
    )
    title: str | None = "A talk"
    trust: Trust = Trust.LOCAL
    wanted: frozenset[str] = frozenset()
    name: str = "one job"
    reference: str | None = None
    reports: list[tuple[float | None, str | None]] = field(default_factory=list)

    @property
    def chosen_by(self) -> Trust:
        return self.trust

    def inputs(self, kind: str) -> Sequence[InputFile]:
        return [self.files[kind]] if kind in self.files else []

    async def progress(self, fraction: float | None, note: str | None = None) -> None:
        self.reports.append((fraction, note))

    def service(self, make: Callable[[Settings], S]) -> S:
        return make(self.settings)


@pytest.fixture
def models() -> Iterator[FakeModels]:
    with serving() as server:
        yield server


@pytest.fixture
def given(tmp_path: Path) -> Callable[..., Bench]:
    """Make a context from documents, settings and options as a plan would hold them."""

    def make(
        transcript: Transcript | None,
        video: VideoDocument | None = None,
        *,
        settings: dict[str, Any] | None = None,
        trust: Trust = Trust.LOCAL,
        **options: Any,
    ) -> Bench:
        loaded = Settings.load(home=tmp_path / "home", **(settings or {}))
        files = {}
        for kind, document in (("transcript", transcript), ("metadata", video)):
            if document:
                files[kind] = _file(tmp_path / f"{kind}.json", kind, document)
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        checked = parse_options(SUMMARIZE, {**SUMMARIZE.defaults(loaded), **options})
        return Bench(scratch, loaded, checked, files, trust=trust)

    return make


def _file(path: Path, kind: str, document: Document) -> InputFile:
    document.write(path)
    return InputFile(kind, path, "0" * 64, {})


def job(attempts: int = 1) -> Job:
    return Job(
        id=JobId(1),
        kind="summarize",
        status=JobStatus.PROCESSING,
        priority=5,
        attempts=attempts,
        max_attempts=3,
        payload={},
        created_at=datetime.now(UTC),
    )
