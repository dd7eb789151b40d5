"""A stage for `--import`: it notes under which lease it runs and what it came to, and meets the fate that its job names."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import rushes

LOG = os.open(Path(os.environ["FIRE_LOGS"], f"{os.getpid()}.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def note(event: str, job: rushes.Job, context: Any) -> None:
    """One write a line, so that a kill leaves whole lines. Beyond what stages promise: the lease, for the history's sake."""
    lease = context.assignment.lease
    claimed = job.started_at.timestamp() if job.started_at else None
    line = {"event": event, "job": job.id, "token": lease.token, "worker": lease.worker_id, "claimed": claimed}
    os.write(LOG, (json.dumps(line) + "\n").encode())


async def _meet(fate: str, job: rushes.Job) -> None:
    if fate == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    if fate == "freezes" and job.attempts == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
    if fate == "stays":
        await asyncio.Event().wait()
    if fate == "stumbles" and job.attempts == 1:
        raise rushes.Transient("it stumbled")
    if fate == "fails":
        raise rushes.Permanent("it was to fail")


@rushes.stage("burn")
async def burn(job: rushes.Job, context: rushes.Context) -> rushes.Result:
    note("start", job, context)
    await asyncio.sleep(job.payload.get("seconds", 0))
    try:
        await _meet(job.payload.get("fate", ""), job)
    except (rushes.Transient, rushes.Permanent):
        note("failure", job, context)
        raise
    note("success", job, context)
    return rushes.Result()
