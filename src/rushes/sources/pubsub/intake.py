"""Intake: from messages that came to assignments that may be claimed.

What was done before is acknowledged, what somebody else is doing is given back for a while, and messages of one ordering key
come one after the other. What would ask somebody who asked for rest is kept until that is over: to give it back would count
as a delivery. A request that was there when workers died runs by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from rushes.model import JobStatus
from rushes.requests import Answer, Ending, Ledger, Permit
from rushes.sources.pubsub.acks import Acks, by_delay
from rushes.sources.pubsub.deadlines import Deadlines
from rushes.sources.pubsub.desk import Desk
from rushes.sources.pubsub.faults import is_outage
from rushes.sources.pubsub.held import Held, State
from rushes.sources.pubsub.reading import Reader
from rushes.sources.pubsub.resting import Resting
from rushes.sources.whole_items import died_out, only_posted

if TYPE_CHECKING:
    from google.pubsub_v1.types import ReceivedMessage

    from rushes.sources.base import Assignment

T = TypeVar("T")

RETRY_SECONDS = 1.0
MOMENT = timedelta(seconds=1)
MOST_RESTING = 1000
"""Messages kept at once until somebody may be asked again; more are given back."""
LONGEST_REST = timedelta(hours=1)
"""After which a message is looked at again, however long a rest was asked for."""
FORGIVEN = 2
"""Workers that ended while they ran a request and are not held against it, as in the queue: power fails, people kill."""
INTAKE = "intake"

log = logging.getLogger(__name__)


class Intake:
    """Takes messages in."""

    def __init__(
        self,
        reader: Reader,
        desk: Desk,
        acks: Acks,
        deadlines: Deadlines,
        ledger: Ledger,
        resting: Resting,
        *,
        most_attempts: int,
        most_deliveries: int | None,
        assign: Callable[[Held], Assignment],
        tell: Callable[[Mapping[Held, Mapping[str, Any]]], Awaitable[bool]],
    ) -> None:
        """`most_attempts`: how often a request may take its worker with it. `most_deliveries`: after so many Pub/Sub makes
        it a dead letter. `assign` makes a message's assignment. `tell` tells results, and says if that is done.
        """
        self._reader = reader
        self._desk = desk
        self._acks = acks
        self._deadlines = deadlines
        self._ledger = ledger
        self._resting = resting
        self._most_attempts = most_attempts
        self._most_deliveries = most_deliveries
        self._assign = assign
        self._tell = tell
        self._waiting: list[Held] = []
        self._stopping = False

    async def arrived(self, received: Sequence[ReceivedMessage]) -> None:
        """Take in what a pull brought: from now on its leases are kept."""
        fresh: list[Held] = []
        for each in received:
            known = self._desk.get(each.message.message_id)
            if known is not None:
                known.redelivered(each)
                continue
            held = await asyncio.to_thread(self._reader.held, each) if _is_large(each) else self._reader.held(each)
            fresh.append(held)
            if self._desk.add(held):
                self.begin(held)
        if fresh:
            await self._deadlines.extend(fresh)

    def begin(self, held: Held) -> None:
        """Have a message taken up that need not wait for another."""
        self._waiting.append(held)
        self._desk.due.set()

    def rest(self, held: Held, delay: timedelta) -> None:
        """Keep a message until whom it would ask may be asked again."""
        self._desk.rest(held)
        asyncio.get_running_loop().call_later(min(delay, LONGEST_REST).total_seconds(), self._rested, held)

    async def run(self) -> None:
        """Take up what comes, until it is stopped or cancelled."""
        while not self._stopping:
            await self._take_up(self._next())
            await self._desk.due.wait()
            self._desk.due.clear()

    def stop(self) -> None:
        """Take up nothing more; what is under way is brought to its end."""
        self._stopping = True
        self._desk.due.set()

    async def give_back_unclaimed(self) -> None:
        """Nobody is going to claim what is here."""
        unclaimed = self._desk.unclaimed()
        for held in unclaimed:
            self._desk.gone(held)
        begun = [held for held in unclaimed if held.permit and held.request.id]
        try:  # first: whoever gets the message next must not find its request taken
            if begun:
                await self._ledger.end([_given_back(held) for held in begun])
        finally:
            await self._acks.give_back(unclaimed)

    def _rested(self, held: Held) -> None:
        if held.state is State.RESTING:
            held.state = State.ARRIVED
            self.begin(held)

    def _next(self) -> list[Held]:
        """What to take up now: what has come; a suspect, when nothing else is under way; beside that nothing."""
        if self._desk.solo:
            return []
        waiting, self._waiting = self._waiting, []
        return [held for held in waiting if held.state is State.ARRIVED] or self._desk.next_suspect()

    async def _take_up(self, helds: list[Held]) -> None:
        if self._desk.pause:
            await self.give_back(helds, timedelta(0))
            return
        rests = {held: left for held in helds if not held.refused and (left := self._resting.left(held.request))}
        crowded = self._keep_resting(rests)
        helds = [held for held in helds if held not in rests and self._desk.begin(held)]
        permits = await self._until_done(lambda: self._permits(helds))
        await self._make_ready({held: permit for held, permit in permits.items() if permit.answer is Answer.GO})
        await self._skip([held for held, permit in permits.items() if permit.answer is Answer.DONE], permits)
        busy = {held: _busy_for(held, permit) for held, permit in permits.items() if permit.answer is Answer.BUSY}
        await self._postpone({**busy, **crowded})

    def _keep_resting(self, rests: Mapping[Held, timedelta]) -> dict[Held, timedelta]:
        """Keep messages that must rest, as far as there is room. Returns the others."""
        kept = list(rests)[: max(0, MOST_RESTING - self._desk.resting)]
        for held in kept:
            self.rest(held, rests[held])
        return {held: delay for held, delay in rests.items() if held not in kept}

    async def _make_ready(self, permits: Mapping[Held, Permit]) -> None:
        """Have requests run, but for suspects whose turn has not come: until then they are nobody's."""
        for held, permit in permits.items():
            held.permit = permit
            self._judge(held, permit)
        waiting = [held for held in permits if held.suspect and not self._desk.isolate(held)]
        if waiting:
            await self._until_done(lambda: self._ledger.end([_given_back(held) for held in waiting]))
        for held in permits:
            if held in waiting:
                held.permit = None
            else:
                held.assignment = self._assign(held)
                self._desk.make_ready(held)

    def _judge(self, held: Held, permit: Permit) -> None:
        """Have a request run alone during which workers have ended, and no more when that happened too often."""
        plan = held.request.plan
        if permit.crashes < FORGIVEN or plan is None or only_posted(plan):
            return
        held.crashes = permit.crashes
        # What ran by itself and has no other delivery left would otherwise go unrecorded.
        last = self._most_deliveries and held.attempt >= self._most_deliveries and permit.crashes > FORGIVEN
        if last or permit.crashes >= FORGIVEN + self._most_attempts:
            held.refused = died_out(permit.crashes)
        else:
            held.suspect = True

    async def _permits(self, helds: Sequence[Held]) -> Mapping[Held, Permit]:
        """What the ledger says of each. A message that names no request needs nobody's leave."""
        asked = [held for held in helds if held.request.id]
        answers = await self._ledger.begin([held.request for held in asked]) if asked else ()
        nameless = [held for held in helds if not held.request.id]
        return {**dict(zip(asked, answers, strict=True)), **dict.fromkeys(nameless, Permit(Answer.GO))}

    async def _skip(self, done: Sequence[Held], permits: Mapping[Held, Permit]) -> None:
        """Acknowledge what was completed before, when its result is told."""
        if not done:
            return
        log.info("skipped, since completed before: %s", ", ".join(str(held.request.id) for held in done))
        untold = {held: result for held in done if (result := permits[held].untold)}
        if untold and not await self._until_done(lambda: self._tell(untold)):
            await self.give_back(list(untold), MOMENT)
            done = [held for held in done if held not in untold]
        await self._until_done(lambda: self._acks.acknowledge(done))
        for held in done:
            for following in self._desk.done(held):
                self.begin(following)

    async def _postpone(self, delays: Mapping[Held, timedelta]) -> None:
        for delay, helds in by_delay(delays).items():
            await self.give_back(helds, delay)

    async def give_back(self, helds: Sequence[Held], delay: timedelta) -> None:
        """Have messages delivered again later, and those at once that follow them in order."""
        # First: once given back it may come again before the call returns, and that is another delivery.
        followers = [follower for held in helds for follower in self._desk.gone(held)]
        await self._until_done(lambda: self._acks.give_back(helds, delay))
        await self._until_done(lambda: self._acks.give_back(followers))

    async def _until_done(self, call: Callable[[], Awaitable[T]]) -> T:
        """Try again while something is away. What is held is kept meanwhile."""
        while True:
            try:
                result = await call()
            except Exception as error:
                if not is_outage(error):
                    raise
                self._desk.in_trouble(INTAKE, error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._desk.out_of_trouble(INTAKE)
                return result


def _busy_for(held: Held, permit: Permit) -> timedelta:
    """Until its worker's lease is over. If that lives, the next look may be later: each counts as a delivery attempt."""
    return (permit.wait + MOMENT) * (1 << min(max(0, held.attempt - 1), 10))


def _given_back(held: Held) -> Ending:
    assert held.permit
    return Ending(held.request, held.permit.token, JobStatus.QUEUED)


def _is_large(received: ReceivedMessage) -> bool:
    """Whether reading it would keep others waiting."""
    return len(received.message.data) > 100_000  # noqa: PLR2004  (about a millisecond)
