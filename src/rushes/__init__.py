"""Rushes: lists of videos become finished work.

These are the public names; everything else may change. They are imported when they are first used, so that a program
that needs one pays for one.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rushes.errors import (
        DatabaseError,
        ErrorClass,
        IllegalTransition,
        NeedsInput,
        Permanent,
        RateLimited,
        RushesError,
        Scope,
        SettingsError,
        Transient,
        UsageError,
    )
    from rushes.library import run, stage
    from rushes.model import Engine, Facts, Job, JobStatus, NewItem, Retries, Source
    from rushes.queue.jobs import NewJob
    from rushes.runs import RunReport
    from rushes.service import Connection, Queue, QueueService, connect
    from rushes.settings import Settings
    from rushes.stages.base import Context, InputFile, Made, Options, Result, Stage

_HOMES = {
    "rushes.errors": (
        "DatabaseError", "ErrorClass", "IllegalTransition", "NeedsInput", "Permanent", "RateLimited", "RushesError", "Scope",
        "SettingsError", "Transient", "UsageError",
    ),
    "rushes.library": ("run", "stage"),
    "rushes.model": ("Engine", "Facts", "Job", "JobStatus", "NewItem", "Retries", "Source"),
    "rushes.queue.jobs": ("NewJob",),
    "rushes.runs": ("RunReport",),
    "rushes.service": ("Connection", "Queue", "QueueService", "connect"),
    "rushes.settings": ("Settings",),
    "rushes.stages.base": ("Context", "InputFile", "Made", "Options", "Result", "Stage"),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Connection",
    "Context",
    "DatabaseError",
    "Engine",
    "ErrorClass",
    "Facts",
    "IllegalTransition",
    "InputFile",
    "Job",
    "JobStatus",
    "Made",
    "NeedsInput",
    "NewItem",
    "NewJob",
    "Options",
    "Permanent",
    "Queue",
    "QueueService",
    "RateLimited",
    "Result",
    "Retries",
    "RunReport",
    "RushesError",
    "Scope",
    "Settings",
    "SettingsError",
    "Source",
    "Stage",
    "Transient",
    "UsageError",
    "connect",
    "run",
    "stage",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'rushes' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
