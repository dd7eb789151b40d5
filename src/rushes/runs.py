"""The main job: inputs become a batch, a worker in this process runs it, results are written as items end.

What `rushes run` and `rushes.run` do. Killed or interrupted at any moment, the same call goes on where it stopped,
because all that this module knows lies in the database and in the results folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rushes.batches.creating import Opened, Order, open_batch
from rushes.batches.export.folder import ResultsFolder
from rushes.batches.export.names import NameTemplate
from rushes.batches.export.query import read_batch, read_items
from rushes.batches.export.values import ExportedItem
from rushes.batches.intake import Line, read_inputs, run_key, seekable
from rushes.batches.keys import FileKeysOnDisk
from rushes.batches.progress import Progress, read_progress
from rushes.errors import RushesError, UsageError
from rushes.masking import masked
from rushes.model import BatchId, Plan
from rushes.pipelines import DEFAULT
from rushes.queue import Queue
from rushes.queue.control import pause_batch, paused_kinds
from rushes.queue.retention import Ages
from rushes.queue.statements import sql
from rushes.settings import Settings
from rushes.sources.postgres import QueueSource, outages
from rushes.stages import registry
from rushes.storage import LocalStorage
from rushes.worker import ExitReason, Report, Worker, slots_of, stopping_on_signals
from rushes.worker.failures import classify

if TYPE_CHECKING:
    from rushes.database import Database

LOOK_SECONDS = 0.5
"""Between two looks at how far the batch is."""
EVENTS_AT_ONCE = 5000
"""A batch that is joined late may have millions."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked to do."""

    inputs: Sequence[str]
    pipeline: str = DEFAULT
    options: Sequence[str] = ()
    """`stage.option=value`."""
    out: Path = Path("rushes-out")
    name: str | None = None
    names: str | None = None
    """Template of the items' folder names."""
    concurrency: Mapping[str, int] = field(default_factory=dict)
    """Jobs at once by kind; `*` for every kind not named."""
    priority: int = 0
    reuse: bool = True


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run came to."""

    opened: Opened
    progress: Progress
    worker: Report
    out: Path

    @property
    def interrupted(self) -> bool:
        return self.worker.exit_reason in (ExitReason.INTERRUPTED, ExitReason.TERMINATED)

    @property
    def all_well(self) -> bool:
        """Every line was usable and every item came out well."""
        progress = self.progress
        return progress.over and not (progress.failed or progress.cancelled or self.opened.report.invalid)


class Observer:
    """Is told how a run goes on. Override what is of interest."""

    def opened(self, opened: Opened, plan: Plan) -> None: ...

    def looked(self, progress: Progress) -> None: ...

    def ended(self, item: ExportedItem, folder: Path | None) -> None: ...

    def trouble(self, error: Exception | None) -> None: ...

    def held(self, kinds: Sequence[str]) -> None:
        """Is told what is paused by hand, now and then; `*` is the whole queue."""


async def run(
    settings: Settings, database: Database, request: Request, observer: Observer, *, stdin: BinaryIO | None = None
) -> RunReport:
    """Run a batch to its end, its pause, or an interruption.

    Raises:
        UsageError: an input, the pipeline, an option or the output folder cannot be used; nothing was created.
    """
    plan = registry.resolve(request.pipeline, request.options, settings=settings)
    at_once = slots(plan, request.concurrency)
    template = NameTemplate(request.names) if request.names else None
    _refuse_unwritable(request.out)
    with seekable(stdin) if stdin and "-" in request.inputs else contextlib.nullcontext() as text:
        order = Order(
            name=request.name or _name(request.inputs),
            plan=plan,
            run_key=run_key(request.inputs, plan, request.out, stdin=text),
            priority=request.priority,
            reuse=request.reuse,
        )
        opened = await open_batch(database.pool, order, _lines(settings, request, plan, text))
    observer.opened(opened, plan)
    results = await _results(request.out, template)
    queue = Queue(database.pool, lease=settings.lease, ages=Ages.of(settings))
    source = QueueSource(database.pool, queue, batch=opened.id)
    worker = Worker(settings, source, slots=at_once, trouble=observer.trouble)
    watch = _Watch(settings, database, opened.id, results, observer)
    with stopping_on_signals(worker):
        report = await _work(worker, watch)
    return RunReport(opened, await watch.finish(), report, request.out)


async def _results(out: Path, template: NameTemplate | None) -> ResultsFolder:
    try:
        return await asyncio.to_thread(ResultsFolder, out, template)
    except OSError as error:
        remedy = "name another folder with --out; what was queued waits for the same command"
        raise UsageError(f"--out {out}: {error.strerror or error}", remedy=remedy) from error


def slots(plan: Plan, concurrency: Mapping[str, int]) -> dict[str, int]:
    """How many jobs of each stage run at once. Raises: UsageError, for a stage that the plan has not."""
    unknown = set(concurrency) - {"*"} - {step.stage for step in plan.steps}
    if unknown:
        raise UsageError(f"--concurrency: the pipeline {plan.pipeline!r} has no stage {', '.join(sorted(unknown))}")
    return slots_of([step.stage for step in plan.steps], concurrency)


async def _work(worker: Worker, watch: _Watch) -> Report:
    """Run the worker with somebody watching. If either fails the other ends in order."""
    watching = asyncio.create_task(watch.run(), name="watch")
    watching.add_done_callback(lambda task: worker.stop() if not task.cancelled() and task.exception() else None)
    try:
        report = await worker.run()
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return report


class _Watch:
    """Looks at the batch now and then: tells the observer, and writes the results of items as they end."""

    def __init__(
        self, settings: Settings, database: Database, batch: BatchId, results: ResultsFolder, observer: Observer
    ) -> None:
        self._settings = settings
        self._pool = database.pool
        self._storage = LocalStorage(settings.artifacts)
        self._batch = batch
        self._results = results
        self._observer = observer
        self._last_event = 0
        self._writable = True

    async def run(self) -> None:
        while True:
            try:
                await self._look()
            except outages() as error:  # the worker waits for the database too; here one look is left out
                self._observer.trouble(error)
            await asyncio.sleep(LOOK_SECONDS)

    async def finish(self) -> Progress:
        """Look once more, and write the index. A database that is away now is waited for, as the worker does.

        Raises: RushesError, if the batch has ended and its results cannot be written.
        """
        while True:
            try:
                return await self._finish()
            except outages() as error:
                self._observer.trouble(error)
                await asyncio.sleep(LOOK_SECONDS)

    async def _finish(self) -> Progress:
        self._writable = True
        await self._look()
        if self._writable:
            batch = await read_batch(self._pool, self._batch)
            async with self._pausing_on_disk_trouble():
                await self._results.write_index(batch, read_items(self._pool, self._storage, self._batch))
        return await read_progress(self._pool, self._batch)

    async def _look(self) -> None:
        self._observer.looked(await read_progress(self._pool, self._batch))
        async with self._pool.acquire() as connection:
            self._observer.held(await paused_kinds(connection))
        while self._writable:
            events = await self._pool.fetch(sql("endings"), self._batch, self._last_event, EVENTS_AT_ONCE)
            if not events:
                return
            async with self._pausing_on_disk_trouble():
                if positions := [row["position"] for row in events if row["position"]]:
                    await self._write(positions)
                self._last_event = events[-1]["number"]

    async def _write(self, positions: Sequence[int]) -> None:
        async for item in read_items(self._pool, self._storage, self._batch, only=positions):
            folder = await asyncio.to_thread(self._results.write_item, item)
            self._observer.ended(item, folder)

    @contextlib.asynccontextmanager
    async def _pausing_on_disk_trouble(self) -> AsyncIterator[None]:
        """Results that cannot be written concern every item: the batch waits until somebody has seen to it."""
        try:
            yield
        except OSError as error:
            failure = classify(error, self._settings)
            if not failure.environment:
                raise RushesError(f"--out: {error}") from error
            self._writable = False
            reason = f"--out: {failure.message}"
            async with self._pool.acquire() as connection:
                paused = await pause_batch(connection, self._batch, reason, failure.remedy)
            if not paused:
                raise RushesError(reason, remedy=failure.remedy) from error


def _lines(settings: Settings, request: Request, plan: Plan, stdin: BinaryIO | None) -> Iterator[Line]:
    def check(options: Mapping[str, Mapping[str, Any]]) -> None:
        registry.check_item_options(plan, options)

    keys = FileKeysOnDisk(settings.home / "file-keys")
    return read_inputs(request.inputs, stdin=stdin, check_options=check, files=keys, takes=registry.takes(plan))


def _name(inputs: Sequence[str]) -> str:
    given = masked(inputs[0])
    first = Path(given).name or given
    return first if len(inputs) == 1 else f"{first} and {len(inputs) - 1} more"


def _refuse_unwritable(out: Path) -> None:
    """Find out before any work whether results can be written."""
    existing = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise UsageError(f"--out {out}: {existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(f"--out {out}: no right to write in {existing}", remedy="name another folder with --out")
