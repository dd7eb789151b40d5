"""The stage that the suite's workers run (`--import door_stages`): it notes what it runs, and takes its time."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import rushes

LOG = Path(os.environ["DOOR_LOG"])
SECONDS = float(os.environ.get("DOOR_SECONDS", "0"))


@rushes.stage("door")
async def door(_job: rushes.Job, context: rushes.Context) -> rushes.Result:
    with LOG.open("a") as log:
        log.write(f"{context.source.location}\n")
    await asyncio.sleep(SECONDS)
    return rushes.Result(value="through", reusable=False)
