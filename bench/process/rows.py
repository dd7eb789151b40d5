"""A table in memory as a worker's source: what remains of a source when it costs nothing."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from rushes.model import Lease, Outcome, Plan, Source, Trust, Verdict, VideoKey
from rushes.sources.base import Assignment, Beat, Standing
from rushes.sources.whole_items import SLOT, MadeInStorage, Numbering, WholeItem
from rushes.storage import Manifests


class Rows(MadeInStorage):
    """Hands out rows as they are needed. Of what becomes of them it keeps the count."""

    name = "rows"

    def __init__(self, addresses: Iterable[str], plan: Plan, artifacts: Path, done: Callable[[int], None]) -> None:
        """`done` is told of so many rows that have ended."""
        super().__init__(Manifests(artifacts))
        numbering = Numbering(Trust.UNTRUSTED, chosen_by=Trust.LOCAL)
        self._rows = (
            numbering.assignment(WholeItem(f"rows/{n}", plan, Source(VideoKey(f"rows:{n}"), address)))
            for n, address in enumerate(addresses)
        )
        self._over = False
        self._done = done
        self.completed = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None: ...

    async def claim(self, slots: Mapping[str, int]) -> Sequence[Assignment]:
        taken = list(itertools.islice(self._rows, slots[SLOT]))
        self._over = not taken
        return taken

    async def end_claims(self) -> None: ...

    async def extend(self, beats: Sequence[Beat]) -> Sequence[Verdict]:
        return [Verdict.GO_ON] * len(beats)

    async def settle(self, outcomes: Sequence[Outcome]) -> Sequence[Lease]:
        self.completed += sum(1 for outcome in outcomes if outcome.produced and outcome.produced.value)
        self._done(len(outcomes))
        return ()

    async def tick(self) -> None: ...

    async def wait(self, timeout: float) -> None:
        await asyncio.sleep(timeout)

    async def standing(self) -> Standing:
        return Standing.ENDED if self._over else Standing.WORK_LEFT

    def is_outage(self, _error: Exception) -> bool:
        return False
