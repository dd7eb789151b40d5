"""What lies on a worker's desk: every message that it holds, what waits for what, and whether there may be more to come."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from rushes.model import JobId
from rushes.sources.pubsub.held import Held, State
from rushes.sources.pubsub.rows import Rows

ENOUGH_EMPTY = 2
"""Pulls that found nothing, one after the other, before a subscription counts as empty: a single one may be wrong."""
UNDER_WAY = frozenset({State.ARRIVED, State.READY, State.RUNNING})


@dataclass(frozen=True, slots=True)
class Pause:
    """Why the worker goes no further, and what somebody can do about it."""

    reason: str
    remedy: str | None


class Desk:
    """Bookkeeping alone: it calls nobody."""

    def __init__(self, *, ordered: bool) -> None:
        """`ordered`: messages of one ordering key are worked at one at a time, in the order in which they come."""
        self._ordered = ordered
        self._held: dict[str, Held] = {}
        self._running: dict[JobId, Held] = {}
        self._ready: deque[Held] = deque()
        self._suspects: list[Held] = []
        self._keys, self._requests = Rows(), Rows()
        self._free = 0
        self._most_free = 0
        self._empty_pulls = 0
        self._troubles: dict[str, Exception] = {}
        self.pause: Pause | None = None
        self.idle_since = time.monotonic()
        """When the last message was done with, or the last trouble over."""
        self.changed = asyncio.Event()
        """Something that the worker may want to know."""
        self.room_changed = asyncio.Event()
        self.due = asyncio.Event()
        """There may be something to take up."""
        self.solo: Held | None = None
        """A suspect that runs by itself: nothing is taken up beside it."""

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._held.values()))

    def get(self, message_id: str) -> Held | None:
        return self._held.get(message_id)

    def running(self, job: JobId) -> Held | None:
        return self._running.get(job)

    @property
    def room(self) -> int:
        """How many messages may be asked for: what free slots can begin at once, and no more."""
        waiting = sum(held.state is State.WAITING for held in self._held.values())
        if self.pause or waiting >= self._most_free or any(held.suspect for held in self._held.values()):
            return 0
        unclaimed = sum(held.state in (State.ARRIVED, State.READY) for held in self._held.values())
        return self._free - unclaimed

    @property
    def empty(self) -> bool:
        """Whether the subscription has nothing to give, as far as can be told. What rests is not waited for."""
        return not (self.busy or self._troubles) and self._empty_pulls >= ENOUGH_EMPTY

    @property
    def busy(self) -> bool:
        """Whether there is anything here to be worked at now."""
        return any(held.state is not State.RESTING for held in self._held.values())

    @property
    def resting(self) -> int:
        """How many messages rest here."""
        return sum(held.state is State.RESTING for held in self._held.values())

    @property
    def trouble(self) -> Exception | None:
        """Why work cannot go on for now."""
        return next(iter(self._troubles.values()), None)

    def add(self, held: Held) -> bool:
        """Take a message in. Returns whether it may be begun, or waits for another of its key."""
        self._held[held.message_id] = held
        self._empty_pulls = 0
        first = not (held.key and self._ordered) or self._keys.join(held.key, held)
        held.state = State.ARRIVED if first else State.WAITING
        return first

    def begin(self, held: Held) -> bool:
        """Whether a message may be taken up now, or waits for another one of its request."""
        first = held.request.id is None or self._requests.join(held.request.id, held)
        held.state = State.ARRIVED if first else State.WAITING
        return first

    def isolate(self, held: Held) -> bool:
        """Whether a suspect may run now, by itself; otherwise it waits until nothing else is under way."""
        if not self._under_way(besides=held):
            self.solo = held
            return True
        held.state = State.WAITING
        self._suspects.append(held)
        return False

    def next_suspect(self) -> list[Held]:
        """The suspect whose turn has come, if any: first the one that was there at the fewest deaths."""
        self._suspects = [held for held in self._suspects if held.state is State.WAITING]
        if self._under_way() or not self._suspects:
            return []
        held = min(self._suspects, key=lambda each: each.crashes)
        self._suspects.remove(held)
        held.state = State.ARRIVED
        return [held]

    def rest(self, held: Held) -> None:
        """It stays here, to be taken up again: whom it would ask has asked for rest."""
        if held.assignment:
            self._running.pop(held.assignment.job.id, None)
        held.assignment = held.permit = None
        held.settling = held.suspect = False
        held.state = State.RESTING
        self._freed(held)

    def make_ready(self, held: Held) -> None:
        held.state = State.READY
        self._ready.append(held)
        self.changed.set()

    def claim(self, free: int) -> list[Held]:
        """Hand out what is ready, and note how many slots are free then."""
        taken: list[Held] = []
        while self._ready and len(taken) < free:
            held = self._ready.popleft()
            if held.state is State.READY and held.assignment:  # it may be gone meanwhile
                held.state = State.RUNNING
                self._running[held.assignment.job.id] = held
                taken.append(held)
        self._free = free - len(taken)
        self._most_free = max(self._most_free, free)
        if taken:
            self._worked()
        self.room_changed.set()
        return taken

    def unclaimed(self) -> list[Held]:
        """What is here and not at work."""
        return [held for held in self if held.state is not State.RUNNING]

    def done(self, held: Held) -> list[Held]:
        """It is acknowledged. Returns what may be taken up now: the next of its key, the next of its request."""
        following = [row[0] for row in self._remove(held) if row]
        for each in following:
            each.state = State.ARRIVED
        return following

    def gone(self, held: Held) -> list[Held]:
        """It is given back or lost. Returns what goes back with it: whatever waited for it, that none overtakes it."""
        back: list[Held] = []
        leaving = [held]
        while leaving:
            waiting = [each for row in self._remove(leaving.pop()) for each in row if each.state is State.WAITING]
            leaving += waiting
            back += waiting
        return back

    def found_nothing(self) -> None:
        """A pull came back empty."""
        self._empty_pulls += 1
        self.changed.set()

    def in_trouble(self, whose: str, error: Exception) -> None:
        """Something is away for now: nothing can be told from pulls before it is back."""
        self._troubles[whose] = error
        self._empty_pulls = 0
        self._worked()
        self.changed.set()

    def out_of_trouble(self, whose: str) -> None:
        if self._troubles.pop(whose, None):
            self.changed.set()

    def stop_for(self, reason: str, remedy: str | None) -> None:
        """Take no more in: it waits for somebody."""
        self.pause = self.pause or Pause(reason, remedy)
        self.changed.set()

    def _under_way(self, *, besides: Held | None = None) -> bool:
        """Whether something runs, or is about to."""
        return any(held.state in UNDER_WAY for held in self._held.values() if held is not besides)

    def _remove(self, held: Held) -> tuple[list[Held], list[Held]]:
        """Returns those that waited for it: by key, and by request."""
        if self._held.get(held.message_id) is held:
            del self._held[held.message_id]
        if held.assignment:
            self._running.pop(held.assignment.job.id, None)
        held.state = State.GONE
        self._freed(held)
        return self._keys.leave(held.key, held), self._requests.leave(held.request.id, held)

    def _freed(self, held: Held) -> None:
        """It is not under way any more."""
        if self.solo is held:
            self.solo = None
        self._worked()
        self.room_changed.set()
        self.due.set()

    def _worked(self) -> None:
        self.idle_since = time.monotonic()
