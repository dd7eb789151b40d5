"""What becomes of a message, given what its run came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from rushes.errors import ErrorClass
from rushes.model import Failure, JobStatus, Outcome, Retries
from rushes.sources.pubsub.client import SubscriptionFacts
from rushes.sources.whole_items import again_in

BACKOFF = Retries(max_attempts=1_000_000, jitter=0.2)
"""Where Pub/Sub counts the attempts."""


class Fate(Enum):
    """What is done with a message."""

    ACKNOWLEDGED = "acknowledged"
    DEAD_LETTER = "dead_letter"
    """Published to the dead-letter topic by us, then acknowledged."""
    GIVEN_BACK = "given_back"
    """Delivered again, or after its last attempt made a dead letter by Pub/Sub."""
    KEPT = "kept"
    """Held here until it may be tried again: to give it back would count as a delivery."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is recorded of a request and done with its message."""

    fate: Fate
    status: JobStatus
    delay: timedelta = timedelta(0)
    """Before it is delivered, or tried, again."""

    @property
    def final(self) -> bool:
        """Whether its result is to be told: no further run is expected."""
        return self.status in (JobStatus.COMPLETED, JobStatus.FAILED)


HOPELESS = Verdict(Fate.DEAD_LETTER, JobStatus.FAILED)
"""No run of it can help, or none will be tried."""


def verdict_on(
    outcome: Outcome, facts: SubscriptionFacts, *, delivery: int, attempts: int, most: int, chance: float
) -> Verdict:
    """Decide about a message.

    Args:
        outcome: what the run of its request came to.
        facts: of the subscription.
        delivery: which one it was, as Pub/Sub counts; 0 where it does not.
        attempts: which run of the request it was, as the ledger counts.
        most: runs of a request where Pub/Sub does not count.
        chance: from 0 to 1, drawn for the jitter.
    """
    failure = outcome.failure
    if outcome.produced is not None:
        return Verdict(Fate.ACKNOWLEDGED, JobStatus.COMPLETED)
    if failure is None or failure.environment:
        return Verdict(Fate.GIVEN_BACK, JobStatus.QUEUED)
    if failure.error_class in (ErrorClass.PERMANENT, ErrorClass.NEEDS_INPUT):
        return HOPELESS
    return _after(failure, facts, delivery, attempts, most, chance)


def _after(
    failure: Failure, facts: SubscriptionFacts, delivery: int, attempts: int, most: int, chance: float
) -> Verdict:
    """Decide about a message whose run may go better the next time."""
    if failure.error_class is ErrorClass.RATE_LIMITED and failure.retry_after:
        # To wait because somebody asked for it is no attempt.
        return Verdict(Fate.KEPT, JobStatus.QUEUED, failure.retry_after)
    if delivery and facts.max_attempts and delivery >= facts.max_attempts:
        return Verdict(Fate.GIVEN_BACK, JobStatus.FAILED)  # Pub/Sub makes a dead letter of it
    # Without a dead-letter policy Pub/Sub would deliver it for ever: the worker's own limit ends that.
    retries = BACKOFF if delivery else Retries(max_attempts=most, jitter=BACKOFF.jitter)
    delay = again_in(failure, delivery or attempts, retries, chance=chance)
    if delay is None:
        return HOPELESS
    # Where the subscription has a retry policy, that lets it rest.
    return Verdict(Fate.GIVEN_BACK, JobStatus.RETRYING, timedelta(0) if facts.backs_off else delay)
