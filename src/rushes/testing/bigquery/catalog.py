"""Datasets and tables: what there is, under which names, and what was said of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from rushes.testing.bigquery.clock import Clock
from rushes.testing.bigquery.engine import Engine
from rushes.testing.bigquery.fields import Field, find
from rushes.testing.bigquery.refusals import Refusal, duplicate, not_found

DEFAULT_LOCATION = "US"


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's full name. Its case counts."""

    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}.{self.table}"

    @property
    def dotted(self) -> str:
        """As some of the service's messages write it."""
        return f"{self.project}.{self.dataset}.{self.table}"

    def in_api(self) -> dict[str, str]:
        return {"projectId": self.project, "datasetId": self.dataset, "tableId": self.table}

    @classmethod
    def read(cls, said: Mapping[str, Any], project: str) -> TableName:
        """Read a TableReference of the REST API."""
        return cls(said.get("projectId") or project, said.get("datasetId", ""), said.get("tableId", ""))


@dataclass(slots=True)
class Table:
    """A table, and where its rows are."""

    name: TableName
    fields: tuple[Field, ...]
    stored_as: str
    """The table's name in DuckDB."""
    created: datetime
    modified: datetime
    details: dict[str, Any] = field(default_factory=dict)
    """What was said of it, as the REST API says it: description, labels, partitioning, clustering, …"""
    expires: datetime | None = None
    version: int = 0
    """Grows with each change of its rows or columns."""
    mutations: int = 0
    """How many statements that may conflict have changed its rows."""
    streamed: dict[str, datetime] = field(default_factory=dict)
    """When rows came by insertAll, by their insert ids."""

    @property
    def partitioned(self) -> bool:
        return "timePartitioning" in self.details or "rangePartitioning" in self.details

    def column(self, name: str) -> Field | None:
        return find(self.fields, name)


@dataclass(slots=True)
class Dataset:
    project: str
    name: str
    location: str
    created: datetime
    modified: datetime
    details: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.project}:{self.name}"


class Catalog:
    """All datasets. Whoever changes something holds the engine's lock."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._datasets: dict[tuple[str, str], Dataset] = {}
        self._numbers = itertools.count(1)

    def datasets(self, project: str) -> Iterator[Dataset]:
        return (one for one in list(self._datasets.values()) if one.project == project)

    def dataset(self, project: str, name: str) -> Dataset:
        """Raises: Refusal (there is none)."""
        try:
            return self._datasets[project, name]
        except KeyError:
            raise not_found("Dataset", f"{project}:{name}") from None

    def create_dataset(self, project: str, name: str, location: str | None, details: dict[str, Any]) -> Dataset:
        """Raises: Refusal (there is one)."""
        if not re.fullmatch(r"\w{1,1024}", name):
            raise Refusal(
                "invalid", f'Invalid dataset ID "{name}". Dataset IDs must be alphanumeric (plus underscores) and must be at'
                " most 1024 characters long.",
            )  # fmt: skip
        if (project, name) in self._datasets:
            raise duplicate("Dataset", f"{project}:{name}")
        now = self._clock.now()
        made = Dataset(project, name, location or DEFAULT_LOCATION, now, now, details)
        self._datasets[project, name] = made
        return made

    def delete_dataset(self, dataset: Dataset, *, contents: bool) -> None:
        """Raises: Refusal (it has tables, and they were not to go, too)."""
        tables = list(self.tables(dataset))
        if tables and not contents:
            raise Refusal("resourceInUse", f"Dataset {dataset} is still in use")
        for table in tables:
            self.drop(table)
        del self._datasets[dataset.project, dataset.name]

    def tables(self, dataset: Dataset) -> Iterator[Table]:
        return (one for one in list(dataset.tables.values()) if not self._gone(one))

    def find(self, name: TableName) -> Table | None:
        dataset = self._datasets.get((name.project, name.dataset))
        found = dataset.tables.get(name.table) if dataset else None
        return None if found is None or self._gone(found) else found

    def table(self, name: TableName, location: str | None = None) -> Table:
        """The table of that name.

        Raises:
            Refusal: there is none; with a location, as a statement says it.
        """
        suffix = f" was not found in location {location}" if location else ""
        dataset = self._datasets.get((name.project, name.dataset))
        if dataset is None or (location and location.upper() != dataset.location.upper()):
            raise not_found("Dataset", f"{name.project}:{name.dataset}{suffix}")
        found = self.find(name)
        if found is None:
            raise not_found("Table", f"{name}{suffix}")
        return found

    def create(
        self, name: TableName, fields: Sequence[Field], details: dict[str, Any], expires: datetime | None = None
    ) -> Table:
        """Make an empty table.

        Raises:
            Refusal: there is one, there is no such dataset, or what is said of it does not fit its columns.
        """
        if self.find(name) is not None:
            raise duplicate("Table", str(name))
        made = self.build(name, fields, details, expires)
        self.put(made)
        return made

    def build(
        self, name: TableName, fields: Sequence[Field], details: dict[str, Any], expires: datetime | None = None
    ) -> Table:
        """Make an empty table that nobody finds yet."""
        dataset = self.dataset(name.project, name.dataset)
        check_layout(fields, details)
        now = self._clock.now()
        stored_as = f"t{next(self._numbers)}"
        self._engine.create(stored_as, fields)
        return Table(name, tuple(fields), stored_as, now, now, details, expires or _default_expiry(dataset, now))

    def put(self, table: Table) -> None:
        """Let a table be found, in place of another one of its name."""
        tables = self.dataset(table.name.project, table.name.dataset).tables
        before = tables.get(table.name.table)
        tables[table.name.table] = table
        if before is not None:
            self._engine.drop(before.stored_as)

    def drop(self, table: Table) -> None:
        dataset = self._datasets[table.name.project, table.name.dataset]
        if dataset.tables.get(table.name.table) is table:
            del dataset.tables[table.name.table]
            self._engine.drop(table.stored_as)

    def rename(self, table: Table, name: str) -> None:
        """Raises: Refusal (there is one of that name)."""
        new = replace(table.name, table=name)
        if self.find(new) is not None:
            raise duplicate("Table", str(new))
        tables = self._datasets[new.project, new.dataset].tables
        tables[name] = tables.pop(table.name.table)
        table.name = new

    def changed(self, table: Table) -> None:
        """The table's rows or columns are other ones now."""
        table.version += 1
        table.modified = self._clock.now()

    def _gone(self, table: Table) -> bool:
        if table.expires is None or table.expires > self._clock.now():
            return False
        with self._engine.writing:
            self.drop(table)
        return True


def check_layout(fields: Sequence[Field], details: Mapping[str, Any]) -> None:
    """Raises: Refusal (a table cannot be partitioned or clustered like that)."""
    partitioned = details.get("timePartitioning") or details.get("rangePartitioning") or {}
    clustered = (details.get("clustering") or {}).get("fields", [])
    for name in filter(None, [partitioned.get("field"), *clustered]):
        if find(fields, name) is None:
            use = "partition" if name == partitioned.get("field") else "clustering"
            raise Refusal("invalid", f"The field specified for {use} cannot be found in the schema: {name}")


def _default_expiry(dataset: Dataset, now: datetime) -> datetime | None:
    after = dataset.details.get("defaultTableExpirationMs")
    return now + timedelta(milliseconds=int(after)) if after else None
