"""How values are put into words for a reader: times, states, counts, and text cleaned of what only misleads the eye."""

from __future__ import annotations

import re

from rushes.batches.export.values import DONE_BEFORE, ExportedItem, RejectedLine
from rushes.masking import masked
from rushes.model import ItemStatus

_MISLEADING = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, half characters, and what turns the direction of the text after it."""

_STATES = {
    ItemStatus.PENDING: "waiting",
    ItemStatus.PROCESSING: "in progress",
    ItemStatus.COMPLETED: "done",
    ItemStatus.FAILED: "failed",
    ItemStatus.CANCELLED: "cancelled",
    ItemStatus.SKIPPED: "skipped",
}
_TONES = {"done": "done", "failed": "failed", "waiting": "open", "in progress": "open"}
_SKIPPED = {
    DONE_BEFORE: "Done in an earlier run.",
    "expanded": "A collection: its videos are items of their own.",
    "condition": "Left out by the pipeline's condition.",
}


def clean(text: str) -> str:
    """One line: white space joined, control characters and direction overrides removed, secrets in addresses masked."""
    return masked(" ".join(_MISLEADING.sub("", text).split()))


def paragraphs(text: str) -> tuple[str, ...]:
    """The text's paragraphs, each cleaned."""
    return tuple(line for line in map(clean, re.split(r"\n\s*\n", text)) if line)


def lasting(seconds: float) -> str:
    """How long something took: `0.8 s`, `42 s`, `3 min 5 s`, `2 h 4 min`."""
    if seconds < 10:  # noqa: PLR2004  (below ten seconds a tenth is worth saying)
        return f"{seconds:.1f} s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minute} min"
    return f"{minute} min {second} s" if minute else f"{second} s"


def dollars(cost: float) -> str:
    return f"${cost:.4f}" if cost < 1 else f"${cost:.2f}"


def counted(number: int, noun: str) -> str:
    """`1 video`, `2 videos`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def state(item: ExportedItem) -> str:
    """Its status in a reader's words."""
    return "done" if item.done else _STATES[item.status]


def because(item: ExportedItem) -> str | None:
    """Why it is in that state, where there is something to say."""
    if item.status is ItemStatus.SKIPPED:
        reason = item.skip_reason or ""
        return _SKIPPED.get(reason, clean(reason) or None)
    return clean(item.reason) if item.reason else None


def tone(state: str) -> str:
    """Which of four kinds a state is, for colours and filters: `done`, `failed`, `open` (not ended), `left` (out)."""
    return _TONES.get(state, "left")


def place(line: RejectedLine) -> str:
    """Where a rejected line stood."""
    return clean(line.origin) or "argument"
