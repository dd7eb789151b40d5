"""A context to run the stage in, texts to make scripts of, and one voice and one listener for all tests of a file."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jiwer
import pytest
import pytest_asyncio
from bench.quality import corpus
from whisper_normalizer.english import EnglishTextNormalizer

from rushes.documents import Production, Script, Summary
from rushes.media.models import TINY
from rushes.media.speech import Speech
from rushes.model import Job, JobId, JobStatus, Source, Trust, VideoKey
from rushes.settings import Settings
from rushes.stages.base import InputFile, Made, Result, S
from rushes.stages.generate import GENERATE
from rushes.stages.registry import parse_options
from rushes.worker.services import Services
from tests.main_job.conftest import rushes  # noqa: F401  (a fixture)
from tests.text.fake_models import FakeModels, serving

BREAD = """\
# Why sourdough rises

A sourdough starter is a mixture of flour and water in which wild yeast and bacteria live.

## The starter

You feed it every day with fresh flour. After a week it rises within a few hours, and then it is ready. The bacteria make
the dough sour, and the yeast makes the bubbles.

## The oven

Bake the loaf in a very hot oven with some steam. The crust stays soft while the bread still grows. When the bottom sounds
hollow, the bread is done.
"""


@dataclass
class Desk:
    """What a worker gives to a running stage, for a test to look into."""

    scratch: Path
    settings: Settings
    services: Services
    options: Any = None
    source: Source = field(default_factory=lambda: Source(VideoKey("job:1"), "nowhere"))
    title: str | None = None
    trust: Trust = Trust.LOCAL
    wanted: frozenset[str] = frozenset()
    name: str = "one job"
    reference: str | None = None
    files: dict[str, list[InputFile]] = field(default_factory=dict)
    reports: list[tuple[float | None, str | None]] = field(default_factory=list)

    @property
    def chosen_by(self) -> Trust:
        return self.trust

    def inputs(self, kind: str) -> Sequence[InputFile]:
        return self.files.get(kind, ())

    async def progress(self, fraction: float | None, note: str | None = None) -> None:
        self.reports.append((fraction, note))

    def service(self, make: Callable[[Settings], S]) -> S:
        return self.services.get(make)

    def summarized(self, summary: Summary) -> None:
        path = self.scratch / "summary.json"
        summary.write(path)
        self.files["summary"] = [InputFile("summary", path, "0" * 64, {})]

    def file(self, name: str, content: bytes) -> Path:
        """Have the item be a file of this machine."""
        path = self.scratch / name
        path.write_bytes(content)
        self.source = Source(VideoKey(f"file:{hashlib.sha256(content).hexdigest()}"), str(path))
        return path

    async def run(
        self, *, payload: Mapping[str, Any] | None = None, attempts: int = 1, **options: Any
    ) -> tuple[Script, Result]:
        """Run the stage once. `options` are as a plan would hold them."""
        self.options = parse_options(GENERATE, {**GENERATE.defaults(self.settings), **options})
        result = await GENERATE.run(job(payload, attempts), self)
        return Script.read(made(result)["script"].path), result


def job(payload: Mapping[str, Any] | None = None, attempts: int = 1) -> Job:
    return Job(JobId(1), "generate", JobStatus.PROCESSING, 5, attempts, 3, payload or {}, datetime.now(UTC))


def made(result: Result) -> dict[str, Made]:
    return {one.kind: one for one in result.made}


def production(result: Result) -> Production:
    return Production.read(made(result)["production"].path)


def word_error_rate(said: str, heard: str) -> float:
    normal = EnglishTextNormalizer()
    return float(jiwer.wer(normal(said), normal(heard)))


@pytest.fixture(scope="session")
def lecture() -> str:
    """Six hundred words on databases, as somebody would speak them."""
    return "\n\n".join(passage.text for passage in corpus.passages()[:2])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """What a worker keeps: the voice is started once for all tests of a file."""
    kept = Services(Settings.load(home=tmp_path_factory.mktemp("home")))
    yield kept
    await kept.close()


@pytest.fixture
def desk(tmp_path: Path, services: Services) -> Desk:
    return Desk(tmp_path, Settings.load(home=tmp_path / "home"), services)


@pytest.fixture
def listen(services: Services) -> Callable[[Path], Any]:
    """What our own speech recognition hears in a file."""

    async def heard(path: Path) -> str:
        return (await services.get(Speech).transcribe(path, model=TINY)).text

    return heard


@pytest.fixture
def models() -> Iterator[FakeModels]:
    with serving() as server:
        yield server
