"""A stage for `--import` that does as its address says, and notes it: `?sleep=SECONDS`, `?fail=CLASS`, `&times=N`,
`?kill=1`."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import rushes
from rushes.errors import NeedsInput, Permanent, RateLimited, Scope, Transient

FAILURES: dict[str, Callable[[], Exception]] = {
    "transient": lambda: Transient("the line went dead"),
    "permanent": lambda: Permanent("not this one", remedy="take another"),
    "rate_limited": lambda: RateLimited("too many of them"),
    "a_moment": lambda: RateLimited("too many of them", retry_after=timedelta(seconds=1)),
    "needs_input": lambda: NeedsInput("who are you?", remedy="say it"),
    "environment": lambda: NeedsInput("the disk is full", remedy="free some space", scope=Scope.ENVIRONMENT),
    "bug": lambda: ZeroDivisionError("division by zero"),
}


def _note(what: str, name: str) -> int:
    """Note it, and return how often that was noted before."""
    log = Path(os.environ["PLAYED_LOG"])
    with log.open("a") as file:
        file.write(f"{what} {name} {os.getpid()}\n")
    return log.read_text().count(f"{what} {name} ") - 1


@rushes.stage("play")
async def play(job: rushes.Job, context: rushes.Context) -> rushes.Result:
    """Do as the address says."""
    address = urlsplit(context.source.location)
    asked, name = dict(parse_qsl(address.query)), address.path.strip("/")
    before = _note("began", name)
    await context.progress(0.5, "half of it")
    if asked.get("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(float(asked.get("sleep", 0)))
    if asked.get("fail") and before < int(asked.get("times", 1000)):
        failure = FAILURES[asked["fail"]]()
        raise failure
    _note("done", name)
    return rushes.Result(value={"played": name}, notes=[f"attempt {job.attempts}"])


@rushes.stage("recite")
async def recite(job: rushes.Job, _context: rushes.Context) -> rushes.Result:
    """Say what the message asked for: for those that are about no video."""
    _note("done", "recital")
    return rushes.Result(value=dict(job.payload))


ALL = [play, recite]
