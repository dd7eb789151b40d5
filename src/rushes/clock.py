"""How a place in a video, or its length, is written: one form everywhere."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Whole seconds, the rest cut off: `4:05`, `1:04:05`."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"
