"""A Pub/Sub subscription, with exactly-once delivery: only that tells a worker that its lease is lost."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from rushes.settings import Settings
from rushes.sources.base import WorkSource
from rushes.sources.pubsub import PubSubSource
from rushes.sources.whole_items import SLOT
from rushes.stages.strangers import Pipelines
from rushes.testing.pubsub import PubSubServer
from tests.pubsub import Clients


class PubSubDoor:
    """Messages, each of them one item of one stage. What failed for good is what came to the topic of dead letters."""

    name = "pubsub"
    differences: frozenset[str] = frozenset()
    slot = SLOT

    def __init__(self, server: PubSubServer, clients: Clients, folder: Path) -> None:
        self._server = server
        self._clients = clients
        self._folder = folder
        self._topic, self._dead = clients.topic(), clients.topic()
        self._subscription = clients.subscription(self._topic, enable_exactly_once_delivery=True)

    async def put(self, count: int) -> None:
        bodies = [{"request_id": str(uuid4()), "url": f"https://example.org/{n}"} for n in range(count)]
        await asyncio.to_thread(self._clients.publish, self._topic, *map(json.dumps, bodies))

    def source(self) -> WorkSource:
        settings = Settings.load(
            home=self._folder / "home", storage=str(self._folder / "artifacts"), pubsub_dead_letters=self._dead,
            pubsub_subscription=self._subscription, pubsub_pull=timedelta(seconds=1),
        )  # fmt: skip
        return PubSubSource(settings, Pipelines(settings).resolve, pipeline="door")

    async def expire(self) -> None:
        self._server.advance(601)

    async def states(self) -> Counter[str]:
        seen = self._server.inspect(self._subscription)
        failed = len(self._server.published(self._dead))
        return Counter(
            waiting=len(seen.waiting), leased=len(seen.outstanding), failed=failed,
            done=len(seen.record.acked) - failed,
        )  # fmt: skip

    def command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        return (
            ["--pipeline", "door", "--concurrency", "4"],
            {
                "RUSHES_HOME": str(self._folder / "home"), "RUSHES_STORAGE": str(self._folder / "artifacts"),
                "PUBSUB_EMULATOR_HOST": self._server.address, "RUSHES_PUBSUB_SUBSCRIPTION": self._subscription,
                "RUSHES_PUBSUB_DEAD_LETTERS": self._dead,
            },
        )  # fmt: skip
