"""Long text where there is little room: in a reason, a title, a tag."""

from __future__ import annotations

LONGEST = 300
"""Characters, where a place has no bound of its own: more would hide everything else."""


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, or of a longer one its beginning and an ellipsis: together at most `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
