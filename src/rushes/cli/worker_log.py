"""What a worker says of itself: how it started, which items failed, how far it is, and what it came to.

Items that complete are only counted, so that a log of a hundred thousand items stays readable and costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from rushes.cli.output import counted

if TYPE_CHECKING:
    from rushes.cli.asked import Opening
    from rushes.model import Failure, Outcome
    from rushes.sources.base import Assignment
    from rushes.worker import Bounds, Report, Worker

PROGRESS_SECONDS = 10.0

log = logging.getLogger(__name__)


class WorkerLog:
    """The log of one worker. `told` and `trouble` are for the worker to call."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._what = "the database" if source == "queue" else source
        self._away = False

    def started(self, opening: Opening) -> None:
        """It is about to work."""
        from importlib.metadata import version

        at_once = ", ".join(f"{kind} {slots}" for kind, slots in opening.slots.items())
        release = version("rushes")
        fields = {
            "event": "started", "version": release, "bounds": _numbers(opening.bounds),
            "concurrency": dict(opening.slots), "grace_seconds": opening.settings.grace.total_seconds(),
        }  # fmt: skip
        ends = " or ".join(_in_words(opening.bounds)) or "when it is stopped"
        log.info(
            "rushes %s works at %s, at once: %s; it ends %s", release, self._what, at_once, ends,
            extra={"fields": fields},
        )  # fmt: skip

    def told(self, assignment: Assignment, outcome: Outcome) -> None:
        """An outcome was written. Failures are told: the last one of an item, and a lack here, as errors."""
        failure = outcome.failure
        if failure is None:
            return
        job = assignment.job
        last = _is_last(assignment, failure)
        if failure.environment:
            then = "goes back"
        else:
            then = "failed for good" if last else f"failed, attempt {job.attempts} of {job.max_attempts}"
        labels = _labels(assignment)
        fields = {
            "event": "item_failed", "kind": job.kind, "error_class": failure.error_class.value,
            "reason": failure.message, "remedy": failure.remedy, "attempt": job.attempts,
            "max_attempts": job.max_attempts, "last": last, "environment": failure.environment,
            "address": assignment.source.location if assignment.source else None,
        }  # fmt: skip
        extra = {"labels": labels, "fields": fields, "stack_trace": failure.details.get("traceback")}
        remedy = f" ({failure.remedy})" if failure.remedy else ""
        log.log(
            logging.ERROR if last or failure.environment else logging.WARNING,
            "%s %s: %s: %s%s", _name(labels), then, failure.error_class.value, failure.message, remedy, extra=extra,
        )  # fmt: skip

    def trouble(self, error: Exception | None) -> None:
        """What jobs come from is away (once), or back (once)."""
        if error is not None and not self._away:
            log.warning(
                "%s cannot be reached, waiting: %s", self._what, error, extra={"fields": {"event": "source_away"}}
            )
        if error is None and self._away:
            log.info("%s is back", self._what, extra={"fields": {"event": "source_back"}, "style": "green"})
        self._away = error is not None

    @contextlib.asynccontextmanager
    async def following(self, worker: Worker) -> AsyncIterator[None]:
        """Say every ten seconds how far the worker is, while it has something to do."""
        task = asyncio.create_task(self._follow(worker), name="progress of the log")
        try:
            yield
        finally:
            task.cancel()

    async def _follow(self, worker: Worker) -> None:
        before, at = 0, time.monotonic()
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            report, now = worker.report, time.monotonic()
            rate = (report.processed - before) / (now - at)
            if worker.in_flight or report.processed != before:
                log.info(
                    "%s done, %s failed, %.1f a second, %s in flight",
                    report.completed, report.failed, rate, worker.in_flight,
                    extra={"fields": {
                        "event": "progress", "done": report.completed, "failed": report.failed,
                        "rate": round(rate, 2), "in_flight": worker.in_flight,
                    }, "style": "dim"},
                )  # fmt: skip
            before, at = report.processed, now

    def ended(self, report: Report) -> None:
        """The last line: why it ended, and the whole report."""
        waits = report.exit_reason == "paused"
        rate = "–" if report.success_rate is None else f"{report.success_rate:.0f} %"
        log.log(
            logging.ERROR if waits else logging.INFO,
            "%s: %s processed, %s failed, success %s, %.1f s; %s given back, %s refused as stale",
            report.exit_reason.value, report.processed, report.failed, rate, report.runtime.total_seconds(),
            report.released, report.stale,
            extra={"fields": {"event": "ended", "report": report.as_json()}, "style": None if waits else "bold"},
        )  # fmt: skip


def _numbers(bounds: Bounds) -> dict[str, float]:
    """The bounds that there are, in seconds."""
    limits = {"max_runtime_seconds": bounds.max_runtime, "empty_timeout_seconds": bounds.empty_timeout}
    told: dict[str, float] = {name: limit.total_seconds() for name, limit in limits.items() if limit is not None}
    return told if bounds.max_jobs is None else {**told, "max_jobs": bounds.max_jobs}


def _in_words(bounds: Bounds) -> Iterator[str]:
    if bounds.max_runtime is not None:
        yield f"after {bounds.max_runtime.total_seconds():g} s"
    if bounds.empty_timeout is not None:
        yield f"after {bounds.empty_timeout.total_seconds():g} s without work"
    if bounds.max_jobs is not None:
        yield f"after {counted(bounds.max_jobs, 'job')}"


def _is_last(assignment: Assignment, failure: Failure) -> bool:
    """Whether the item is not tried again, by the rule that all sources share."""
    from rushes.model import Retries
    from rushes.sources.whole_items import again_in

    job = assignment.job
    return again_in(failure, job.attempts, Retries(max_attempts=job.max_attempts)) is None


def _labels(assignment: Assignment) -> dict[str, str]:
    """By what an item is found in a log: its id where it came from, and what its sender calls the whole affair."""
    job, key = assignment.job, assignment.source.key if assignment.source else None
    known: dict[str, object] = {"item": assignment.reference or key, "correlation_id": assignment.correlation_id}
    if not assignment.rest:
        known |= {"job": job.id, "item": assignment.reference or job.item_id, "batch": job.batch_id}
    return {name: str(value) for name, value in known.items() if value not in (None, "")}


def _name(labels: dict[str, str]) -> str:
    for what in ("item", "job"):
        if what in labels:
            return f"{what} {labels[what]}"
    return "an item"
