"""What becomes of an item whose run has ended: it is done, tried again, or has failed for good."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rushes.errors import ErrorClass
from rushes.model import Failure, ItemStatus, Retries
from rushes.sources.bigquery import columns
from rushes.sources.bigquery.columns import Column
from rushes.sources.bigquery.hand import Hand, Item
from rushes.sources.bigquery.staging import Staging
from rushes.sources.results import ItemResult
from rushes.sources.whole_items import DIED, again_in


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Decides, and has results staged."""

    hand: Hand
    staging: Staging
    retries: Retries
    filled: Sequence[Column]
    types: Mapping[str, str]

    def told(self, result: ItemResult) -> str:
        """A result as it is staged. Raises: ValueError, if no table can hold it."""
        return columns.staged(self.filled, self.types, result)

    def completed(self, item: Item, told: str) -> None:
        """It is done."""
        self.hand.end(item)
        self.staging.add(item.key, "completed", attempt=item.attempts + 1, error=None, result=told)

    def released(self, item: Item) -> None:
        """Nothing has come of it, and nothing is counted."""
        self.hand.end(item)
        self.hand.back(item)

    def failed(self, item: Item, failure: Failure) -> None:
        """It is tried again, if that can help."""
        self.hand.end(item)
        item.failure = failure
        if item.refused:
            self.failed_for_good(item, failure)
            return
        limited = failure.error_class is ErrorClass.RATE_LIMITED
        item.attempts += not limited
        delay = again_in(
            failure, item.attempts, self.retries, deferred=item.deferred, chance=random.random()  # noqa: S311  (no secret)
        )  # fmt: skip
        if delay is None:
            self.failed_for_good(item, failure)
            return
        if limited:
            item.deferred += delay
            self.hand.rest(item.lane, delay)
        self.hand.again(item, delay)

    def failed_for_good(self, item: Item, failure: Failure) -> None:
        """No run of it can help."""
        result = ItemResult(
            ItemStatus.FAILED, title=item.title, error_class=failure.error_class.value, error=failure.message,
            remedy=failure.remedy, attempts=item.attempts,
        )  # fmt: skip
        self.staging.add(
            item.key, "failed", attempt=item.attempts, error=failure.message, result=self.told(result)
        )  # fmt: skip

    def unfinished(self, item: Item) -> None:
        """It goes back to everybody, with what has been counted."""
        error = item.failure.message if item.failure else DIED if item.died else None
        self.staging.add(item.key, "retry", attempt=item.attempts, error=error, result=None)
