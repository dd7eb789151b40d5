"""Which of the jobs that a worker held when it died is to blame, so that one that kills its worker takes no other with it.

Nobody saw it. Two deaths together are forgiven: power fails, people kill programs. From the third on a death is held only
against the one job that began last, if there is one. Of several that began at the same moment half come back at once, and
everything else after a pause as long as they had run, so that each death leaves half as many that began last. None of this
counts as an attempt, but within a day it ends (`deferred` in settle.sql).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

FORGIVEN = 2
"""So often a job may have been there when a worker died and is still like any other."""
LONGEST_PAUSE = timedelta(seconds=30)
"""After the third death; four times as long after each more."""


class Held(NamedTuple):
    """A job as its worker left it: the columns of `expired.sql` and `orphaned.sql`."""

    id: int
    token: int
    worker_id: int
    attempts: int
    crashes: int
    started_at: datetime
    lease_until: datetime


class Judged(NamedTuple):
    """What becomes of one job: the verdict for `settle.sql`, and how long it waits."""

    job: Held
    verdict: str
    pause: timedelta | None = None


def judge(jobs: Sequence[Held], verdict: str, deaths: Callable[[Held], int]) -> Iterator[Judged]:
    """Judge what dead workers held, given in the order of ids.

    `verdict` is for those that a death counts against; `deaths` says at how many a job has been.
    """
    by_worker: dict[int, list[Held]] = defaultdict(list)
    for job in jobs:
        by_worker[job.worker_id].append(job)
    for held in by_worker.values():
        suspects = [job for job in held if deaths(job) >= FORGIVEN]
        yield from (Judged(job, verdict) for job in held if deaths(job) < FORGIVEN)
        if suspects:
            yield from _judge_suspects(suspects, verdict, _pause(suspects, max(map(deaths, suspects))))


def _judge_suspects(suspects: Sequence[Held], verdict: str, pause: timedelta) -> Iterator[Judged]:
    moment = max(job.started_at for job in suspects)
    latest = [job for job in suspects if job.started_at == moment]
    at_once = latest[: len(latest) // 2]
    for job in suspects:
        if latest == [job]:
            yield Judged(job, verdict)
        else:
            yield Judged(job, "deferred", timedelta(0) if job in at_once else pause)


def _pause(suspects: Sequence[Held], deaths: int) -> timedelta:
    longest = LONGEST_PAUSE * int(4 ** min(deaths - FORGIVEN, 5))
    return max(timedelta(0), min(longest, max(job.lease_until - job.started_at for job in suspects)))
