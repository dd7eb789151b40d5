"""Two tables on a BigQuery of this machine, workers at them in this process, and a processor that notes what it is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from rushes.model import Job, Retries
from rushes.settings import Settings
from rushes.sources.bigquery import BigQuerySource
from rushes.sources.whole_items import SLOT
from rushes.stages import registry
from rushes.stages.base import Context, Result, Stage
from rushes.tasks import Task
from rushes.testing.bigquery import BigQueryServer, LoggedJob
from rushes.worker import Bounds, Report, Worker

PROJECT, DATASET = "films", "archive"
Answer = Callable[[str, Job], Awaitable[Any] | Any]


@dataclass
class Processor:
    """Stands in for the stage `process`: notes what it is asked and answers as it is told."""

    answer: Answer = lambda address, _job: f"about {address}"
    asked: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    @property
    def times(self) -> Counter[str]:
        """How often each address was asked for."""
        return Counter(self.asked)

    async def run(self, job: Job, context: Context) -> Result:
        self.asked.append(context.source.location)
        self.jobs.append(job)
        answer = self.answer(context.source.location, job)
        if isinstance(answer, Awaitable):
            answer = await answer
        return answer if isinstance(answer, Result) else Result(value=answer)


@dataclass
class Site:
    """A dataset with a table of items and a table of results, and workers at them."""

    server: BigQueryServer
    client: bigquery.Client
    home: Path

    def sql(self, text: str) -> list[dict[str, Any]]:
        """Run a statement; `{items}` and `{results}` are the tables."""
        tables = {"items": f"`{PROJECT}.{DATASET}.items`", "results": f"`{PROJECT}.{DATASET}.results`"}
        job = self.client.query(text.format(**tables), job_retry=None)
        return [dict(row) for row in job.result(job_retry=None)]

    def make(self, name: str, columns: Mapping[str, str], *rows: Mapping[str, Any]) -> None:
        """Make a table, with rows. A type with `!` is REQUIRED."""
        schema = [
            bigquery.SchemaField(column, type_.rstrip("!"), mode="REQUIRED" if type_.endswith("!") else "NULLABLE")
            for column, type_ in columns.items()
        ]
        table = bigquery.Table(f"{PROJECT}.{DATASET}.{name}", schema=schema)
        self.client.create_table(table)
        if rows:
            self.client.load_table_from_json([dict(row) for row in rows], table).result()

    def add(self, *ids: Any, **columns: Any) -> None:
        """Add pending items with these ids; other columns as given."""
        rows = [{"id": id_, "url": f"https://talks.example.org/{id_}", "status": "PENDING", **columns} for id_ in ids]
        table = self.client.get_table(f"{PROJECT}.{DATASET}.items")
        self.client.load_table_from_json(rows, table).result()

    def items(self) -> dict[Any, dict[str, Any]]:
        """The table of items, by id."""
        return {row["id"]: row for row in self.sql("select * from {items}")}

    def statuses(self) -> Counter[str]:
        return Counter(row["status"] for row in self.sql("select status from {items}"))

    def results(self) -> dict[Any, dict[str, Any]]:
        """The table of results, by id, which has each once."""
        rows = self.sql("select * from {results}")
        found = {row["id"]: row for row in rows}
        assert len(found) == len(rows), "an id has two results"
        return found

    def asked(self, *purposes: str) -> list[LoggedJob]:
        """Jobs that sources had done, by their purposes."""
        return [job for job in self.server.jobs if job.labels.get("purpose") in purposes]

    def settings(self, **given: Any) -> Settings:
        own = {
            "home": self.home, "bigquery_project": PROJECT, "bigquery_dataset": DATASET, "bigquery_source": "items",
            "bigquery_target": "results", "bigquery_flush": 0.2,
        }  # fmt: skip
        return Settings.load(**{**own, **given})

    def source(self, task: Task | None = None, *, pipeline: str = "process", **given: Any) -> BigQuerySource:
        settings = self.settings(**given)
        return BigQuerySource(settings, registry.resolve(pipeline, settings=settings), task or Task(None))

    def worker(
        self,
        task: Task | None = None,
        *,
        pipeline: str = "process",
        slots: int = 8,
        bounds: Bounds | None = None,
        source: BigQuerySource | None = None,
        **given: Any,
    ) -> Worker:
        """A worker that ends when the table is drained."""
        at = source or self.source(task, pipeline=pipeline, **given)
        return Worker(
            self.settings(**given), at, slots={SLOT: slots}, bounds=bounds or Bounds(empty_timeout=timedelta(0))
        )

    async def work(self, task: Task | None = None, **given: Any) -> Report:
        return await self.worker(task, **given).run()

    async def tasks(self, count: int, execution: str, **given: Any) -> list[Report]:
        """All tasks of an execution at once."""
        return await asyncio.gather(*(self.work(Task(execution, index, count), **given) for index in range(count)))


@pytest.fixture
def server() -> Iterator[BigQueryServer]:
    with BigQueryServer() as server:
        yield server


@pytest.fixture
def site(server: BigQueryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The tables of the original program, empty."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.url)
    client = server.client(PROJECT)
    client.create_dataset(DATASET)
    site = Site(server, client, tmp_path / "home")
    site.make("items", {"id": "STRING", "url": "STRING", "status": "STRING"})
    site.make("results", {"id": "STRING", "context": "STRING", "status": "STRING"})
    yield site
    client.close()


@pytest.fixture
def bare(site: Site) -> Site:
    """A dataset without tables."""
    for name in ("items", "results"):
        site.client.delete_table(f"{PROJECT}.{DATASET}.{name}")
    return site


@pytest.fixture
def stage() -> Iterator[Callable[..., Stage]]:
    """Register a stage for one test."""
    before = dict(registry._decorated)

    def make(name: str, run: Any, **declared: Any) -> Stage:
        return registry.register(Stage(name=name, run=run, **declared))

    yield make
    registry._decorated.clear()
    registry._decorated.update(before)


@pytest.fixture
def processor(stage: Callable[..., Stage]) -> Processor:
    """The stage `process` of this test. Its retries follow at once."""
    processor = Processor()
    quick = Retries(base=timedelta(milliseconds=1))
    stage("process", processor.run, retries=quick, leaves_files=lambda _job, _options: False)
    return processor
