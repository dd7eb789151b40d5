"""How durations are given: seconds, `90m`, `12h`, `30d`, or ISO 8601."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
"""Seconds in what a duration may be given in."""


def seconds(value: Any) -> Any:
    """Take `30`, `0.5`, `90m`, `12h` and `30d` for seconds; leave what is none of these as it is."""
    if not isinstance(value, str):
        return value
    number = value.strip()
    unit = number[-1:] if number[-1:].isalpha() else ""
    try:
        return float(number.removesuffix(unit)) * UNITS[unit]
    except (ValueError, KeyError):
        return value


Duration = Annotated[timedelta, BeforeValidator(seconds), Field(ge=timedelta(0))]
Seconds = Annotated[timedelta, BeforeValidator(seconds), Field(gt=timedelta(0))]
# Who writes 30 means days, and would lose all but half a minute of their history.
Age = Annotated[timedelta, BeforeValidator(seconds), Field(ge=timedelta(hours=1), le=timedelta(days=36525))]
