"""A BigQuery table."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from rushes.settings import Settings
from rushes.sources.base import WorkSource
from rushes.sources.bigquery import BigQuerySource
from rushes.sources.whole_items import SLOT
from rushes.stages import registry
from rushes.tasks import Task
from rushes.testing.bigquery import BigQueryServer

from .doors import DURABLE_LATER, TAKES_ALL

PROJECT, DATASET = "films", "archive"
_STATES = {"PENDING": "waiting", "PROCESSING": "leased", "DONE": "done", "FAILED": "failed"}


class BigQueryDoor:
    """Rows of a table. Each source is an execution of its own."""

    name = "bigquery"
    differences = frozenset({DURABLE_LATER, TAKES_ALL})
    slot = SLOT

    def __init__(self, server: BigQueryServer, folder: Path) -> None:
        self._server = server
        self._home = folder / "home"
        with server.client(PROJECT) as client:
            client.create_dataset(DATASET)
            for columns in (
                "items (id STRING, url STRING, status STRING)",
                "results (id STRING, context STRING, status STRING)",
            ):
                client.query(f"create table {DATASET}.{columns}").result()

    async def put(self, count: int) -> None:
        rows = ", ".join(f"('{n}', 'https://example.org/{n}', 'PENDING')" for n in range(count))
        await asyncio.to_thread(self._ask, f"insert into {DATASET}.items (id, url, status) values {rows}")

    def source(self) -> WorkSource:
        settings = Settings.load(
            home=self._home, bigquery_project=PROJECT, bigquery_dataset=DATASET, bigquery_source="items",
            bigquery_target="results", bigquery_flush=0.2,
        )  # fmt: skip
        return BigQuerySource(settings, registry.resolve("door", settings=settings), Task(None))

    async def expire(self) -> None:
        self._server.advance(timedelta(minutes=11))

    async def states(self) -> Counter[str]:
        rows = await asyncio.to_thread(self._ask, f"select status, count(*) from {DATASET}.items group by status")
        return Counter({_STATES[status]: count for status, count in rows})

    def command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        return (
            ["--pipeline", "door", "--concurrency", "4"],
            {
                "RUSHES_HOME": str(self._home), "BIGQUERY_EMULATOR_HOST": self._server.url, "BIGQUERY_PROJECT": PROJECT,
                "BIGQUERY_DATASET": DATASET, "BIGQUERY_TABLE_SOURCE": "items", "BIGQUERY_TABLE_TARGET": "results",
                "RUSHES_BIGQUERY_FLUSH": "0.2",
            },
        )  # fmt: skip

    def _ask(self, statement: str) -> list[tuple[str, int]]:
        with self._server.client(PROJECT) as client:
            return [tuple(row) for row in client.query(statement).result()]
