"""Pipelines: named, ordered lists of stage names. What the stages are, and which options they take, the registry knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PIPELINES: Mapping[str, tuple[str, ...]] = {
    "transcribe": ("scrape", "download", "transcribe"),
    "summarize": ("scrape", "download", "transcribe", "summarize"),
    "process": ("process",),
    "generate": ("generate",),
}
"""`scrape` runs only for items that stand for many videos; a single video starts at the stage after it."""

COLLECTION_STAGE = "scrape"
DEFAULT = "summarize"


def first_step(stages: Sequence[str], *, collection: bool) -> int:
    """Only what stands for many videos needs the stage that finds them."""
    return 1 if stages[0] == COLLECTION_STAGE and not collection and len(stages) > 1 else 0
