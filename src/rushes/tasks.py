"""Which of the parallel tasks of a job this process is, as the platform that started it says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from rushes.errors import SettingsError
from rushes.settings import Settings


@dataclass(frozen=True, slots=True)
class Task:
    """One of the parallel tasks of an execution."""

    execution: str | None
    """What the tasks of one run have in common; None: no platform says."""
    index: int = 0
    count: int = 1
    attempt: int = 0
    """How often the platform has started this task before."""
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class _Platform:
    """The variables in which a platform says it."""

    name: str
    index: str
    count: str = ""
    attempt: str = ""
    execution: str = ""
    first_attempt: int = 0
    first_index: str = ""
    """The variable that holds the number of the first task, where it need not be 0."""


PLATFORMS = (
    _Platform(
        "Cloud Run", "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT", "CLOUD_RUN_TASK_ATTEMPT", "CLOUD_RUN_EXECUTION"
    ),
    _Platform("GCP Batch", "BATCH_TASK_INDEX", "BATCH_TASK_COUNT", "BATCH_TASK_RETRY_ATTEMPT", "BATCH_JOB_UID"),
    _Platform(
        "AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", "AWS_BATCH_JOB_ATTEMPT",
        "AWS_BATCH_JOB_ID", first_attempt=1,
    ),
    _Platform(
        "Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_RESTART_COUNT", "SLURM_ARRAY_JOB_ID",
        first_index="SLURM_ARRAY_TASK_MIN",
    ),
    # It tells its tasks apart and says no more: RUSHES_TASK_COUNT and RUSHES_EXECUTION are for the job's description to set.
    _Platform("Kubernetes", "JOB_COMPLETION_INDEX"),
)  # fmt: skip
"""The first of these whose index is set is the one."""


def find_task(settings: Settings, environment: Mapping[str, str] | None = None) -> Task:
    """Which task this process is: as the settings say, else as the platform does, else the only one.

    Raises:
        SettingsError: a variable holds no number, or the index is not below the count.
    """
    said = _said(os.environ if environment is None else environment)
    index = said.index if settings.task_index is None else settings.task_index
    count = settings.task_count or said.count
    if index >= count:
        raise SettingsError(
            f"task {index} of {count}: tasks are counted from 0",
            remedy="Set RUSHES_TASK_COUNT to how many parallel tasks there are, and RUSHES_TASK_INDEX below it.",
        )
    return Task(settings.execution or said.execution, index, count, said.attempt, said.platform)


def _said(environment: Mapping[str, str]) -> Task:
    for platform in PLATFORMS:
        if environment.get(platform.index):
            execution = environment.get(platform.execution) or None
            return Task(
                # AWS Batch names each child of an array `ID:INDEX`.
                execution=execution.partition(":")[0] if execution else None,
                index=_number(environment, platform.index, 0) - _number(environment, platform.first_index, 0),
                count=_number(environment, platform.count, 1),
                attempt=_number(environment, platform.attempt, platform.first_attempt) - platform.first_attempt,
                platform=platform.name,
            )
    return Task(None)


def _number(environment: Mapping[str, str], name: str, otherwise: int) -> int:
    text = environment.get(name) or str(otherwise)
    if not text.isdecimal():
        raise SettingsError(f"{name}: wanted a number, found {text!r}")
    return int(text)
