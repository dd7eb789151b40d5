"""Running an assignment: find what is made already, else run the stage, check what it made, and put it into storage."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from rushes.batches.keys import FileKeysOnDisk, file_source
from rushes.errors import Permanent, StageError, Transient, UsageError
from rushes.model import Artifact, Outcome, Produced, Source, Trust, VideoKey
from rushes.settings import Settings
from rushes.sources.base import Assignment, WorkSource
from rushes.stages import registry
from rushes.stages.base import Made, Result, Stage
from rushes.storage import LocalStorage
from rushes.worker.context import Progress, RunContext
from rushes.worker.failures import classify
from rushes.worker.fingerprint import fingerprint
from rushes.worker.in_turn import run_in_turn
from rushes.worker.scratch import Scratch
from rushes.worker.services import Services
from rushes.worker.settling import RETRY_SECONDS
from rushes.worker.steps import Steps

T = TypeVar("T")


class Runner:
    """Runs jobs of one worker."""

    def __init__(self, settings: Settings, source: WorkSource, storage: LocalStorage, services: Services) -> None:
        self._settings = settings
        self._scratch = settings.scratch
        self._source = source
        self._storage = storage
        self._services = services
        self._steps = Steps(settings)
        self._places: dict[str, asyncio.Semaphore | None] = {}
        """How many of each stage run at once, where slots are not of one stage; None: any number."""

    async def run(self, assignment: Assignment, progress: Progress) -> Outcome:
        """Run an assignment to its outcome. Cancellation comes out as `CancelledError`; nothing else does."""
        if assignment.refused:
            return Outcome(assignment.lease, failure=assignment.refused)
        if not assignment.plan.steps:
            return Outcome(assignment.lease, produced=Produced())
        try:
            produced = await (self._whole if assignment.rest else self._produce)(assignment, progress)
        except Exception as error:  # noqa: BLE001  (one item's failure never stops another)
            return Outcome(assignment.lease, failure=classify(error, self._settings))
        return Outcome(assignment.lease, produced=produced)

    async def _whole(self, assignment: Assignment, progress: Progress) -> Produced:
        """Run the assignment's stage and those after it, each within what a worker may run of that stage at once."""
        if len(assignment.plan.steps) == assignment.step + 1:
            return await self._in_place(assignment, progress)
        work = run_in_turn(assignment, progress, self._in_place, self._source.keep_made)
        return await _within(assignment.timeout, work)

    async def _in_place(self, assignment: Assignment, progress: Progress) -> Produced:
        name = assignment.plan.steps[assignment.step].stage
        if name not in self._places:
            limit = registry.get(name).concurrency
            self._places[name] = asyncio.Semaphore(limit) if limit else None
        async with self._places[name] or contextlib.nullcontext():
            try:
                return await self._produce(assignment, progress)
            except StageError as error:
                error.stage = name
                raise

    async def _produce(self, assignment: Assignment, progress: Progress) -> Produced:
        if assignment.source is None and (assignment.job.video_id or "").startswith("/"):
            assignment = await self._with_file(assignment, Path(str(assignment.job.video_id)))
        stage, options, wanted = self._steps.of(assignment)
        files = stage.leaves_files(assignment.job, options)
        identity = fingerprint(assignment, stage, options, wanted) if files else None
        made = await self._made_before(assignment, identity)
        if made:
            return made
        if assignment.inputs:
            await asyncio.to_thread(self._check_inputs, assignment, stage)
        with Scratch(self._scratch, assignment) as scratch:
            context = RunContext(
                assignment, options, wanted, self._settings, scratch, self._storage, self._services, progress
            )
            # Whatever ends this attempt, but its success or a failure for good, leaves its files to the next one.
            scratch.keep = True
            try:
                result = await _within(assignment.timeout, stage.run(assignment.job, context))
                _check(stage, result)
                artifacts = await asyncio.to_thread(self._store, assignment, result.made) if result.made else ()
            except Permanent:
                scratch.keep = False
                raise
            scratch.keep = False
        return _produced(result, artifacts, identity if result.reusable else None)

    async def _with_file(self, assignment: Assignment, path: Path) -> Assignment:
        """What a job without a known video works at, if that is called like a file of this machine."""
        if assignment.trust is not Trust.LOCAL or not await asyncio.to_thread(path.is_file):
            return assignment
        return replace(assignment, source=Source(await asyncio.to_thread(self._key_of, path), str(path)))

    async def _made_before(self, assignment: Assignment, identity: str | None) -> Produced | None:
        if identity is None or not assignment.reuse:
            return None
        made = await self._find_made(identity)
        if made is None:
            return None
        intact = await asyncio.to_thread(lambda: all(map(self._storage.intact, made.artifacts)))
        return made if intact else None

    async def _find_made(self, identity: str) -> Produced | None:
        """What an earlier run made. That the source is away for now is no failure of the job: it waits."""
        while True:
            try:
                return await self._source.find_made(identity)
            except Exception as error:
                if not self._source.is_outage(error):
                    raise
                await asyncio.sleep(RETRY_SECONDS)

    def _store(self, assignment: Assignment, made: Sequence[Made]) -> list[Artifact]:
        lease = assignment.lease
        # The last part keeps databases and workers apart that share a storage: each counts from 1.
        folder = f"{assignment.folder or f'{lease.job_id:012d}'}/{lease.token}-{secrets.token_hex(4)}"
        return [self._store_one(assignment, f"{folder}/{n}-{one.path.name}", one) for n, one in enumerate(made)]

    def _store_one(self, assignment: Assignment, name: str, one: Made) -> Artifact:
        if one.metadata.get("in_place"):
            facts = one.path.stat()
            key = self._key_of(one.path)
            if assignment.source is None or key != assignment.source.key:
                raise _changed(one.path)
            metadata = {**one.metadata, "mtime_ns": facts.st_mtime_ns}
            return Artifact(one.kind, str(one.path), facts.st_size, key.removeprefix("file:"), one.media_type, metadata)
        size, sha256 = self._storage.put(one.path, name)
        return Artifact(one.kind, name, size, sha256, one.media_type, one.metadata)

    def _key_of(self, path: Path) -> VideoKey:
        """The key that intake gives this file; it is read through only if it has changed since."""
        try:
            return file_source(path, FileKeysOnDisk(self._settings.home / "file-keys")).key
        except UsageError as error:
            raise Permanent(f"{path}: {error}") from error

    def _check_inputs(self, assignment: Assignment, stage: Stage) -> None:
        """A file that stays with its owner may have changed since: what is made of it would pass for the old one's."""
        for artifact in assignment.inputs:
            if (
                artifact.kind in stage.needs
                and artifact.metadata.get("in_place")
                and not self._storage.intact(artifact)
            ):
                raise _changed(self._storage.path(artifact))


def _changed(path: Path) -> Permanent:
    return Permanent(
        f"{path} is gone or has changed since it was listed", remedy="run the same command again: it lists it anew"
    )


async def _within(timeout: timedelta | None, work: Awaitable[T]) -> T:
    if timeout is None:
        return await work
    limit = asyncio.timeout(timeout.total_seconds())
    try:
        async with limit:
            return await work
    except TimeoutError as error:
        if limit.expired():
            raise Transient(f"it took longer than {timeout}") from error
        raise


def _check(stage: Stage, result: Result) -> None:
    """A run is done only if what the stage declares is there and not empty."""
    if result.items:
        return
    missing = stage.makes - {one.kind for one in result.made}
    if missing:
        raise RuntimeError(f"the stage {stage.name!r} made no {', '.join(sorted(missing))}")
    for one in result.made:
        if one.path.stat().st_size == 0:
            raise RuntimeError(f"the stage {stage.name!r} left {one.path.name} empty")


def _produced(result: Result, artifacts: Sequence[Artifact], identity: str | None) -> Produced:
    return Produced(
        tuple(artifacts), identity, result.facts, result.engine, tuple(result.notes),
        items=tuple(result.items), search_text=tuple(result.search_text), value=result.value,
    )  # fmt: skip
