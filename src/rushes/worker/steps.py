"""What a plan's step comes to: its stage, and its options checked. Worked out once for a plan, not for each of its jobs."""

from __future__ import annotations

from typing import NamedTuple

from rushes.errors import Permanent, UsageError
from rushes.model import Plan
from rushes.settings import Settings
from rushes.sources.base import Assignment
from rushes.stages import registry
from rushes.stages.base import Options, Stage

KEPT = 256
"""Steps that are remembered: a worker of a queue meets a plan for each batch, and for each job with options of its own."""


class Ready(NamedTuple):
    """A step, ready to be run."""

    stage: Stage
    options: Options
    wanted: frozenset[str]
    """What later stages need of it."""


class Steps:
    """Remembers the steps that a worker has run lately."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[tuple[int, int], tuple[Plan, Ready]] = {}

    def of(self, assignment: Assignment) -> Ready:
        """The assignment's step. Raises: Permanent, if its options do not fit its stage or it has none here."""
        if assignment.item_options:
            return self._worked_out(assignment)
        plan, key = assignment.plan, (id(assignment.plan), assignment.step)
        known = self._known.get(key)
        if known and known[0] is plan:  # a dead plan's number may be another's now
            return known[1]
        ready = self._worked_out(assignment)
        self._known[key] = (plan, ready)
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        return ready

    def _worked_out(self, assignment: Assignment) -> Ready:
        try:
            plan = registry.with_options(assignment.plan, assignment.item_options)
            step = plan.steps[assignment.step]
            stage = registry.get(step.stage)
            # What follows from settings is frozen with a batch's plan; a job without one follows this worker's.
            alone = assignment.job.step is None and not assignment.rest
            given = {**stage.defaults(self._settings), **step.options} if alone else step.options
            return Ready(stage, registry.parse_options(stage, given), registry.wanted(plan, assignment.step))
        except UsageError as error:
            raise Permanent(str(error)) from error
