"""A stage for `--import`: one kind of item kills the process that works at it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import rushes

LOG = Path(os.environ["DEADLY_LOG"])


@rushes.stage("deadly")
async def deadly(_job: rushes.Job, context: rushes.Context) -> rushes.Result:
    with LOG.open("a") as log:
        log.write(f"{context.source.location}\n")
    if context.source.location.endswith("poison"):
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(0.2)
    return rushes.Result(value="fine")
