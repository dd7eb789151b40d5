"""How many jobs of each kind a worker runs at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rushes.stages import registry

DEFAULT = 2
"""Where neither the caller nor the stage says."""


def slots_of(kinds: Iterable[str], concurrency: Mapping[str, int]) -> dict[str, int]:
    """As asked (`*` stands for every kind not named), a plain number within what a stage can stand."""
    return {kind: _slots(kind, concurrency) for kind in kinds}


def _slots(kind: str, concurrency: Mapping[str, int]) -> int:
    stage = registry.get(kind)
    own = stage.concurrency
    if kind in concurrency:
        return concurrency[kind]
    wanted = concurrency.get("*")
    if wanted is None:
        return own or stage.usual or DEFAULT
    return min(wanted, own) if own else wanted
