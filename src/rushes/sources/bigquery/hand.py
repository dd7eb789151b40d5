"""What a task has in hand: items that are read and not begun, running, due again later, or done and not staged yet. Pure."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from rushes.model import JSON, Failure, Source


class Key(NamedTuple):
    """An item under one claim of it. Claimed anew it is another."""

    id: str
    claim: str


@dataclass(slots=True, eq=False)
class Item:
    """One item of the table."""

    key: Key
    source: Source
    title: str | None = None
    payload: JSON = field(default_factory=dict)
    """What goes along with it."""
    attempts: int = 0
    """That have begun and count."""
    died: bool = False
    """Its last attempt's worker ended under it. It may be to blame."""
    written: bool = False
    """That an attempt began is written down, so that it cannot go back as if nothing had been."""
    lane: str | None = None
    """Whose rest it shares."""
    deferred: timedelta = timedelta(0)
    """For how long it has been waiting because somebody asked for rest."""
    failure: Failure | None = None
    """Its last one."""
    refused: Failure | None = None
    """Why it is not to be run at all."""


class Hand:
    """The items of one task. An item is in one place at a time, and known until its result is staged."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._known: set[Key] = set()
        self._ready: deque[Item] = deque()
        self._suspects: deque[Item] = deque()
        self._due: list[tuple[float, int, Item]] = []
        self._numbers = itertools.count()
        self._begun: set[Item] = set()
        self._alone = False
        """A suspect has begun: nothing begins beside it."""
        self._resting: dict[str | None, float] = {}

    def __len__(self) -> int:
        """All that is known."""
        return len(self._known)

    def __contains__(self, key: Key) -> bool:
        return key in self._known

    @property
    def unbegun(self) -> int:
        """Items that could begin now, but for slots and rests."""
        return len(self._ready) + len(self._suspects)

    @property
    def waiting(self) -> int:
        """Items that are due again later."""
        return len(self._due)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to begin, running or due."""
        return not (self.unbegun or self._due or self._begun)

    def add(self, item: Item) -> None:
        """Take an item that was read."""
        self._known.add(item.key)
        (self._suspects if item.died else self._ready).append(item)

    def begin(self, most: int) -> list[Item]:
        """Items to begin now: those that are due again, then the others; one that killed its worker only by itself."""
        if self._alone:
            return []
        begun = self._due_now(most)
        begun += self._ready_now(most - len(begun))
        if most > 0 and self._suspects and not (begun or self._begun or self._ready or self._due):
            begun = [self._suspects.popleft()]
            self._alone = True
        self._begun.update(begun)
        return begun

    def _due_now(self, most: int) -> list[Item]:
        begun: list[Item] = []
        while self._due and len(begun) < most and self._due[0][0] <= self._now():
            begun.append(heapq.heappop(self._due)[-1])
        return begun

    def _ready_now(self, most: int) -> list[Item]:
        """Ready items whose hosts do not rest. The others keep their places."""
        resting = {lane for lane, until in self._resting.items() if until > self._now()}
        begun: list[Item] = []
        held: list[Item] = []
        while self._ready and len(begun) < most:
            item = self._ready.popleft()
            (held if item.lane in resting else begun).append(item)
        self._ready.extendleft(reversed(held))
        return begun

    def end(self, item: Item) -> None:
        """An item has ended, one way or another."""
        self._begun.discard(item)
        if not self._begun:
            self._alone = False

    def again(self, item: Item, delay: timedelta) -> None:
        """An item that has ended is to begin again after this time."""
        heapq.heappush(self._due, (self._now() + delay.total_seconds(), next(self._numbers), item))

    def back(self, item: Item) -> None:
        """An item that has ended without anything having come of it may begin again, before all others."""
        (self._suspects if item.died else self._ready).appendleft(item)

    def rest(self, lane: str | None, delay: timedelta) -> None:
        """Items of a lane begin no more for this time."""
        until = self._now() + delay.total_seconds()
        self._resting[lane] = max(self._resting.get(lane, until), until)

    def staged(self, keys: Iterable[Key]) -> None:
        """These are durable: they need not be known any more."""
        self._known.difference_update(keys)

    def next_due(self) -> float | None:
        """In how many seconds something may begin that cannot now."""
        times = [due[0] for due in self._due[:1]] + [until for until in self._resting.values() if until > self._now()]
        return max(0.0, min(times) - self._now()) if times else None

    def left_over(self) -> list[Item]:
        """Items that have begun, at some time, and have not come to a result."""
        due = [item for _, _, item in sorted(self._due)]
        back = [item for item in (*self._ready, *self._suspects) if item.written]
        return [*self._begun, *due, *back]

    def known(self) -> set[Key]:
        """All items that are known."""
        return set(self._known)

    def drop_unbegun(self) -> None:
        """Forget what has never begun: it goes back to everybody."""
        for place in (self._ready, self._suspects):
            kept = [item for item in place if item.written]
            self._known.difference_update(item.key for item in place if not item.written)
            place.clear()
            place.extend(kept)

    def drop(self) -> None:
        """Forget all items but those whose results are made: they are somebody else's now."""
        gone = [*self._ready, *self._suspects, *self._begun, *(item for _, _, item in self._due)]
        self._known.difference_update(item.key for item in gone)
        for place in (self._ready, self._suspects, self._begun, self._due):
            place.clear()
        self._alone = False
