"""The subscription as a source of work: each message one item, all of its stages under one lease."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from rushes.errors import RushesError, SettingsError
from rushes.model import JobStatus, Lease, Outcome, Plan, Trust, Verdict
from rushes.requests import Beat as RequestBeat
from rushes.requests import Ending, Ledger, LedgerInMemory
from rushes.settings import Settings
from rushes.sources.base import Assignment, Beat, Standing
from rushes.sources.pubsub.acks import Acks
from rushes.sources.pubsub.client import Client, SubscriptionFacts
from rushes.sources.pubsub.deadlines import Deadlines
from rushes.sources.pubsub.desk import Desk
from rushes.sources.pubsub.faults import explained, is_outage, is_refusal
from rushes.sources.pubsub.held import Held
from rushes.sources.pubsub.intake import Intake
from rushes.sources.pubsub.names import Names
from rushes.sources.pubsub.publishing import DEAD_LETTERS, RESULTS, Publishing
from rushes.sources.pubsub.pulling import Patience, Puller
from rushes.sources.pubsub.reading import Reader, Resolve
from rushes.sources.pubsub.resting import Resting
from rushes.sources.pubsub.settling import Settler
from rushes.sources.pubsub.telling import folder_of
from rushes.sources.whole_items import SLOT, MadeInStorage, Numbering, WholeItem
from rushes.storage import Manifests

OPEN_WITHIN = 6.0
"""Seconds for which a service that cannot be reached is waited for at the start."""
OPEN_AGAIN = 0.3
LAST_PULL = 1.0
"""Seconds for which a pull under way is waited for at the end: one that is broken off may leave messages to nobody."""
SUBSCRIPTION = "RUSHES_PUBSUB_SUBSCRIPTION (or PUBSUB_SUBSCRIPTION)"

log = logging.getLogger(__name__)


class PubSubSource(MadeInStorage):
    """Messages of one subscription."""

    name = "pubsub"

    def __init__(
        self,
        settings: Settings,
        resolve: Resolve,
        *,
        ledger: Ledger | None = None,
        pipeline: str | None = None,
        enqueue: bool = False,
    ) -> None:
        """`resolve` makes plans of pipelines' names. By default the ledger is one in memory.

        `pipeline` is that of messages which name none. With `enqueue` nothing is run: an item that is settled as completed
        is the ledger's to put into a queue.

        Raises: SettingsError, which names the variable that is lacking.
        """
        super().__init__(Manifests(settings.artifacts))
        self._settings = settings
        self._names = Names.of(settings)
        self._reader = Reader(resolve, pipeline)
        self._ledger: Ledger = ledger or LedgerInMemory()
        self._enqueue = enqueue
        # A message names what is worked at; how, as far as it does not say, is for who runs the worker to choose.
        self._numbering = Numbering(Trust.UNTRUSTED, chosen_by=Trust.LOCAL)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ended = False
        # Made when it is entered.
        self._client: Client
        self._facts: SubscriptionFacts
        self._desk: Desk
        self._acks: Acks
        self._intake: Intake
        self._puller: Puller
        self._settler: Settler

    async def __aenter__(self) -> Self:
        self._client = self._make_client()
        try:
            self._facts = await self._look_at_subscription()
            dead_letters = self._names.dead_letters or self._facts.dead_letter_topic
            await self._check_topics()
        except BaseException:
            await self._client.close()
            raise
        self._say_what_is_lacking(dead_letters)
        self._set_up(dead_letters)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.end_claims()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._client.close()

    async def claim(self, slots: Mapping[str, int]) -> Sequence[Assignment]:
        if self._ended or self._desk.pause:
            return ()
        for task in self._tasks.values():
            if task.done():
                task.result()
        taken = self._desk.claim(slots.get(SLOT, 0))
        if not taken and self._desk.trouble:
            raise self._desk.trouble
        return [held.assignment for held in taken if held.assignment]

    async def end_claims(self) -> None:
        self._ended = True
        self._desk.claim(0)
        self._puller.stop()
        self._intake.stop()
        ending = [self._tasks[name] for name in ("puller", "intake")]
        await asyncio.wait(ending, timeout=LAST_PULL)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        try:
            await self._intake.give_back_unclaimed()
        except Exception as error:
            if not (is_outage(error) or is_refusal(error)):
                raise
            log.warning("messages could not be given back, and come again when their leases run out: %s", error)

    async def extend(self, beats: Sequence[Beat]) -> Sequence[Verdict]:
        helds = [self._desk.running(lease.job_id) for lease, _, _ in beats]
        alive = [(held, beat) for held, beat in zip(helds, beats, strict=True) if held and not held.settling]
        known = [(held, beat) for held, beat in alive if held.request.id]
        still = await self._ledger.beat([_beat(held, beat) for held, beat in known]) if known else ()
        taken_over = {held for (held, _), holds in zip(known, still, strict=True) if not holds}
        lost = {held for held, _ in alive if (held.lost or held in taken_over) and not held.settling}
        for held in lost:
            await self._let_go(held, ours=held not in taken_over)
        return [Verdict.LOST if held in lost else Verdict.GO_ON for held in helds]

    async def settle(self, outcomes: Sequence[Outcome]) -> Sequence[Lease]:
        return await self._settler.settle(outcomes)

    async def tick(self) -> float | None:
        return None

    async def wait(self, timeout: float) -> None:
        self._desk.changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._desk.changed.wait()

    async def standing(self) -> Standing:
        if self._desk.pause:
            log.error("%s\n  %s", self._desk.pause.reason, self._desk.pause.remedy or "")
            return Standing.PAUSED
        return Standing.EMPTY if self._desk.empty else Standing.WORK_LEFT

    def is_outage(self, error: Exception) -> bool:
        return is_outage(error)

    def _make_client(self) -> Client:
        try:
            return Client(self._names.subscription)
        except Exception as error:
            if not is_refusal(error):
                raise
            raise explained(error, self._names.subscription, SUBSCRIPTION) from error

    async def _look_at_subscription(self) -> SubscriptionFacts:
        """Raises: SettingsError, RushesError (it cannot be reached)."""
        from google.api_core.exceptions import PermissionDenied

        name = self._names.subscription
        loop = asyncio.get_running_loop()
        deadline = loop.time() + OPEN_WITHIN
        while True:
            try:
                return await self._client.facts()
            except PermissionDenied:
                log.warning(
                    "%s may not be looked at (roles/pubsub.viewer): whether it has a dead-letter topic is not known",
                    name,
                )
                return SubscriptionFacts()
            except Exception as error:
                if is_refusal(error):
                    raise explained(error, name, SUBSCRIPTION) from error
                if not is_outage(error):
                    raise
                if loop.time() > deadline:
                    raise RushesError(f"Pub/Sub cannot be reached: {error}", remedy="Try again later.") from error
                await asyncio.sleep(OPEN_AGAIN)

    async def _check_topics(self) -> None:
        """Raises: SettingsError, for a topic that does not exist."""
        for topic, variable in ((self._names.results, RESULTS), (self._names.dead_letters, DEAD_LETTERS)):
            if topic and not await self._client.topic_exists(topic):
                raise SettingsError(f"{topic} does not exist", remedy=f"Create it, or correct {variable}.")

    def _say_what_is_lacking(self, dead_letters: str | None) -> None:
        if dead_letters is None:
            log.warning(
                "there is no dead-letter topic: messages that no retry can help are recorded and acknowledged, no more"
                " (%s)", DEAD_LETTERS,
            )  # fmt: skip
        if not self._ledger.lasting:
            log.warning("there is no database: a request that comes twice is recognized within this run alone")

    def _set_up(self, dead_letters: str | None) -> None:
        settings, facts = self._settings, self._facts
        self._desk = desk = Desk(ordered=facts.ordered)
        self._acks = Acks(self._client, self._refused)
        deadlines = Deadlines(self._acks, desk, settings.lease)
        resting = Resting()
        publishing = Publishing(
            self._client, desk, subscription=self._names.subscription, results=self._names.results,
            dead_letters=dead_letters,
        )  # fmt: skip
        self._intake = Intake(
            self._reader, desk, self._acks, deadlines, self._ledger, resting,
            most_attempts=settings.item_attempts, most_deliveries=facts.max_attempts, assign=self._assign,
            tell=self._tell,
        )  # fmt: skip
        self._settler = Settler(
            desk, self._intake, self._acks, self._ledger, publishing, resting, settings, facts,
            runs=not self._enqueue, lease=deadlines.lease,
        )  # fmt: skip
        self._puller = Puller(
            self._client, desk, Patience(settings.pubsub_pull, settings.empty_timeout), self._intake.arrived,
            refused=self._refused, most=settings.batch_size,
        )  # fmt: skip
        for name, work in (
            ("puller", self._puller.run()), ("intake", self._intake.run()), ("deadlines", deadlines.run()),
        ):  # fmt: skip
            self._tasks[name] = asyncio.create_task(work, name=f"pubsub {name}")

    async def _tell(self, results: Mapping[Held, Mapping[str, Any]]) -> bool:
        return await self._settler.tell(results)

    def _refused(self, error: Exception) -> None:
        """The subscription cannot be used any more."""
        refusal = explained(error, self._names.subscription, SUBSCRIPTION)
        self._desk.stop_for(refusal.reason, refusal.remedy)

    def _assign(self, held: Held) -> Assignment:
        request, permit = held.request, held.permit
        assert permit
        plan = request.plan or Plan("malformed", ())
        item = WholeItem(
            folder=folder_of(request),
            plan=Plan(plan.pipeline, ()) if self._enqueue else plan,
            source=request.source,
            payload=request.payload,
            reference=str(request.id) if request.id else f"message {request.message_id}",
            correlation_id=request.correlation_id,
            item_options={} if self._enqueue else request.options,
            attempts=permit.attempts,
            max_attempts=self._facts.max_attempts or self._settings.item_attempts,
            priority=request.priority,
            timeout=self._settings.item_timeout,
        )
        return replace(self._numbering.assignment(item), refused=held.refused)

    async def _let_go(self, held: Held, *, ours: bool) -> None:
        """A message is somebody else's now, or will be. `ours`: its request is not yet."""
        later = self._desk.gone(held)
        try:
            if ours and held.permit and held.request.id:
                await self._ledger.end([Ending(held.request, held.permit.token, JobStatus.QUEUED)])
            await self._acks.give_back(later if ours else [held, *later])
        except Exception as error:
            if not (is_outage(error) or is_refusal(error)):
                raise
            log.warning("messages could not be given back, and come again when their leases run out: %s", error)


def _beat(held: Held, beat: Beat) -> RequestBeat:
    """How far a request is: the stage that its note begins with, and a percentage."""
    _, fraction, note = beat
    assert held.request.id
    assert held.permit
    stages = [step.stage for step in held.request.plan.steps] if held.request.plan else []
    first = (note or "").partition(":")[0]
    stage = first if first in stages else (stages[0] if len(stages) == 1 else None)
    return RequestBeat(held.request.id, held.permit.token, stage, round(100 * (fraction or 0)))
