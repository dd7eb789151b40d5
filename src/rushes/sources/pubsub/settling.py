"""Settling: what runs came to is recorded, then told, then answered to Pub/Sub, in this order.

Each step is remembered. If something is away in between, all of it may be asked for again, and only what is left is done.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rushes.model import JobStatus, Lease, Outcome
from rushes.requests import Ending, Ledger
from rushes.settings import Settings
from rushes.sources.pubsub.acks import Acks, by_delay
from rushes.sources.pubsub.client import SubscriptionFacts
from rushes.sources.pubsub.desk import Desk
from rushes.sources.pubsub.held import Held
from rushes.sources.pubsub.intake import Intake
from rushes.sources.pubsub.publishing import Publishing
from rushes.sources.pubsub.resting import Resting
from rushes.sources.pubsub.telling import folder_of, told, write_result
from rushes.sources.pubsub.verdicts import HOPELESS, Fate, Verdict, verdict_on
from rushes.sources.results import result_of
from rushes.storage import LocalStorage

STALE_AGAIN = timedelta(seconds=10)
"""After which a message is looked at again whose request somebody else has taken over."""


@dataclass(slots=True, eq=False)
class Settlement:
    """How far an outcome is settled."""

    held: Held
    outcome: Outcome
    verdict: Verdict
    result: Mapping[str, Any] | None = None
    """To be told; None: there will be another run."""
    counted: bool | None = None
    """Whether the ledger took it; None: it was not asked yet."""
    told: bool = False
    followers: list[Held] | None = None
    """Of a message that is given back: what waited for it, which goes back too."""
    answered: bool = False
    lost: bool = False
    """Its message was not acknowledged: it had been delivered to somebody else."""

    @property
    def stale(self) -> bool:
        return self.lost or self.counted is False


class Settler:
    """Settles outcomes."""

    def __init__(
        self,
        desk: Desk,
        intake: Intake,
        acks: Acks,
        ledger: Ledger,
        publishing: Publishing,
        resting: Resting,
        settings: Settings,
        facts: SubscriptionFacts,
        *,
        runs: bool,
        lease: timedelta,
    ) -> None:
        """`runs`: what is completed was run, not merely handed on. `lease`: how long a message is kept."""
        self._desk = desk
        self._intake = intake
        self._acks = acks
        self._ledger = ledger
        self._publishing = publishing
        self._resting = resting
        self._facts = facts
        self._storage = settings.artifacts
        self._keep_results = settings.storage is not None
        self._most_attempts = settings.item_attempts
        self._runs = runs
        self._lease = lease
        self._under_way: dict[Lease, Settlement] = {}

    async def settle(self, outcomes: Sequence[Outcome]) -> list[Lease]:
        """Settle outcomes. Returns the leases that were lost: their outcomes were dropped, or will be skipped next time."""
        settlements = [await self._begun(outcome) for outcome in outcomes]
        found = [settlement for settlement in settlements if settlement]
        unrecorded = [each for each in found if each.counted is None]
        if self._facts.exactly_once and not self._ledger.lasting:
            await self._drop_what_is_lost(unrecorded)
        await self._record(unrecorded)
        await self._tell([each for each in found if not (each.told or each.stale)])
        await self._answer([each for each in found if not each.answered])
        for outcome in outcomes:
            self._under_way.pop(outcome.lease, None)
        return [each.outcome.lease for each in found if each.stale]

    async def _begun(self, outcome: Outcome) -> Settlement | None:
        """The settlement of an outcome, as far as it is; None for a message that is not here any more."""
        known = self._under_way.get(outcome.lease)
        if known and known.outcome is outcome:
            return known
        held = self._desk.running(outcome.lease.job_id)
        if held is None or held.permit is None or held.assignment is None:
            return None
        verdict = HOPELESS if held.refused else verdict_on(
            outcome, self._facts, delivery=held.attempt, attempts=held.permit.attempts, most=self._most_attempts,
            chance=random.random(),  # noqa: S311  (jitter)
        )  # fmt: skip
        held.settling = True
        settlement = Settlement(held, outcome, verdict)
        if verdict.final and (self._runs or outcome.failure):
            settlement.result = await asyncio.to_thread(self._result, settlement)
        self._under_way[outcome.lease] = settlement
        return settlement

    def _result(self, settlement: Settlement) -> Mapping[str, Any]:
        held = settlement.held
        assert held.assignment
        try:
            result = result_of(held.assignment, settlement.outcome, LocalStorage(self._storage))
        except OSError as error:  # which would pass for an outage
            raise RuntimeError(f"what was made cannot be read: {error}") from error
        return told(held.request, result)

    async def _drop_what_is_lost(self, settlements: Sequence[Settlement]) -> None:
        """Ask whether the leases still hold: without a database only that keeps a late outcome from being told."""
        lost = await self._acks.extend([each.held for each in settlements], self._lease) if settlements else ()
        for settlement in settlements:
            if settlement.held.lost or settlement.held in lost:
                settlement.lost = True
                settlement.verdict = Verdict(Fate.GIVEN_BACK, JobStatus.QUEUED)

    async def _record(self, settlements: Sequence[Settlement]) -> None:
        if not settlements:
            return
        counted = await self._ledger.end([_ending(each) for each in settlements])
        for settlement, counts in zip(settlements, counted, strict=True):
            settlement.counted = counts
            self._note(settlement)

    def _note(self, settlement: Settlement) -> None:
        """What an outcome means beyond its message."""
        failure = settlement.outcome.failure
        if failure is None:
            return
        if failure.environment:
            self._desk.stop_for(failure.message, failure.remedy)
        elif settlement.verdict.fate is Fate.KEPT:
            self._resting.rest(settlement.held.request, failure.stage, settlement.verdict.delay)

    async def _tell(self, settlements: Sequence[Settlement]) -> None:
        """Publish results and dead letters. What cannot be published is given back, to be told at its next delivery."""
        final = [each for each in settlements if each.result is not None]
        if not await self.tell({each.held: each.result for each in final if each.result}):
            _give_back_instead(final)
        dead = [each for each in settlements if each.verdict.fate is Fate.DEAD_LETTER]
        letters = {each.held: each.outcome.failure for each in dead if each.outcome.failure}
        if not await self._publishing.dead_letters(letters):
            _give_back_instead(dead)
        for settlement in settlements:
            settlement.told = True

    async def tell(self, results: Mapping[Held, Mapping[str, Any]]) -> bool:
        """Write results into storage and publish them, where either is wanted. Returns whether that was possible."""
        if self._keep_results and not await asyncio.to_thread(self._write, results):
            return False
        if not await self._publishing.results(list(results.values())):
            return False
        told_of = [held.request.id for held in results if held.request.id]
        if told_of and (self._keep_results or self._publishing.takes_results):
            await self._ledger.told(told_of)
        return True

    def _write(self, results: Mapping[Held, Mapping[str, Any]]) -> bool:
        """Write results into storage. Returns whether that was possible; if not, the worker stops."""
        try:
            for held, result in results.items():
                write_result(result, self._storage, folder_of(held.request))
        except OSError as error:
            reason = f"results cannot be written into {self._storage}: {error.strerror or error}"
            self._desk.stop_for(reason, "Free some space, or correct RUSHES_STORAGE.")
            return False
        return True

    async def _answer(self, settlements: Sequence[Settlement]) -> None:
        """Acknowledge and give back. What follows in order goes on, or goes back too."""
        counted = [each for each in settlements if each.counted]
        kept = [each for each in counted if each.verdict.fate is Fate.KEPT]
        done = [each for each in counted if each.verdict.fate in (Fate.ACKNOWLEDGED, Fate.DEAD_LETTER)]
        await self._acknowledge(done)
        for settlement in kept:
            settlement.answered = True
            self._intake.rest(settlement.held, settlement.verdict.delay)
        back = [each for each in settlements if each not in done and each not in kept]
        for settlement in back:
            # First: once given back it may come again before the call returns, and that is another delivery.
            if settlement.followers is None:
                settlement.followers = self._desk.gone(settlement.held)
        for delay, helds in by_delay({each.held: _delay(each) for each in back}).items():
            await self._acks.give_back(helds, delay)
        await self._acks.give_back([follower for each in back for follower in each.followers or ()])
        for settlement in back:
            settlement.answered = True

    async def _acknowledge(self, settlements: Sequence[Settlement]) -> None:
        lost = await self._acks.acknowledge([each.held for each in settlements])
        for settlement in settlements:
            settlement.answered = True
            settlement.lost = settlement.held in lost
            for following in self._desk.done(settlement.held):
                self._intake.begin(following)


def _delay(settlement: Settlement) -> timedelta:
    return settlement.verdict.delay if settlement.counted else STALE_AGAIN


def _give_back_instead(settlements: Sequence[Settlement]) -> None:
    for settlement in settlements:
        settlement.verdict = Verdict(Fate.GIVEN_BACK, settlement.verdict.status)


def _ending(settlement: Settlement) -> Ending:
    held = settlement.held
    assert held.permit
    return Ending(
        held.request, held.permit.token, settlement.verdict.status, settlement.outcome.failure, settlement.result
    )
