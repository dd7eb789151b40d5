"""Staging: results gather here and become durable together, by one load job in a while.

This is the source's difference to the queue: an item's slot is free before its result is durable. A task that is killed in
between leaves items that are done again. What gathers is bounded; where BigQuery is away for long, items wait for room.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from rushes.sources.bigquery.faults import OverQuota
from rushes.sources.bigquery.hand import Key
from rushes.sources.bigquery.pace import Pace
from rushes.sources.bigquery.service import Service
from rushes.sources.bigquery.texts import dumped

MOST_RESULTS = 100_000
MOST_BYTES = 64 * 2**20
"""With so many results, or bytes of them, a load does not wait for its time."""
ROOM = 2
"""So many times as much may gather before items wait."""
STAGED_AT = "staged_at"
SCHEMA = {
    "id": "STRING", "claim": "STRING", "attempt": "INT64", "kind": "STRING", "batch": "STRING", STAGED_AT: "TIMESTAMP",
    "error": "STRING", "result": "STRING",
}  # fmt: skip
"""The staging table's columns. `kind` is `start`, `completed`, `failed`, or `retry`: back to everybody, attempts kept."""
KEPT = timedelta(days=7)
"""How long a staging table is there after its execution fell silent, and what is staged in one that goes on for longer."""

Kind = Literal["completed", "failed", "retry"]
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """Lines of one load."""

    name: str
    keys: list[Key] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size: int = 0


class Staging:
    """Results of one task on their way to the staging table."""

    def __init__(
        self, service: Service, table: str, *, name: str, pace: Pace, staged: Callable[[list[Key]], None]
    ) -> None:
        """Batches, and the jobs that load them, are called after `name`; `staged` is told what has become durable."""
        self._service = service
        self._table = table
        self._name = f"{name}-{secrets.token_hex(4)}"
        self._pace = pace
        self._staged = staged
        self._numbers = 0
        self._gathering = self._new_batch()
        self._loading: _Batch | None = None
        self._one_at_a_time = asyncio.Lock()
        self._changed = asyncio.Event()
        self._bounded = True
        self.durable_at: datetime | None = None
        """BigQuery's time at which the last load had ended."""

    @property
    def unstaged(self) -> int:
        """Results that are not durable yet."""
        return len(self._gathering.keys) + (len(self._loading.keys) if self._loading else 0)

    def add(self, key: Key, kind: Kind, *, attempt: int, error: str | None, result: str | None) -> None:
        """Have a result staged."""
        line = {
            "id": key.id, "claim": key.claim, "attempt": attempt, "kind": kind, "batch": self._gathering.name,
            STAGED_AT: self._service.clock.now().isoformat(), "error": error, "result": result,
        }  # fmt: skip
        encoded = dumped(line).encode()
        batch = self._gathering
        batch.keys.append(key)
        batch.lines.append(encoded)
        batch.size += len(encoded)
        self._changed.set()

    async def room(self) -> None:
        """Wait until more may gather."""
        while self._bounded and self._is_full(ROOM):
            self._changed.clear()
            await self._changed.wait()

    def lift_bounds(self) -> None:
        """Nobody waits for room any more: what comes now is the last."""
        self._bounded = False
        self._changed.set()

    async def next(self) -> None:
        """Wait until it is time, then stage what has gathered. Raises: Away, Refused."""
        while not self._is_time():
            self._changed.clear()
            wait = max(0.01, self._pace.wait()) if self.unstaged else None
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                pass
        await self.flush()

    def _is_time(self) -> bool:
        if self._pace.resting:
            return False
        return self._is_full(1) or (self.unstaged > 0 and self._pace.wait() <= 0)

    def _is_full(self, times: int) -> bool:
        return len(self._gathering.keys) >= times * MOST_RESULTS or self._gathering.size >= times * MOST_BYTES

    async def flush(self, *, at_last: bool = False) -> None:
        """Stage everything now. What could not be staged is tried again the next time.

        `at_last`: there will be no later, so that no rest is kept. Raises: Away, Refused.
        """
        async with self._one_at_a_time:
            while self._loading or self._gathering.keys:
                if self._pace.resting and not at_last:
                    raise OverQuota("the staging table takes no more load jobs for now")
                if self._loading is None:
                    self._loading, self._gathering = self._gathering, self._new_batch()
                await self._load(self._loading)
                self._loading = None
                self._changed.set()

    async def _load(self, batch: _Batch) -> None:
        try:  # the job is called like the batch: done twice it is done once
            ran = await self._service.load(batch.name, self._table, b"\n".join(batch.lines))
        except OverQuota:
            self._pace.refused()
            log.warning("the staging table takes no more load jobs for now; %d results wait", self.unstaged)
            raise
        self._pace.loaded()
        self.durable_at = ran.ended
        self._staged(batch.keys)

    def _new_batch(self) -> _Batch:
        self._numbers += 1
        return _Batch(f"{self._name}-{self._numbers}")
