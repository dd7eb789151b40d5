"""Plans as JSON, as they are frozen on a batch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rushes.model import Plan, Retries, Step


def dump(plan: Plan) -> dict[str, Any]:
    return {"pipeline": plan.pipeline, "steps": [_dump_step(step) for step in plan.steps]}


def load(data: dict[str, Any]) -> Plan:
    return Plan(pipeline=data["pipeline"], steps=tuple(_load_step(step) for step in data["steps"]))


def _dump_step(step: Step) -> dict[str, Any]:
    retries = step.retries
    return {
        "stage": step.stage,
        "options": dict(step.options),
        "fetches": step.fetches,
        "timeout": step.timeout and step.timeout.total_seconds(),
        "retries": {
            "max_attempts": retries.max_attempts,
            "base": retries.base.total_seconds(),
            "cap": retries.cap.total_seconds(),
            "jitter": retries.jitter,
        },
    }


def _load_step(data: dict[str, Any]) -> Step:
    retries = data["retries"]
    return Step(
        stage=data["stage"],
        options=data["options"],
        fetches=data["fetches"],
        timeout=None if data["timeout"] is None else timedelta(seconds=data["timeout"]),
        retries=Retries(
            max_attempts=retries["max_attempts"],
            base=timedelta(seconds=retries["base"]),
            cap=timedelta(seconds=retries["cap"]),
            jitter=retries["jitter"],
        ),
    )
