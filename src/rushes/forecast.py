"""What a run would do: its items, how long they are, what is done already, what time and money it takes.

What `rushes plan` says. It reads the inputs as a run does, looks things up where there is a database already, and
creates nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from rushes.batches import known
from rushes.batches.estimate import MEASURED, Estimator, Rates
from rushes.batches.intake import Line, Report, Valid, read_inputs, run_key, seekable
from rushes.batches.keys import FileKeysOnDisk
from rushes.batches.prices import rate_of
from rushes.errors import DatabaseError
from rushes.media.faults import EngineFault, EngineMissing, MediaFault
from rushes.model import JSON, Artifact, Job, JobId, JobStatus, Lease, NewItem, Plan, Step, Takes, WorkerId
from rushes.pipelines import COLLECTION_STAGE
from rushes.settings import Settings
from rushes.sources.base import Assignment
from rushes.stages import registry
from rushes.stages.base import Options, Stage
from rushes.storage import LocalStorage
from rushes.worker.fingerprint import fingerprint

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

STEP = 5000
"""Lines that are looked up in one statement."""
PROBES = 200
"""Files that are opened for their length: each takes a fifth of a second."""
PROBES_AT_ONCE = 2
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """What a run would be asked to do."""

    inputs: Sequence[str]
    pipeline: str
    options: Sequence[str] = ()
    """`stage.option=value`."""
    out: Path = Path("rushes-out")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do."""

    plan: Plan
    report: Report
    estimate: Estimator
    batch: int | None
    """The batch that the same command made before."""
    notes: tuple[str, ...]


async def forecast(
    settings: Settings, question: Question, *, stdin: BinaryIO | None = None, progress: Callable[[int], object]
) -> Forecast:
    """Say what a run would do. `progress` is told how many lines were read.

    Raises:
        UsageError: an input, the pipeline or an option cannot be used.
    """
    plan = registry.resolve(question.pipeline, question.options, settings=settings)
    report, notes = Report(), list[str]()
    with seekable(stdin) if "-" in question.inputs else contextlib.nullcontext() as text:
        lines = report.counting(_lines(settings, question, plan, text))
        async with _database(settings, notes) as database:
            reader = _Reader(settings, plan, database, Estimator(plan, await _rates(plan, database)))
            for chunk in _chunks(lines):
                await reader.read([line.item for line in chunk if isinstance(line, Valid)])
                progress(report.total)
            if text:
                text.seek(0)
            batch = await _made_before(database, run_key(question.inputs, plan, question.out, stdin=text))
    if reader.unprobed:
        notes.append(f"the length of {reader.unprobed:,} files was not looked for")
    return Forecast(plan, report, reader.estimate, batch, (*notes, *reader.notes))


def _lines(settings: Settings, question: Question, plan: Plan, stdin: BinaryIO | None) -> Iterator[Line]:
    keys = FileKeysOnDisk(settings.home / "file-keys", writable=False)
    return read_inputs(
        question.inputs,
        stdin=stdin,
        check_options=lambda options: registry.check_item_options(plan, options),
        files=keys,
        takes=registry.takes(plan),
    )


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    iterator = iter(lines)
    while chunk := list(itertools.islice(iterator, STEP)):
        yield chunk


@contextlib.asynccontextmanager
async def _database(settings: Settings, notes: list[str]) -> AsyncIterator[Connection | None]:
    """A connection to the database if there is one with our tables; otherwise a note says why not."""
    async with contextlib.AsyncExitStack() as stack:
        connection = None
        try:
            connection = await _connection(settings, stack)
        except DatabaseError as error:
            notes.append(f"nothing was looked up in the database: {error.reason}")
        yield connection


async def _connection(settings: Settings, stack: contextlib.AsyncExitStack) -> Connection | None:
    from rushes.database import reach
    from rushes.database.access import close
    from rushes.database.cluster import find_cluster
    from rushes.database.schema import installed_version, our_revisions

    if settings.database_url is None and find_cluster(settings.home) is None:
        return None
    server = await stack.enter_async_context(reach(settings))
    connection = await server.dial()
    stack.push_async_callback(close, connection)
    version = await installed_version(connection)
    if version != our_revisions().head:
        if version is None:
            return None
        raise DatabaseError(f"its tables have version {version}, this program has {our_revisions().head}")
    return connection


async def _rates(plan: Plan, database: Connection | None) -> Rates:
    models = {step.stage: _language_model(step) for step in plan.steps}
    priced = Rates({stage: rate_of(model) for stage, model in models.items() if model}, {})
    rates = priced.over(MEASURED)
    return (await known.history(database, models)).over(rates) if database else rates


def _language_model(step: Step) -> str | None:
    """The `provider:name` that a stage was told to use. Speech models have no provider."""
    model = step.options.get("model")
    return model if isinstance(model, str) and ":" in model else None


async def _made_before(database: Connection | None, key: str) -> int | None:
    if database is None:
        return None
    newest = "select max(id) from rushes.batches where run_key = $1 and status <> 'cancelled'"
    found: int | None = await database.fetchval(newest, key)
    return found


