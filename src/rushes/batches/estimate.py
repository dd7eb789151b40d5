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
    cost_per_hour: float | None = 0.0
    """US dollars for each hour of video; None: unknown."""


UNKNOWN = Rate("never measured here")


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates by stage. Files of this machine are only looked at where others are fetched."""

    by_stage: Mapping[str, Rate]
    of_files: Mapping[str, Rate]

    def get(self, stage: str, *, is_file: bool) -> Rate:
        return (self.of_files.get(stage) if is_file else None) or self.by_stage.get(stage) or UNKNOWN

    def over(self, others: Rates) -> Rates:
        """These where there are any, else the others."""
        return Rates({**others.by_stage, **self.by_stage}, {**others.of_files, **self.of_files})


MEASURED = Rates(
    by_stage={
        "transcribe": Rate("speech recognition with tiny.en on 2 cores; captions take seconds", per_hour=180),
        "summarize": Rate("the offline engine on 2 cores", per_hour=0.2),
        "generate": Rate("a video of three minutes, offline on 2 cores", per_item=5),
    },
    of_files={"download": Rate("files are not fetched, their sound is decoded to check it", per_hour=8)},
)
"""Measured on 2 busy cores: an idle machine is faster."""


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
    rate: Rate = UNKNOWN
    """The last that was used, if any was known."""


class Estimator:
    """Adds up a batch's items."""

    def __init__(self, plan: Plan, rates: Rates = MEASURED) -> None:
        self._rates = rates
        self.stages = {step.stage: StageEstimate(step.stage) for step in plan.steps}
        self._listing = [one for one in self.stages.values() if one.stage == COLLECTION_STAGE]
        self._single = [one for one in self.stages.values() if one.stage != COLLECTION_STAGE]
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
        stages = self._listing if source.collection else self._single
        self.all_done += bool(done) and all(one.stage in done for one in stages)
        for one in stages:
            if one.stage in done:
                one.done += 1
            else:
                self._work(one, self._rates.get(one.stage, is_file=is_file), duration)

    def _work(self, one: StageEstimate, rate: Rate, duration: timedelta | None) -> None:
        one.items += 1
        if rate is not UNKNOWN:
            one.rate = rate
        hours = None if duration is None else duration / HOUR
        seconds = rate.per_item if hours is None or rate.per_hour is None else rate.per_hour * hours
        if seconds is None:
            one.unknown += 1
        else:
            one.seconds += seconds
        if rate.cost_per_hour is None or (rate.cost_per_hour and hours is None):
            one.unpriced += 1
        else:
            one.cost += rate.cost_per_hour * (hours or 0.0)
