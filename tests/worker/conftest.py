"""Stages to play with, and a worker that runs them from a real queue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import Valid
from rushes.database import Database
from rushes.model import BatchId, Job, NewItem, Plan, Source, Step, VideoKey
from rushes.queue import Queue
from rushes.settings import Settings
from rushes.sources.postgres import QueueSource
from rushes.stages import registry
from rushes.stages.base import Context, Made, Result, Stage
from rushes.worker import Bounds, Worker

StageMaker = Callable[..., Stage]


async def write_text(_job: Job, context: Context) -> Result:
    """A stage that makes one small file."""
    path = context.scratch / "text.txt"
    path.write_text(f"made of {context.source.key}")
    return Result(made=[Made("text", path, "text/plain")], notes=["a note"])


@pytest.fixture
def stage() -> Iterator[StageMaker]:
    """Register a stage for one test: `stage("name", run, **declared)`."""
    before = dict(registry._decorated)

    def make(name: str, run: Callable[[Job, Context], Awaitable[Result]] = write_text, **declared: Any) -> Stage:
        return registry.register(Stage(name=name, run=run, **declared))

    yield make
    registry._decorated.clear()
    registry._decorated.update(before)


@pytest.fixture
def start_batch(database: Database) -> Callable[..., Awaitable[BatchId]]:
    async def start(*stages: str, items: int = 1, reuse: bool = True, timeout: Any = None) -> BatchId:
        steps = tuple(
            Step(name, retries=made.retries, timeout=timeout or made.timeout, fetches=made.fetches)
            for name, made in ((name, registry.get(name)) for name in stages)
        )
        lines = [
            Valid(n, NewItem(Source(VideoKey(f"url:{n}"), f"https://example.org/{n}"), f"line {n}"))
            for n in range(1, items + 1)
        ]
        return (await open_batch(database.pool, Order("test", Plan("test", steps), reuse=reuse), lines)).id

    return start


@pytest.fixture
def make_worker(database: Database, settings: Settings) -> Callable[..., Worker]:
    def make(*kinds: str, batch: BatchId | None = None, slots: int = 4, bounds: Bounds | None = None) -> Worker:
        source = QueueSource(database.pool, Queue(database.pool, lease=settings.lease), batch=batch)
        return Worker(settings, source, slots=dict.fromkeys(kinds, slots), bounds=bounds)

    return make


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that another task or process does; the test's own time limit bounds it."""
    while not await condition():
        await asyncio.sleep(0.02)
