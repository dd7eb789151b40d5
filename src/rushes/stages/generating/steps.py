"""The steps of a production: how far the whole is, how long each took, and what was saved by those that nobody asked for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rushes.documents import Modality, Saving, StepTime
from rushes.stages.base import Context

Step = Literal["script", "narration", "slides", "video"]
STEPS: dict[Step, frozenset[Modality]] = {
    "script": frozenset({"text", "audio", "video"}),
    "narration": frozenset({"audio", "video"}),
    "slides": frozenset({"video"}),
    "video": frozenset({"video"}),
}
"""The steps in order, and what they are needed for."""
SECONDS_PER_MINUTE: dict[Step, float] = {"script": 0.05, "narration": 0.8, "slides": 0.1, "video": 0.6}
"""Of work for a minute of speech, measured on 2 busy cores. A language model's script takes as long as the model takes."""
MODEL_SECONDS = 5.0
"""About what a language model's script weighs beside the other steps, as far as progress goes."""
BASIS = "measured on 2 busy cores, with the packaged voice, which costs nothing"


def steps_for(modalities: Sequence[Modality]) -> tuple[Step, ...]:
    return tuple(step for step, needed_for in STEPS.items() if needed_for & set(modalities))


def saving(modalities: Sequence[Modality], spoken: float) -> Saving:
    """What is saved by making no more than that of a script that takes so many seconds to say."""
    left_out = [step for step in STEPS if step not in steps_for(modalities)]
    seconds = sum(SECONDS_PER_MINUTE[step] for step in left_out) * spoken / 60
    return Saving(steps=tuple(left_out), seconds=round(seconds, 1), basis=BASIS if left_out else "")


@dataclass(slots=True)
class Timer:
    """Runs steps one after the other: reports how far all of them are, and keeps how long each took."""

    context: Context
    steps: tuple[Step, ...]
    by_model: bool = False
    """The script takes longer than all else."""
    times: list[StepTime] = field(default_factory=list)

    async def report(self, step: Step, fraction: float, note: str) -> None:
        weights = [self._weight(each) for each in self.steps]
        before = sum(weights[: self.steps.index(step)])
        share = self._weight(step) * min(1.0, max(0.0, fraction))
        await self.context.progress((before + share) / sum(weights), f"{step}: {note}")

    @contextlib.asynccontextmanager
    async def running(self, step: Step, note: str) -> AsyncIterator[None]:
        """Measure a step."""
        await self.report(step, 0.0, note)
        began = time.monotonic()
        yield
        self.times.append(StepTime(step=step, seconds=round(time.monotonic() - began, 3)))

    def _weight(self, step: Step) -> float:
        return MODEL_SECONDS if self.by_model and step == "script" else SECONDS_PER_MINUTE[step]
