"""Stages for `--import`: they note every run in a log and take as long as a gate tells them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import rushes

LOG = Path(os.environ["FAULTS_LOG"])
SECONDS = float(os.environ.get("FAULTS_SECONDS", "0.1"))


async def _work(kind: str, job: rushes.Job, context: rushes.Context) -> rushes.Result:
    with LOG.open("a") as log:
        log.write(f"{kind} {context.source.key} {os.getpid()}\n")
    await asyncio.sleep(SECONDS)
    path = context.scratch / f"{kind}.txt"
    path.write_text(f"{kind} by {os.getpid()}")
    return rushes.Result(made=[rushes.Made(kind, path, "text/plain")])


@rushes.stage("alpha", makes=frozenset({"alpha"}))
async def alpha(job: rushes.Job, context: rushes.Context) -> rushes.Result:
    return await _work("alpha", job, context)


@rushes.stage("beta", makes=frozenset({"beta"}), needs=frozenset({"alpha"}))
async def beta(job: rushes.Job, context: rushes.Context) -> rushes.Result:
    return await _work("beta", job, context)
