"""The stage that the benchmark's workers run: it says that it has started, and makes nothing."""

from __future__ import annotations

import rushes
from bench.queue.peers import _tally
from rushes.model import Job
from rushes.stages.base import Context, Result


@rushes.stage("noop")
async def noop(job: Job, _context: Context) -> Result:
    _tally.started(job.payload["sent"])
    return Result()
