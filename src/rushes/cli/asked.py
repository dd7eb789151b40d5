"""What `rushes worker` is asked, and what each kind of source makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rushes.errors import UsageError

if TYPE_CHECKING:
    from rushes.model import Plan
    from rushes.settings import Settings
    from rushes.sources.base import WorkSource
    from rushes.worker import Bounds


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line, parsed."""

    kinds: str = ""
    concurrency: Mapping[str, int] = field(default_factory=dict)
    """By kind; `*` stands for every kind not named."""
    pipeline: str | None = None
    options: Sequence[str] = ()
    """`stage.option=value`."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings that the command line overrides."""
    into_queue: bool = False
    """Messages become items of the queue; nothing is run here."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A source that is ready to be worked at, and how."""

    settings: Settings
    source: WorkSource
    slots: Mapping[str, int]
    bounds: Bounds


AT_ONCE = 4
"""Whole items at once, where neither anybody nor their stages say: they work on this machine, not a service elsewhere."""


def slots_for_items(asked: Asked, settings: Settings, plan: Plan | None) -> dict[str, int]:
    """How many whole items run at once: as asked, else as set, else by what is done with them (None: it varies)."""
    from rushes.sources.whole_items import SLOT
    from rushes.stages import registry

    steps = plan.steps if plan else ()
    usual = settings.items_at_once or min(
        (registry.get(step.stage).usual or AT_ONCE for step in steps), default=AT_ONCE
    )
    unknown = set(asked.concurrency) - {"*", SLOT}
    if unknown or asked.kinds:
        what = "--kinds" if asked.kinds else f"--concurrency {', '.join(sorted(unknown))}=…"
        raise UsageError(
            f"{what}: this source hands out whole items, of no kind; --concurrency N says how many at once"
        )
    return {SLOT: asked.concurrency.get(SLOT, asked.concurrency.get("*", usual))}
