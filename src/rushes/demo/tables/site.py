"""The demo's two tables, in a BigQuery on this machine, and workers at them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rushes.demo.tables.processor import SITE, TalkProcessor

if TYPE_CHECKING:
    from rushes.testing.bigquery import BigQueryServer

PROJECT, DATASET = "rushes-demo", "talks"
ITEMS, RESULTS = "videos", "summaries"
TASKS = 2
MISSING = f"{SITE}nobody-gave-this-one"
"""An address that the processor does not know: one row fails, with the reason."""


@dataclass(frozen=True, slots=True)
class DemoTables:
    """A table of talks, one row of which cannot be done, and a table of results that is empty."""

    server: BigQueryServer
    processor: TalkProcessor

    def fill(self) -> None:
        """Make the dataset and both tables, as the original program has them."""
        with self.server.client(PROJECT) as client:
            client.create_dataset(DATASET)
            for statement in _tables([*self.processor.talks, MISSING]):
                client.query(statement).result()

    def read(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, by id."""
        with self.server.client(PROJECT) as client:
            rows = client.query(f"SELECT * FROM `{PROJECT}.{DATASET}.{table}` ORDER BY id").result()  # noqa: S608  (ours)
            return [dict(row) for row in rows]

    def work(self, home: Path) -> list[int]:
        """Run the tasks of a worker to their end, as a platform would. Returns their exit codes."""
        environment = {**os.environ, **self._variables(home)}
        command = [sys.executable, "-m", "rushes", "worker", "--source", "bigquery"]
        tasks = [
            subprocess.Popen(command, env={**environment, "CLOUD_RUN_TASK_INDEX": str(index)}) for index in range(TASKS)
        ]
        return [task.wait() for task in tasks]

    def _variables(self, home: Path) -> Mapping[str, str]:
        """The original program's, and what Cloud Run gives to each task."""
        return {
            "BIGQUERY_EMULATOR_HOST": self.server.url,
            "BIGQUERY_PROJECT": PROJECT,
            "BIGQUERY_DATASET": DATASET,
            "BIGQUERY_TABLE_SOURCE": ITEMS,
            "BIGQUERY_TABLE_TARGET": RESULTS,
            "URL_PROCESSOR_SERVICE_URL": self.processor.url,
            "CLOUD_RUN_EXECUTION": "demo",
            "CLOUD_RUN_TASK_COUNT": str(TASKS),
            "RUSHES_HOME": str(home),
            "RUSHES_LOG_FORMAT": "text",
        }


def _tables(addresses: Sequence[str]) -> list[str]:
    columns = {ITEMS: "id STRING, url STRING, status STRING", RESULTS: "id STRING, context STRING, status STRING"}
    making = [f"CREATE TABLE `{PROJECT}.{DATASET}.{name}` ({fields})" for name, fields in columns.items()]
    rows = ", ".join(f"('{number:02}', '{address}', 'PENDING')" for number, address in enumerate(addresses, 1))
    return [*making, f"INSERT INTO `{PROJECT}.{DATASET}.{ITEMS}` (id, url, status) VALUES {rows}"]  # noqa: S608  (ours)
