"""Publishing results and dead letters. A topic that refuses stops the worker: what it takes in would come to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rushes.model import Failure
from rushes.sources.pubsub.client import Client
from rushes.sources.pubsub.desk import Desk
from rushes.sources.pubsub.faults import explained, is_refusal
from rushes.sources.pubsub.held import Held
from rushes.sources.pubsub.telling import dead_letter, result_message

RESULTS, DEAD_LETTERS = "RUSHES_PUBSUB_RESULTS", "RUSHES_PUBSUB_DEAD_LETTERS"


class Publishing:
    """The two topics that a worker publishes to, where there are any."""

    def __init__(
        self, client: Client, desk: Desk, *, subscription: str, results: str | None, dead_letters: str | None
    ) -> None:
        self._client = client
        self._desk = desk
        self._subscription = subscription
        self._results = results
        self._dead_letters = dead_letters

    @property
    def takes_results(self) -> bool:
        return self._results is not None

    async def results(self, results: Sequence[Mapping[str, Any]]) -> bool:
        """Publish results. Returns whether they are published; without a topic there is nothing to do."""
        return await self._publish(self._results, RESULTS, [result_message(result) for result in results])

    async def dead_letters(self, letters: Mapping[Held, Failure]) -> bool:
        """Publish messages that no retry can help, each with why. Returns as `results`."""
        messages = [dead_letter(held, failure, self._subscription) for held, failure in letters.items()]
        return await self._publish(self._dead_letters, DEAD_LETTERS, messages)

    async def _publish(self, topic: str | None, variable: str, messages: Sequence[Any]) -> bool:
        if topic is None or not messages:
            return True
        try:
            await self._client.publish(topic, messages)
        except Exception as error:
            if not is_refusal(error):
                raise
            refusal = explained(error, topic, variable)
            self._desk.stop_for(refusal.reason, refusal.remedy)
            return False
        return True
