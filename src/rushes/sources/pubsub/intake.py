"""Intake: from messages that came to assignments that may be claimed.

What was done before is acknowledged, what somebody else is doing is given back for a while, and messages of one ordering key
come one after the other.
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
from rushes.sources.pubsub.resting import RestingHosts
from rushes.sources.whole_items import died_out, only_posted

if TYPE_CHECKING:
    from google.pubsub_v1.types import ReceivedMessage

    from rushes.sources.base import Assignment

T = TypeVar("T")

RETRY_SECONDS = 1.0
MOMENT = timedelta(seconds=1)
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
        resting: RestingHosts,
        *,
        most_attempts: int,
        assign: Callable[[Held], Assignment],
        publish: Callable[[Sequence[Mapping[str, Any]]], Awaitable[bool]] | None,
    ) -> None:
        """`most_attempts`: how often a request may take its worker with it. `assign` makes a message's assignment. `publish`
        tells results that were not told, and says if that is done.
        """
        self._reader = reader
        self._desk = desk
        self._acks = acks
        self._deadlines = deadlines
        self._ledger = ledger
        self._resting = resting
        self._most_attempts = most_attempts
        self._assign = assign
        self._publish = publish
        self._waiting: list[Held] = []
        self._some = asyncio.Event()
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
        self._some.set()

    async def run(self) -> None:
        """Take up what comes, until it is stopped or cancelled."""
        while not self._stopping:
            waiting, self._waiting = self._waiting, []
            await self._take_up([held for held in waiting if held.state is State.ARRIVED])
            await self._some.wait()
            self._some.clear()

    def stop(self) -> None:
        """Take up nothing more; what is under way is brought to its end."""
        self._stopping = True
        self._some.set()

    async def give_back_unclaimed(self) -> None:
        """Nobody is going to claim what is here."""
        unclaimed = self._desk.unclaimed()
        for held in unclaimed:
            self._desk.gone(held)
        await self._acks.give_back(unclaimed)
        begun = [held for held in unclaimed if held.permit and held.request.id]
        if begun:
            await self._ledger.end([_given_back(held) for held in begun])

    async def _take_up(self, helds: list[Held]) -> None:
        if self._desk.pause:
            await self.give_back(helds, timedelta(0))
            return
        rests = {held: left for held in helds if not held.refused and (left := self._resting.left(held.request.source))}
        helds = [held for held in helds if held not in rests and self._desk.begin(held)]
        permits = await self._until_done(lambda: self._permits(helds))
        await self._make_ready({held: permit for held, permit in permits.items() if permit.answer is Answer.GO})
        await self._skip([held for held, permit in permits.items() if permit.answer is Answer.DONE], permits)
        busy = {held: _busy_for(held, permit) for held, permit in permits.items() if permit.answer is Answer.BUSY}
        await self._postpone({**busy, **rests})

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
        if permit.crashes >= FORGIVEN + self._most_attempts:
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
        if untold and self._publish and not await self._tell(untold, self._publish):
            await self.give_back(list(untold), MOMENT)
            done = [held for held in done if held not in untold]
        await self._until_done(lambda: self._acks.acknowledge(done))
        for held in done:
            for following in self._desk.done(held):
                self.begin(following)

    async def _tell(
        self,
        untold: Mapping[Held, Mapping[str, Any]],
        publish: Callable[[Sequence[Mapping[str, Any]]], Awaitable[bool]],
    ) -> bool:
        """Publish results that whoever completed the requests could not publish any more."""
        if not await self._until_done(lambda: publish(list(untold.values()))):
            return False
        told_of = [held.request.id for held in untold if held.request.id]
        await self._until_done(lambda: self._ledger.told(told_of))
        return True

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
