"""A statement of BigQuery's, ready to run in DuckDB: queries here, changes of rows in `changes` and `merging`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlglot import exp

from rushes.testing.bigquery.catalog import Catalog, Table
from rushes.testing.bigquery.parameters import Parameter
from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.sql.allowed import check_allowed
from rushes.testing.bigquery.sql.checking import checked
from rushes.testing.bigquery.sql.naming import Place, use_stored_names
from rushes.testing.bigquery.sql.qualifying import qualified, spelling
from rushes.testing.bigquery.sql.times import now
from rushes.testing.bigquery.sql.writing import rewritten, written


@dataclass(frozen=True, slots=True)
class Compiled:
    """What DuckDB is to run, and what it touches."""

    text: str
    values: Mapping[str, Any]
    tables: Mapping[str, Table]
    """All tables of the statement, by their stored names."""
    read: Mapping[str, frozenset[str]]
    """Which columns of them are looked at, in lower case."""
    names: tuple[str, ...] = ()
    """How a query's columns are called."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """How names are written, by themselves in lower case."""
    target: Table | None = None
    """The table whose rows change."""
    rewrites_target: bool = False
    """Whether rows that are there may change or go: all of the target is paid for then."""
    doubles: str | None = None
    """A query that finds a row of the target that more than one row of the source wants to change."""


@dataclass(slots=True)
class Compiler:
    """Compiles one statement."""

    catalog: Catalog
    place: Place
    parameters: Sequence[Parameter]
    time: datetime
    tables: dict[str, Table] = field(default_factory=dict)
    read: dict[str, set[str]] = field(default_factory=dict)

    def begin(self, tree: exp.Expr) -> exp.Expr:
        """A copy of the statement with stored tables and typed parameters.

        Raises:
            Refusal: something in it is not known, or not supported.
        """
        check_allowed(tree)
        tree = tree.copy()
        self.tables = use_stored_names(tree, self.catalog, self.place)
        self._type_parameters(tree)
        return tree

    def typed(self, query: exp.Query) -> exp.Query:
        """A query with names resolved, types told and checked. What it reads is noted."""
        typed = checked(qualified(query, self.tables))
        self._note_reads(typed)
        return typed

    def rewritten(self, query: exp.Query) -> exp.Query:
        """The same in DuckDB's words."""
        made = rewritten(query, now(self.time))
        assert isinstance(made, exp.Query)
        return made

    def query(self, tree: exp.Expr) -> Compiled:
        """A SELECT, ready to run."""
        query = self.begin(tree)
        assert isinstance(query, exp.Query)
        spelled = spelling(query, self.tables)
        typed = self.typed(query)
        names = tuple(spelled.get(name.lower(), name) for name in typed.named_selects)
        _refuse_doubled(names)
        return self.compiled(written(self.rewritten(typed)), names=names, spelled=spelled)

    def compiled(self, text: str, **more: Any) -> Compiled:
        read = {name: frozenset(columns) for name, columns in self.read.items()}
        values = {_name(position): one.value for position, one in enumerate(self.parameters)}
        return Compiled(text, values_in(text, values), self.tables, read, **more)

    def _type_parameters(self, tree: exp.Expr) -> None:
        """Put casts to the declared types around parameters: a NULL or an empty array has no type of its own."""
        named = {one.name.lower(): (position, one) for position, one in enumerate(self.parameters) if one.name}
        for node in list(tree.find_all(exp.Parameter)):
            if node.name.lower() not in named:
                raise Refusal("invalidQuery", f"Query parameter '{node.name}' not found", location="query")
            node.replace(_typed(*named[node.name.lower()]))
        unnamed = [(position, one) for position, one in enumerate(self.parameters) if not one.name]
        places = [node for node in tree.dfs() if isinstance(node, exp.Placeholder)]
        if len(places) > len(unnamed):
            raise Refusal("invalidQuery", f"Query parameter number {len(unnamed) + 1} is not set", location="query")
        for place, (position, one) in zip(places, unnamed, strict=False):
            place.replace(_typed(position, one))

    def _note_reads(self, query: exp.Query) -> None:
        stored: dict[str, set[str]] = {}
        for table in query.find_all(exp.Table):
            if table.name in self.tables:
                stored.setdefault(table.alias_or_name, set()).add(table.name)
        for column in query.find_all(exp.Column):
            for name in stored.get(column.table, ()):
                self.read.setdefault(name, set()).add(column.name.lower())


def values_in(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a text of DuckDB's names: it refuses others."""
    named = set(re.findall(r"\$(\w+)", text))
    return {name: value for name, value in values.items() if name in named}


def _name(position: int) -> str:
    """What a parameter is called in DuckDB's text."""
    return f"parameter_{position}"


def _typed(position: int, parameter: Parameter) -> exp.Expr:
    return exp.cast(exp.Parameter(this=exp.Var(this=_name(position))), parameter.field.in_sql(), dialect="bigquery")


def _refuse_doubled(names: Sequence[str]) -> None:
    lowered = [name.lower() for name in names]
    if doubled := next((name for name in names if lowered.count(name.lower()) > 1), None):
        raise Refusal(
            "invalidQuery", f"Duplicate column names in the result are not supported. Found duplicate(s): {doubled}",
            location="query",
        )  # fmt: skip
