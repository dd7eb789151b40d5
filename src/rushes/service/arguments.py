"""What callers give, turned into what the queue takes: priorities are clamped here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from rushes.errors import UsageError
from rushes.model import JobId, Retries
from rushes.queue import NewJob
from rushes.queue.jobs import NO_PAYLOAD, RETRIES

LOWEST, HIGHEST = 0, 10
MOST_ATTEMPTS = 32_767
"""As many as the database can count."""


class Details(TypedDict, total=False):
    """What else can be said of a job when it is enqueued."""

    payload: Mapping[str, Any]
    """For the stage, as `job.payload`: what JSON can hold. `url` is what to work at, `options` are the stage's."""
    run_at: datetime
    """Not before this time (aware, with its zone)."""
    dedup_key: str
    """While a job of this key lives, no other is added, and that one is returned."""
    timeout: timedelta
    """How long a run may take."""
    lane: str
    """Whose limits it shares, such as a host."""
    backoff: timedelta
    """The wait before the second attempt; it doubles with each. By default a second."""
    backoff_cap: timedelta
    """The longest wait. By default ten minutes."""
    jitter: float
    """The share of the wait that is drawn at random, 0 to 1. By default 0."""


def new_job(
    video_id: str | None,
    job_type: str,
    priority: int,
    max_attempts: int,
    github_workflow_run_id: str | int | None,
    details: Details,
) -> NewJob:
    """A job from the arguments of `enqueue_job`. Raises: UsageError."""
    unknown = ", ".join(details.keys() - Details.__annotations__.keys())
    if unknown:
        raise UsageError(f"enqueue_job has no argument {unknown}; it has {', '.join(Details.__annotations__)}")
    return NewJob(
        kind=_text("job_type", job_type),
        priority=clamped(priority),
        payload=details.get("payload") or NO_PAYLOAD,
        video_id=None if video_id is None else _text("video_id", video_id),
        lane=details.get("lane"),
        retries=_retries(max_attempts, details),
        timeout=_positive("timeout", details.get("timeout")),
        run_at=_aware(details.get("run_at")),
        dedup_key=details.get("dedup_key"),
        github_workflow_run_id=None if github_workflow_run_id is None else str(github_workflow_run_id),
    )


def clamped(priority: int) -> int:
    """A priority within 0 to 10."""
    if not isinstance(priority, int):
        raise UsageError(f"priority: wanted a number from {LOWEST} to {HIGHEST}, found {priority!r}")
    return max(LOWEST, min(HIGHEST, priority))


def with_clamped_priorities(jobs: Iterable[NewJob]) -> Iterable[NewJob]:
    """The same jobs. A list stays a list, and anything else is read as it is needed."""
    fitting = (
        job if LOWEST <= job.priority <= HIGHEST else job._replace(priority=clamped(job.priority)) for job in jobs
    )
    return list(fitting) if isinstance(jobs, Sequence) else fitting


def number(job_id: int) -> JobId:
    """A job's number. Raises: UsageError."""
    if isinstance(job_id, bool) or not isinstance(job_id, int):
        raise UsageError(f"job_id: wanted a job's number, found {job_id!r}", remedy="a job's number is job.id")
    return JobId(job_id)


def within(name: str, value: int, least: int) -> int:
    """A count. Raises: UsageError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{name}: wanted a number from {least} on, found {value!r}")
    return value


def _retries(max_attempts: int, details: Details) -> Retries:
    within("max_attempts", max_attempts, 1)
    if max_attempts > MOST_ATTEMPTS:
        raise UsageError(f"max_attempts: at most {MOST_ATTEMPTS}, found {max_attempts}")
    jitter = details.get("jitter", RETRIES.jitter)
    if not 0 <= jitter <= 1:
        raise UsageError(f"jitter: wanted a share from 0 to 1, found {jitter!r}")
    return Retries(
        max_attempts,
        base=_positive("backoff", details.get("backoff")) or RETRIES.base,
        cap=_positive("backoff_cap", details.get("backoff_cap")) or RETRIES.cap,
        jitter=jitter,
    )


def _text(name: str, value: str) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{name}: wanted a text, found {value!r}")
    return value


def _positive(name: str, value: timedelta | None) -> timedelta | None:
    if value is not None and not (isinstance(value, timedelta) and value > timedelta(0)):
        raise UsageError(f"{name}: wanted a timedelta above 0, found {value!r}")
    return value


def _aware(value: datetime | None) -> datetime | None:
    if value is not None and not (isinstance(value, datetime) and value.tzinfo):
        raise UsageError(f"run_at: wanted a datetime with its time zone, found {value!r}")
    return value
