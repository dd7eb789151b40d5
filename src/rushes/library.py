"""The library's face: the main job as a call, and stages of the user's own as decorated functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rushes.pipelines import DEFAULT
from rushes.runs import Observer, Request, RunReport
from rushes.runs import run as run_batch
from rushes.settings import Settings
from rushes.stages import registry
from rushes.stages.base import Run, Stage
from rushes.stages.base import stage as make_stage


def run(
    inputs: Sequence[str | Path],
    *,
    pipeline: str = DEFAULT,
    options: Mapping[str, Mapping[str, object]] | None = None,
    out: str | Path = "rushes-out",
    concurrency: Mapping[str, int] | None = None,
    priority: int = 0,
    reuse: bool = True,
    settings: Settings | None = None,
    observer: Observer | None = None,
) -> RunReport:
    """Run the main job and wait for its end: `rushes.run(["talk.mp4"], pipeline="summarize")`.

    Interrupted or killed, the same call goes on where it stopped.

    Args:
        inputs: URLs, files, folders, patterns, lists, channels, playlists, feeds.
        pipeline: a pipeline's name, or stage names joined by `+`.
        options: of stages, `{"summarize": {"length": "brief"}}`.
        out: the folder of the results.
        concurrency: jobs at once by kind; `*` stands for every kind not named.
        priority: 0 to 10, higher first.
        reuse: whether results of earlier runs may be used again.
        settings: by default read from the environment.
        observer: is told how it goes on.

    Raises:
        UsageError: an input, the pipeline or an option cannot be used; nothing was created.
        DatabaseError: the database cannot be reached or started.
        RuntimeError: called from a running event loop.
    """
    assignments = [
        f"{stage}.{name}={_assigned(value)}"
        for stage, given in (options or {}).items()
        for name, value in given.items()
    ]
    request = Request(
        inputs=[str(one) for one in inputs], pipeline=pipeline, options=assignments, out=Path(out),
        concurrency=concurrency or {}, priority=priority, reuse=reuse,
    )  # fmt: skip
    return asyncio.run(_run(settings or Settings.load(), request, observer or Observer()))


def _assigned(value: object) -> object:
    """A value as `--set` has it: several are joined by commas."""
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else value


async def _run(settings: Settings, request: Request, observer: Observer) -> RunReport:
    from rushes.database import open_database

    async with open_database(settings) as database:
        return await run_batch(settings, database, request, observer)


def stage(name: str, **declared: Any) -> Callable[[Run], Stage]:
    """Make an async function `(job, context) -> Result` a stage of this process: `@rushes.stage("thumbnail_check")`.

    Workers elsewhere know it by the entry-point group `rushes.stages`, or by `--import MODULE`. What can be declared is
    in `Stage`.
    """

    def register(function: Run) -> Stage:
        return registry.register(make_stage(name, **declared)(function))

    return register
