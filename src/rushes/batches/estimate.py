"""How long a batch will take and what it will cost, stage by stage, said only as far as it is known.

Rates come from what this database has seen, else from measurements named beside them. What has no rate, or needs a
length that nobody knows yet, is counted as unknown rather than guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from rushes.model import Plan, Source
from rushes.pipelines import COLLECTION_STAGE

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """How long a stage works, and what it spends."""

    basis: str
    """Where the figures come from."""
    per_hour: float | None = None
    """Seconds for each hour of a video whose length is known."""
    per_item: float | None = None
    """Seconds for a video of unknown length, or for any where length does not matter."""
    cost_per_hour: float | None = None
    """US dollars for each hour of video; None: unknown."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates by stage. Files of this machine are only looked at where others are fetched."""

    by_stage: Mapping[str, Rate]
    of_files: Mapping[str, Rate]

    def get(self, stage: str, *, is_file: bool) -> Rate | None:
        return (self.of_files.get(stage) if is_file else None) or self.by_stage.get(stage)

    def over(self, others: Rates) -> Rates:
        """These where there are any, else the others."""
        return Rates({**others.by_stage, **self.by_stage}, {**others.of_files, **self.of_files})


MEASURED = Rates(
    by_stage={
        "transcribe": Rate(
            "speech recognition, tiny.en on 2 cores; where there are captions, seconds", per_hour=180, cost_per_hour=0
        ),
        "summarize": Rate("the offline engine", per_hour=0.2, cost_per_hour=0),
    },
    of_files={"download": Rate("files are not fetched, only checked", per_hour=8, per_item=1, cost_per_hour=0)},
)
"""On the 2 cores that this was written on, loaded by others: an idle machine is faster."""


@dataclass(slots=True)
class StageEstimate:
    """What a stage has to do."""

    stage: str
    items: int = 0
    """To be done."""
    done: int = 0
    """Made by an earlier run and used again."""
    unknown: int = 0
    """Of `items`, those whose time is not known."""
    seconds: float = 0.0
    """Of work, for the others."""
    cost: float = 0.0
    """US dollars, for those whose price is known."""
    unpriced: int = 0
    basis: str = ""


class Estimator:
    """Adds up a batch's items."""

    def __init__(self, plan: Plan, rates: Rates = MEASURED) -> None:
        self._rates = rates
        self.stages = {step.stage: StageEstimate(step.stage) for step in plan.steps}
        self.files = self.urls = self.collections = 0
        self.duration = timedelta()
        """Of the videos whose length is known."""
        self.of_known_duration = 0
        self.all_done = 0
        """Items of which every stage was made by an earlier run."""

    def add(self, source: Source, duration: timedelta | None = None, done: frozenset[str] = frozenset()) -> None:
        """Count an item whose length may be known, and for which these stages were done before."""
        is_file = source.location.startswith("/")
        self.files += is_file
        self.collections += source.collection
        self.urls += not (is_file or source.collection)
        if duration is not None:
            self.duration += duration
            self.of_known_duration += 1
        stages = [one for one in self.stages.values() if (one.stage == COLLECTION_STAGE) is source.collection]
        self.all_done += bool(stages) and all(one.stage in done for one in stages)
        for one in stages:
            if one.stage in done:
                one.done += 1
            else:
                self._work(one, self._rates.get(one.stage, is_file=is_file), duration)

    def _work(self, one: StageEstimate, rate: Rate | None, duration: timedelta | None) -> None:
        one.items += 1
        hours = None if duration is None else duration / HOUR
        seconds = _of(rate, hours)
        if seconds is None:
            one.unknown += 1
        else:
            one.seconds += seconds
        cost = rate.cost_per_hour if rate else None
        if cost == 0 or (cost is not None and hours is not None):
            one.cost += cost * (hours or 0)
        else:
            one.unpriced += 1
        one.basis = rate.basis if rate else "never measured here"


def _of(rate: Rate | None, hours: float | None) -> float | None:
    """Seconds of work for one item."""
    if rate is None:
        return None
    if hours is not None and rate.per_hour is not None:
        return rate.per_hour * hours
    return rate.per_item
