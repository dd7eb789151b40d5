"""The statements of a job, with its tables and columns put in. Values are parameters; names are checked by the settings."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from string import Template

from rushes.sources.bigquery.columns import Column
from rushes.sources.bigquery.service import Statement, Value
from rushes.sources.bigquery.tables import Tables
from rushes.sources.whole_items import DIED


@functools.cache
def _template(name: str) -> Template:
    return Template((files("rushes.sources.bigquery") / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


class Statements:
    """What one task of an execution may have to ask of BigQuery."""

    def __init__(
        self,
        tables: Tables,
        *,
        execution: str,
        index: int,
        count: int,
        source_types: Mapping[str, str],
        target_types: Mapping[str, str],
        filled: Sequence[Column],
    ) -> None:
        """`filled` are the target's columns that results go to."""
        self._tables = tables
        self.claims = tables.claims
        """Whether items are claimed in their table."""
        self._execution = execution
        self._index, self._count = index, count
        self._names = _names(tables, source_types) | _assignments(tables, target_types, filled)

    def all(self) -> list[Statement]:
        """One of each kind, to be checked: what has been paid for should not find a merge that fails."""
        own = self._execution
        made = [self.look(), self.read(), self.batches(own, dead=False), self.into_target(own, [])]
        if self.claims:
            made += [self.claim("", attempts=1), self.into_source(own, [], dead=False), self.give_back([])]
        return made

    def look(self) -> Statement:
        """How many items there are, and how they stand."""
        if not self.claims:
            return self._made("look", "look_only", tasks=self._count)
        return self._made("look", "look", tasks=self._count, execution=self._execution)

    def claim(self, claim: str, *, attempts: int, everybody: bool = False, left_alone: Sequence[str] = ()) -> Statement:
        """Claim this task's items, or those of all tasks, under a name that no other claim has.

        `left_alone` are executions from which nothing is taken over.
        """
        return self._made(
            "claim", "claim", execution=self._execution, claim=claim, attempts=attempts, died=DIED, tasks=self._count,
            task=None if everybody else self._index, left_alone=left_alone,
        )  # fmt: skip

    def read(self) -> Statement:
        """This task's items."""
        if not self.claims:
            return self._made("read", "read_only", tasks=self._count, task=self._index)
        return self._made("read", "read", tasks=self._count, task=self._index, execution=self._execution)

    def start(self, batch: str, started: Iterable[tuple[str, str, int]]) -> Statement:
        """Write down attempts that begin: id, claim, number."""
        rows = [json.dumps({"id": id_, "claim": claim, "attempt": attempt}) for id_, claim, attempt in started]
        return self._made("start", "start", batch=batch, rows=rows)

    def give_back(self, held: Sequence[str]) -> Statement:
        """Give this task's items back, but for these ids."""
        return self._made(
            "release", "give_back", execution=self._execution, tasks=self._count, task=self._index, held=held
        )

    def lease(self, seconds: int) -> Statement:
        """Prolong the execution's lease."""
        return self._made("lease", "lease", execution=self._execution, seconds=seconds)

    def late(self) -> Statement:
        """How many results were made under claims that were lost."""
        return self._made("late", "late", execution=self._execution)

    def batches(self, owner: str, *, dead: bool) -> Statement:
        """Which staged batches of an execution are to be merged."""
        if not self.claims:
            return self._made("batches", "batches_only", owner, owner=owner)
        return self._made("batches", "batches", owner, owner=owner, dead=dead)

    def into_target(self, owner: str, batches: Sequence[str]) -> Statement:
        """Put staged results into the target."""
        if not self.claims:
            return self._made("target", "into_target_only", owner, batches=batches)
        return self._made("target", "into_target", owner, owner=owner, batches=batches)

    def into_source(self, owner: str, batches: Sequence[str], *, dead: bool) -> Statement:
        """Say in the table of items what became of them."""
        return self._made("source", "into_source", owner, owner=owner, batches=batches, dead=dead, died=DIED)

    def _made(self, purpose: str, name: str, owner: str | None = None, /, **parameters: Value) -> Statement:
        staged = self._tables.full(self._tables.staged(owner or self._execution))
        return Statement(purpose, _template(name).substitute(self._names, staged=f"`{staged}`"), parameters)


def _names(tables: Tables, types: Mapping[str, str]) -> dict[str, str]:
    titled = types.get("title") == "STRING"
    return {
        "source": f"`{tables.full(tables.source)}`",
        "target": f"`{tables.full(tables.target)}`",
        "executions": f"`{tables.full(tables.executions)}`",
        "id": f"`{tables.id}`",
        "url": f"`{tables.url}`",
        "status": f"`{tables.status}`",
        "title": "`title`" if titled else "cast(null as string)",
        "payload": _payload(tables.payload),
        "where": f"(\n{tables.where}\n)",  # on lines of its own: it may end in a comment
        "pending": f"`{tables.status}` = 'PENDING'" if tables.status in types else "true",
    }


def _payload(columns: Sequence[str]) -> str:
    fields = ", ".join(f"`{column}` as `{column}`" for column in columns)
    return f"to_json_string(struct({fields}))" if fields else "cast(null as string)"


def _assignments(tables: Tables, types: Mapping[str, str], filled: Sequence[Column]) -> dict[str, str]:
    """How a staged result is put into the target's columns."""
    values = {
        tables.status: "if(r.kind = 'completed', 'COMPLETED', 'FAILED_PROCESSING')",
        **{column.name: column.read(types[column.name]) for column in filled},
    }
    return {
        "assignments": ", ".join(f"`{name}` = {value}" for name, value in values.items()),
        "columns": ", ".join(f"`{name}`" for name in (tables.id, *values)),
        "values": ", ".join([f"cast(r.id as {types[tables.id].lower()})", *values.values()]),
    }
