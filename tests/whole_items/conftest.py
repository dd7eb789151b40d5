"""A source of whole items that lies in memory, and a worker at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from rushes.model import Job, Lease, Outcome, Plan, Source, Step, Trust, Verdict, VideoKey
from rushes.settings import Settings
from rushes.sources.base import Assignment, Beat, Standing
from rushes.sources.whole_items import SLOT, MadeInStorage, Numbering, WholeItem
from rushes.stages import registry
from rushes.stages.base import Context, Made, Result, Run, Stage
from rushes.storage import Manifests
from rushes.worker import Worker


class MemorySource(MadeInStorage):
    """Hands out what it was given, once, and remembers outcomes and beats."""

    name = "memory"

    def __init__(self, items: Sequence[WholeItem], artifacts: Path, *, numbering: Numbering | None = None) -> None:
        super().__init__(Manifests(artifacts))
        numbering = numbering or Numbering(Trust.UNTRUSTED)
        self._waiting = [numbering.assignment(item) for item in items]
        self.outcomes: list[Outcome] = []
        self.beats: list[Beat] = []
        self.verdict = Verdict.GO_ON

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None: ...

    async def claim(self, slots: Mapping[str, int]) -> Sequence[Assignment]:
        free = slots.get(SLOT, 0)
        taken, self._waiting = self._waiting[:free], self._waiting[free:]
        return taken

    async def end_claims(self) -> None: ...

    async def extend(self, beats: Sequence[Beat]) -> Sequence[Verdict]:
        self.beats += beats
        return [self.verdict] * len(beats)

    async def settle(self, outcomes: Sequence[Outcome]) -> Sequence[Lease]:
        self.outcomes += outcomes
        return ()

    async def tick(self) -> None: ...

    async def wait(self, timeout: float) -> None:
        await asyncio.sleep(timeout)

    async def standing(self) -> Standing:
        return Standing.WORK_LEFT if self._waiting else Standing.ENDED

    def is_outage(self, _error: Exception) -> bool:
        return False


@pytest.fixture
def quiet(tmp_path: Path) -> Settings:
    """Settings of a worker that has no database."""
    return Settings.load(home=tmp_path / "home", storage=str(tmp_path / "artifacts"))


@pytest.fixture
def stage() -> Iterator[Callable[..., Stage]]:
    """Register a stage for one test: `stage("name", run, **declared)`."""
    before = dict(registry._decorated)

    def make(name: str, run: Any, **declared: Any) -> Stage:
        return registry.register(Stage(name=name, run=run, **declared))

    yield make
    registry._decorated.clear()
    registry._decorated.update(before)


def item(*stages: str, key: str = "url:1", timeout: timedelta | None = None, **facts: Any) -> WholeItem:
    plan = Plan("test", tuple(Step(name, retries=registry.get(name).retries) for name in stages))
    source = Source(VideoKey(key), f"https://example.org/{key}")
    return WholeItem(folder=f"memory/{key}", plan=plan, source=source, timeout=timeout, **facts)


@pytest.fixture
def work(quiet: Settings) -> Callable[..., Any]:
    """Run a worker at these items until they have ended. Returns the source and the report."""

    async def run(*items: WholeItem, slots: int = 4) -> tuple[MemorySource, Any]:
        source = MemorySource(items, quiet.artifacts)
        worker = Worker(quiet, source, slots={SLOT: slots})
        return source, await worker.run()

    return run


def writes(kind: str, text: str) -> Run:
    """A stage that makes one small file."""

    async def run(_job: Job, context: Context) -> Result:
        path = context.scratch / f"{kind}.txt"
        path.write_text(text)
        return Result(made=[Made(kind, path, "text/plain")], notes=[f"made {kind}"])

    return run
