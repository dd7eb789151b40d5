"""Messages that come one after the other: those of one ordering key, and those of one request."""

from __future__ import annotations

from collections.abc import Hashable

from rushes.sources.pubsub.held import Held


class Rows:
    """Rows of messages, by what they have in common. The first of a row is at work, the others wait for it."""

    def __init__(self) -> None:
        self._rows: dict[Hashable, list[Held]] = {}

    def join(self, key: Hashable, held: Held) -> bool:
        """Stand in a row, at its end. Returns whether that is its front."""
        row = self._rows.setdefault(key, [])
        if held not in row:
            row.append(held)
        return row[0] is held

    def leave(self, key: Hashable, held: Held) -> list[Held]:
        """Step out of a row. Returns those that stood behind."""
        row = self._rows.get(key, [])
        if held not in row:
            return []
        at = row.index(held)
        behind = row[at + 1 :]
        del row[at]
        if not row:
            del self._rows[key]
        return behind
