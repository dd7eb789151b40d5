"""What a stage is: an async function `(job, context) -> Result` with a name, a version, options and declared outputs.

A stage knows nothing of queues, sources or servers. It gets a `Context`, makes files in `context.scratch`, and returns
a `Result` that names them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict

from rushes.model import JSON, NO_FACTS, Engine, Facts, Job, NewItem, Retries, Source, Takes, Trust, light
from rushes.settings import Settings


class Service(Protocol):
    """Something a worker keeps between jobs."""

    async def close(self) -> None: ...


@runtime_checkable
class Thawing(Protocol):
    """A service that wants to know when its process goes on after it was stopped, perhaps on another machine."""

    def thawed(self) -> None: ...


S = TypeVar("S", bound=Service)


class Options(BaseModel):
    """Base of a stage's options. Unknown names and wrong types are refused when the batch is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def parted(value: Any) -> Any:
    """A validator for options that take several values: `a,b`, as `--set` gives it, becomes a tuple."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class InputFile:
    """An artifact of an earlier stage, present on this machine."""

    kind: str
    path: Path
    sha256: str
    metadata: JSON


@dataclass(frozen=True, slots=True)
class Made:
    """A file that a stage made in its scratch folder."""

    kind: str
    path: Path
    media_type: str
    metadata: JSON = field(default_factory=dict)


@light
class Result:
    """What a run of a stage returns."""

    made: Sequence[Made] = ()
    facts: Facts = NO_FACTS
    engine: Engine | None = None
    notes: Sequence[str] = ()
    items: Sequence[NewItem] = ()
    """Videos found: they join the batch, and this item itself ends as `skipped` (`expanded`)."""
    search_text: Sequence[tuple[float, str]] = ()
    """Passages for the full-text index: (seconds, text)."""
    reusable: bool = True
    """False for a makeshift, such as the fall-back of a model that was down: a later run shall try again."""
    value: Any = None
    """What the job came to, as JSON, for whoever enqueued it: it is stored with the job."""


class Context(Protocol):
    """What a running stage is given, and its only way to the world."""

    @property
    def options(self) -> Any:
        """The stage's checked options, an instance of its options class."""

    @property
    def source(self) -> Source:
        """What the item points at."""

    @property
    def title(self) -> str | None:
        """The title known so far."""

    @property
    def name(self) -> str:
        """What this work is called: the same at every attempt and delivery, and for nothing else."""

    @property
    def reference(self) -> str | None:
        """The user's own id of the item."""

    @property
    def trust(self) -> Trust:
        """Who named the item."""

    @property
    def chosen_by(self) -> Trust:
        """Who chose the options: the operator may have a stranger's item worked at in their own way."""

    @property
    def settings(self) -> Settings: ...

    @property
    def scratch(self) -> Path:
        """A private folder of this job. Files that a dead earlier attempt left are still there, so work can resume."""

    @property
    def wanted(self) -> frozenset[str]:
        """What later stages need of this one (`audio`, `picture`, `captions_or_audio`); empty where unknown."""

    def inputs(self, kind: str) -> Sequence[InputFile]:
        """Artifacts of that kind made by earlier stages of this item, in the order they were made."""

    async def progress(self, fraction: float | None, note: str | None = None) -> None:
        """Report how far the work is (0 to 1, None: unknown) and what it does now. Call it often: it is cheap."""

    def service(self, make: Callable[[Settings], S]) -> S:
        """A thing to be made once per worker and shared by its jobs, such as a loaded model. Keyed by `make`."""


Run = Callable[[Job, Context], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of work, as registered."""

    name: str
    run: Run
    version: int = 1
    """Raised when the same inputs and options would now give another result: earlier artifacts are then not reused."""
    options: type[Options] = Options
    makes: frozenset[str] = frozenset()
    """Kinds of artifacts without which a run is not done."""
    needs: frozenset[str] = frozenset()
    """Kinds of artifacts of earlier stages that it reads. They enter the fingerprint under which results are reused."""
    defaults: Callable[[Settings], JSON] = lambda _settings: {}
    """Options that follow from the settings unless they are given. They are frozen with the plan, so that a result
    made under one setting is not taken for one made under another."""
    wants: Callable[[Any], frozenset[str]] = lambda _options: frozenset()
    """What it asks of a fetching stage before it, given its options: `audio`, `picture`, `captions_or_audio`."""
    concurrency: int | None = None
    """How many run at once in one worker; None: as many as the worker's own limit."""
    usual: int | None = None
    """How many run at once where nobody says, if it can stand any number."""
    retries: Retries = field(default_factory=Retries)
    timeout: timedelta | None = None
    fetches: bool = False
    """It asks the item's host: its jobs rest when that asks for rest."""
    takes: Takes = Takes.VIDEOS
    """What the items of a pipeline are that begins with it."""
    payload: frozenset[str] = frozenset()
    """Keys of the job's payload that it reads. They enter the fingerprint under which results are reused."""
    private_options: frozenset[str] = frozenset()
    """Options that change how it works but not what it makes (credentials, rate limits): not in the fingerprint, and not for
    strangers to set."""
    operators_options: frozenset[str] = frozenset()
    """Options that do change what it makes, and are not for strangers to set: they name what is on the worker's machine."""
    leaves_files: Callable[[Job, Any], bool] = lambda _job, _options: True
    """Whether a run with these options leaves files. What leaves none can never be used again, and is not looked for."""


def stage(name: str, **declared: Any) -> Callable[[Run], Stage]:
    """Make a stage of an async function: `@stage("transcribe", version=1, options=TranscribeOptions, …)`."""

    def make(run: Run) -> Stage:
        return Stage(name=name, run=run, **declared)

    return make
