"""What a running stage is given: the one implementation of `rushes.stages.base.Context`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rushes.errors import Permanent
from rushes.model import Source, Trust, light
from rushes.settings import Settings
from rushes.sources.base import Assignment
from rushes.stages.base import InputFile, Options, Service
from rushes.storage import LocalStorage
from rushes.worker.scratch import Scratch
from rushes.worker.services import Services

S = TypeVar("S", bound=Service)


@dataclass(slots=True)
class Progress:
    """How far a job is, as its worker's heartbeat will store it."""

    fraction: float | None = None
    note: str | None = None

    def report(self, fraction: float | None, note: str | None) -> None:
        """Take down how far it is; without a note the last one stands."""
        self.fraction = None if fraction is None else min(1.0, max(0.0, fraction))
        self.note = note if note is not None else self.note


@light
class RunContext:
    """A stage's context for one run."""

    assignment: Assignment
    options: Options
    wanted: frozenset[str]
    settings: Settings
    folder: Scratch
    storage: LocalStorage
    services: Services
    state: Progress

    @property
    def source(self) -> Source:
        if self.assignment.source is None:
            raise Permanent(f"no such video: {self.assignment.job.video_id!r}")
        return self.assignment.source

    @property
    def scratch(self) -> Path:
        return self.folder.path

    @property
    def title(self) -> str | None:
        return self.assignment.title

    @property
    def name(self) -> str:
        return self.assignment.name

    @property
    def reference(self) -> str | None:
        return self.assignment.reference

    @property
    def trust(self) -> Trust:
        return self.assignment.trust

    @property
    def chosen_by(self) -> Trust:
        own = self.assignment.plan.steps[self.assignment.step].stage in self.assignment.item_options
        return self.trust if own else self.assignment.chosen_by or self.trust

    def inputs(self, kind: str) -> Sequence[InputFile]:
        return [
            InputFile(artifact.kind, self.storage.path(artifact), artifact.sha256, artifact.metadata)
            for artifact in self.assignment.inputs
            if artifact.kind == kind
        ]

    async def progress(self, fraction: float | None, note: str | None = None) -> None:
        self.state.report(fraction, note)

    def service(self, make: Callable[[Settings], S]) -> S:
        return self.services.get(make)