class _Reader:
    """Looks items up, chunk by chunk, and adds them up."""

    def __init__(self, settings: Settings, plan: Plan, database: Connection | None, estimate: Estimator) -> None:
        self.estimate = estimate
        self.unprobed = 0
        self.notes: list[str] = []
        self._plan = plan
        self._database = database
        self._storage = LocalStorage(settings.artifacts)
        self._probed = 0

    async def read(self, items: Sequence[NewItem]) -> None:
        durations: dict[str, timedelta | None] = {}
        done: Mapping[str, frozenset[str]] = {}
        if self._database:
            durations = await known.durations(self._database, [item.source.key for item in items])
            done = await self._done([item for item in items if item.source.key in durations])
        await self._probe(items, durations)
        for item in items:
            key = item.source.key
            self.estimate.add(item.source, durations.get(key), done.get(key, frozenset()))

    async def _probe(self, items: Sequence[NewItem], durations: dict[str, timedelta | None]) -> None:
        """Open files of unknown length. A text's is what will be made of it."""
        if registry.takes(self._plan) is Takes.TEXTS:
            return
        unknown = [
            one for one in items if one.source.location.startswith("/") and durations.get(one.source.key) is None
        ]
        now = unknown[: PROBES - self._probed]
        self._probed += len(now)
        self.unprobed += len(unknown) - len(now)
        turn = asyncio.Semaphore(PROBES_AT_ONCE)
        try:
            found = await asyncio.gather(*(_length(Path(one.source.location), turn) for one in now))
        except EngineMissing as error:
            self.notes.append(f"the length of files is unknown: {error.reason}")
            self._probed = PROBES
        else:
            durations.update({one.source.key: length for one, length in zip(now, found, strict=True)})

    async def _done(self, items: Sequence[NewItem]) -> Mapping[str, frozenset[str]]:
        """Which stages an earlier run did for each of these, by the identities that a worker will look for.

        One stage after the other, since what a stage made is part of the next one's identity.
        """
        steps = _steps(self._plan, {}) if items else []
        going = [_Chain(self._plan, item, steps) for item in items if not item.source.collection]
        done: dict[str, list[str]] = {}
        first = int(self._plan.steps[0].stage == COLLECTION_STAGE and len(self._plan.steps) > 1)
        for index in range(first, len(self._plan.steps)):
            identities = [chain.identity(index) for chain in going]
            made = await self._made([identity for identity in identities if identity])
            reached = [
                (one, made[identity]) for one, identity in zip(going, identities, strict=True) if identity in made
            ]
            for chain, artifacts in reached:
                done.setdefault(chain.item.source.key, []).append(self._plan.steps[index].stage)
                chain.inputs += artifacts
            going = [chain for chain, _ in reached]
        return {key: frozenset(stages) for key, stages in done.items()}

    async def _made(self, identities: Sequence[str]) -> Mapping[str | None, list[Artifact]]:
        """What is recorded and still there. A worker will also compare contents, which takes reading every file."""
        if not identities or self._database is None:
            return {}
        made = await known.made(self._database, identities)
        return {one: files for one, files in made.items() if all(map(self._is_there, files))}

    def _is_there(self, artifact: Artifact) -> bool:
        try:
            return self._storage.path(artifact).stat().st_size == artifact.size
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class _Step:
    """What of a plan's step enters the identity of its results."""

    stage: Stage
    options: Options
    wanted: frozenset[str]


def _steps(plan: Plan, options: Mapping[str, JSON]) -> list[_Step]:
    steps = registry.with_options(plan, options).steps
    stages = [registry.get(step.stage) for step in steps]
    return [
        _Step(stage, registry.parse_options(stage, step.options), registry.wanted(plan, index))
        for index, (stage, step) in enumerate(zip(stages, steps, strict=True))
    ]


class _Chain:
    """An item on its way through stages that are done."""

    def __init__(self, plan: Plan, item: NewItem, steps: Sequence[_Step]) -> None:
        self.item = item
        self.inputs: list[Artifact] = []
        self._plan = plan
        self._steps = _steps(plan, item.options) if item.options else steps

    def identity(self, index: int) -> str | None:
        step = self._steps[index]
        # What a worker would be handed, as far as identities go.
        job = Job(JobId(0), step.stage.name, JobStatus.QUEUED, 0, 0, 0, {}, _LONG_AGO)
        lease = Lease(JobId(0), 0, WorkerId(0))
        assignment = Assignment(lease, job, self._plan, index, self.item.source, inputs=self.inputs)
        return fingerprint(assignment, step.stage, step.options, step.wanted)


async def _length(path: Path, turn: asyncio.Semaphore) -> timedelta | None:
    from rushes.media.probe import probe

    async with turn:
        try:
            found = await probe(path)
        except (MediaFault, EngineFault):
            return None  # the run will say what is wrong with it
    return None if found.duration is None else timedelta(seconds=found.duration)
