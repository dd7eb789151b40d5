"""Running the stages of an item in turn, under one lease: what sources without a queue of stages hand out.

Each stage gets what those before it made. What it makes itself is kept before the next begins, so that a second delivery
of the item finds it. To the source all of it is one outcome.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from rushes.errors import Permanent
from rushes.model import Engine, Facts, Produced
from rushes.sources.base import Assignment
from rushes.worker.context import Progress

RunOne = Callable[[Assignment, Progress], Awaitable[Produced]]


@dataclass(slots=True)
class Part(Progress):
    """One stage's progress, as that of the whole item."""

    whole: Progress | None = None
    stage: str = ""
    index: int = 0
    count: int = 1

    def report(self, fraction: float | None, note: str | None) -> None:
        assert self.whole is not None
        at = None if fraction is None else (self.index + fraction) / self.count
        self.whole.report(at, f"{self.stage}: {note}" if note else self.stage)


async def run_in_turn(
    assignment: Assignment, progress: Progress, run: RunOne, keep: Callable[[Produced], Awaitable[None]]
) -> Produced:
    """Run the assignment's stages from its step on. What a stage raises ends the item.

    Raises:
        Permanent: the item turned out to stand for many videos, which a single outcome cannot.
    """
    steps = range(assignment.step, len(assignment.plan.steps))
    made: list[Produced] = []
    for index, step in enumerate(steps):
        stage = assignment.plan.steps[step].stage
        part = Part(whole=progress, stage=stage, index=index, count=len(steps))
        part.report(0.0, None)
        produced = await run(_of_step(assignment, step, stage, made), part)
        if produced.items:
            raise Permanent("it stands for many videos", remedy="list them one by one, or `rushes run` it")
        if produced.fingerprint and not produced.reused:
            await keep(produced)
        made.append(produced)
    return together(made)


def _of_step(assignment: Assignment, step: int, stage: str, made: Sequence[Produced]) -> Assignment:
    """The assignment as one of that stage alone."""
    titles = [produced.facts.title for produced in made if produced.facts.title]
    return replace(
        assignment,
        job=replace(assignment.job, kind=stage, step=step),
        step=step,
        rest=False,
        title=titles[-1] if titles else assignment.title,
        inputs=[*assignment.inputs, *(artifact for produced in made for artifact in produced.artifacts)],
        timeout=assignment.plan.steps[step].timeout,
    )


def together(made: Sequence[Produced]) -> Produced:
    """What stages made, as one: all artifacts, costs added up, and the last one's value."""
    last = made[-1]
    return Produced(
        artifacts=tuple(artifact for one in made for artifact in one.artifacts),
        facts=_facts([one.facts for one in made]),
        engine=_engine([one.engine for one in made if one.engine]),
        notes=tuple(note for one in made for note in one.notes),
        reused=all(one.reused for one in made),
        value=last.value,
    )


def _facts(facts: Sequence[Facts]) -> Facts:
    return Facts(
        title=next((one.title for one in reversed(facts) if one.title), None),
        duration=next((one.duration for one in reversed(facts) if one.duration), None),
        aliases=tuple(alias for one in facts for alias in one.aliases),
    )


def _engine(engines: Sequence[Engine]) -> Engine | None:
    """The last one's name and model, with what all of them cost."""
    if not engines:
        return None
    costs = [one.cost for one in engines if one.cost is not None]
    return replace(
        engines[-1],
        input_tokens=sum(one.input_tokens for one in engines),
        output_tokens=sum(one.output_tokens for one in engines),
        cost=sum(costs) if costs else None,
    )
