"""What the end of a workflow run means for the job that it was started for. Webhooks and polling read the same table."""

from __future__ import annotations

from dataclasses import dataclass

from rushes.model import JobStatus


@dataclass(frozen=True, slots=True)
class Meaning:
    """The status that a conclusion asks for, and why, in words."""

    status: JobStatus
    words: str | None = None


CONCLUSIONS = {
    "success": Meaning(JobStatus.COMPLETED),
    "neutral": Meaning(JobStatus.COMPLETED),
    "failure": Meaning(JobStatus.FAILED, "it failed"),
    "timed_out": Meaning(JobStatus.FAILED, "it took longer than its timeout"),
    "startup_failure": Meaning(JobStatus.FAILED, "it could not start: its file may be wrong"),
    "stale": Meaning(JobStatus.FAILED, "GitHub gave it up after two weeks"),
    "skipped": Meaning(JobStatus.FAILED, "it skipped everything: its conditions (`if:`) were not met"),
    "cancelled": Meaning(JobStatus.CANCELLED),
    # It is no end: once somebody has approved, the same run goes on.
    "action_required": Meaning(JobStatus.PROCESSING, "it waits for somebody's approval"),
}
"""By GitHub's word (REST API, `conclusion` of a workflow run)."""


def meaning(conclusion: str | None) -> Meaning:
    """What a conclusion means. One that GitHub invents later is a failure: trying again does less harm than believing it."""
    return CONCLUSIONS.get(conclusion or "", Meaning(JobStatus.FAILED, f"it ended as {conclusion!r}"))
