"""The registry: which stages there are, and how a pipeline's name and `stage.option=value` settings become a plan.

Stages come from the entry-point group `rushes.stages`, ours among them, and from decorated functions of the running
program. A stage's module is imported when the stage is wanted, never before.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ValidationError

from rushes.errors import UsageError
from rushes.masking import is_telling
from rushes.model import JSON, Plan, Step, Takes
from rushes.pipelines import PIPELINES
from rushes.settings import Settings
from rushes.shortening import shortened
from rushes.stages.base import Options, Stage

GROUP = "rushes.stages"
_PROBLEMS = 5
"""Of wrong options that are told at once."""
_SHOWN = 200
"""Characters of a wrong value."""
_decorated: dict[str, Stage] = {}


def register(stage: Stage) -> Stage:
    """Make a stage known in this process alone; it may stand in for an installed one of that name."""
    _decorated[stage.name] = stage
    return stage


@functools.cache
def _installed() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def names() -> tuple[str, ...]:
    return tuple(sorted({*_decorated, *_installed()}))


@functools.cache
def _load(name: str) -> Stage:
    found = _installed()[name].load()
    if not isinstance(found, Stage):
        raise UsageError(f"the entry point {name!r} of {GROUP} is no stage, but {found!r}")
    return found


def get(name: str) -> Stage:
    """The stage of that name.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    if name in _decorated:
        return _decorated[name]
    if name in _installed():
        return _load(name)
    raise UsageError(_unknown("stage", name, names()))


def resolve(pipeline: str, options: Iterable[str] = (), *, settings: Settings) -> Plan:
    """Resolve a pipeline's name and `stage.option=value` texts into a plan with checked options.

    Args:
        pipeline: a name in `PIPELINES`, or stage names joined by `+`; the first of them may be a pipeline's.
        options: as given by `--set`.
        settings: fill in what the options do not say.

    Raises:
        UsageError: an unknown pipeline, stage or option (with the nearest right name), or a value of the wrong type.
    """
    stages = [get(name) for name in _stage_names(pipeline)]
    given = parse_assignments(options)
    for name in given:
        if name not in {stage.name for stage in stages}:
            raise UsageError(_unknown(f"stage in the pipeline {pipeline!r}", name, [stage.name for stage in stages]))
    steps = (_step(stage, {**stage.defaults(settings), **given.get(stage.name, {})}) for stage in stages)
    return Plan(pipeline=pipeline, steps=tuple(steps))


def check_item_options(plan: Plan, options: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise `UsageError` if these options do not fit the plan's stages."""
    for step in with_options(plan, options).steps:
        parse_options(get(step.stage), step.options)


def with_options(plan: Plan, options: Mapping[str, Mapping[str, Any]]) -> Plan:
    """The plan with one item's own options over the batch's."""
    if not options:
        return plan
    known = [step.stage for step in plan.steps]
    for name in options:
        if name not in known:
            raise UsageError(_unknown(f"stage in the pipeline {plan.pipeline!r}", name, known))
    return replace(
        plan, steps=tuple(replace(step, options={**step.options, **options.get(step.stage, {})}) for step in plan.steps)
    )


def parse_options(stage: Stage, given: JSON) -> Options:
    """Check options against the stage's.

    Raises:
        UsageError: names the option, what was found and what is wanted.
    """
    try:
        return stage.options.model_validate(dict(given)) if given else _defaults(stage.options)
    except ValidationError as error:
        problems = error.errors()
        told = [_describe(stage, problem) for problem in problems[:_PROBLEMS]]
        more = [f"and {len(problems) - _PROBLEMS} more"] if len(problems) > _PROBLEMS else []
        raise UsageError("\n".join([*told, *more])) from None


@functools.cache
def _defaults(options: type[Options]) -> Options:
    """Options are frozen, so that all jobs without any can share these."""
    return options()


def wanted(plan: Plan, index: int) -> frozenset[str]:
    """What the stages after `index` ask of a fetching stage; empty where one of them runs elsewhere and is unknown here."""
    if index + 1 == len(plan.steps):
        return frozenset()
    known = names()
    if any(step.stage not in known for step in plan.steps[index + 1 :]):
        return frozenset()
    later = [(get(step.stage), step.options) for step in plan.steps[index + 1 :]]
    return frozenset().union(*(stage.wants(parse_options(stage, options)) for stage, options in later))


def takes(plan: Plan) -> Takes:
    """What the plan's items are; videos where its first stage runs elsewhere and is unknown here."""
    first = plan.steps[0].stage
    return get(first).takes if first in names() else Takes.VIDEOS


def parse_assignments(assignments: Iterable[str]) -> dict[str, dict[str, str]]:
    """Parse `stage.option=value`. Raises: UsageError."""
    parsed: dict[str, dict[str, str]] = {}
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        stage, dot, option = path.strip().partition(".")
        if not (equals and dot and stage and option):
            raise UsageError(f"--set {assignment!r}: wanted stage.option=value, such as summarize.length=brief")
        parsed.setdefault(stage, {})[option] = value
    return parsed


def _stage_names(pipeline: str) -> tuple[str, ...]:
    if pipeline in PIPELINES:
        return PIPELINES[pipeline]
    if "+" in pipeline or pipeline in names():
        first, *rest = pipeline.split("+")
        return (*PIPELINES.get(first, (first,)), *rest)
    raise UsageError(_unknown("pipeline", pipeline, PIPELINES))


def _step(stage: Stage, options: Mapping[str, Any]) -> Step:
    checked = parse_options(stage, options)
    frozen = checked.model_dump(mode="json", exclude_unset=True)
    return Step(stage=stage.name, options=frozen, retries=stage.retries, timeout=stage.timeout, fetches=stage.fetches)


def _describe(stage: Stage, problem: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return _unknown(
            "option", f"{stage.name}.{name}", [f"{stage.name}.{known}" for known in stage.options.model_fields]
        )
    found = "" if is_telling(name) else f", found {shortened(repr(problem['input']), _SHOWN)}"
    return f"{stage.name}.{name}: {problem['msg'].removeprefix('Value error, ')}{found}"


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
    return f"there is no {what} {name!r}; {hint}"
