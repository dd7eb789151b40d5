"""Which tables and columns a job works at, checked before any work."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from rushes.errors import SettingsError

if TYPE_CHECKING:
    from google.cloud import bigquery

    from rushes.settings import Settings

OWN_COLUMNS = {"claim": "STRING", "owner": "STRING", "attempt": "INT64", "error": "STRING"}
"""What the table of items gains, with its type. All come with one statement: only some of them are not ours."""
IDS = ("STRING", "INT64")
"""What ids may be."""
_SAME = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT", "DECIMAL": "NUMERIC"}
_LONGEST_STANDING, _LONGEST_STATUS = len("PROCESSING"), len("FAILED_PROCESSING")
"""In the table of items, and in the target."""
_LONGEST_NUMBER = len(str(-(2**63)))
_NAME = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Tables:
    """Names, as the settings give them."""

    dataset: str
    """With its project."""
    source: str
    target: str
    id: str
    url: str
    status: str
    result: str
    payload: tuple[str, ...]
    """Columns that go along with an item."""
    where: str
    """The user's condition; `true` where there is none."""
    claims: bool
    """Whether items are claimed in their table; otherwise that is only read."""

    @classmethod
    def of(cls, settings: Settings) -> Tables:
        """The tables that the settings name. Raises: SettingsError, naming every variable that is missing."""
        settings.require("bigquery_project", "bigquery_dataset", "bigquery_source", "bigquery_target")
        return cls(
            dataset=f"{settings.bigquery_project}.{settings.bigquery_dataset}",
            source=str(settings.bigquery_source),
            target=str(settings.bigquery_target),
            id=settings.bigquery_id,
            url=settings.bigquery_url,
            status=settings.bigquery_status,
            result=settings.bigquery_result,
            payload=tuple(name.strip() for name in settings.bigquery_payload.split(",") if name.strip()),
            where=settings.bigquery_where or "true",
            claims=settings.bigquery_claim == "execution",
        )

    def full(self, table: str) -> str:
        """A table's name with project and dataset."""
        return f"{self.dataset}.{table}"

    @property
    def executions(self) -> str:
        """The table of leases, beside the items."""
        return f"{self.source}__executions"

    def staged(self, execution: str) -> str:
        """The table where an execution's results wait to be merged."""
        name = _NAME.sub("_", execution)
        if name != execution:  # two that differ only in what is not allowed stay two
            name = f"{name}_{hashlib.sha256(execution.encode()).hexdigest()[:8]}"
        return f"{self.target}__staged_{name}"


def types_of(table: bigquery.Table) -> dict[str, str]:
    """A table's columns with their types, under the names that SQL has for these; what repeats is an `ARRAY`."""
    return {
        field.name: "ARRAY" if field.mode == "REPEATED" else _SAME.get(field.field_type, field.field_type)
        for field in table.schema
    }


def check_source(tables: Tables, table: bigquery.Table | None) -> Mapping[str, str]:
    """Whether items can be read from the table, and claimed in it. Returns its columns.

    Raises:
        SettingsError: not; the message names the setting.
    """
    if table is None:
        raise SettingsError(
            f"there is no table {tables.full(tables.source)}",
            remedy="RUSHES_BIGQUERY_SOURCE (or BIGQUERY_TABLE_SOURCE) names the table of items",
        )
    types = types_of(table)
    _need(tables.source, types, "RUSHES_BIGQUERY_ID", tables.id, IDS)
    _need(tables.source, types, "RUSHES_BIGQUERY_URL", tables.url, ("STRING",))
    if tables.claims or tables.status in types:
        _need(tables.source, types, "RUSHES_BIGQUERY_STATUS", tables.status, ("STRING",))
    for column in tables.payload:
        _need(tables.source, types, "RUSHES_BIGQUERY_PAYLOAD", column, (types.get(column, ""),))
    if tables.claims:
        _check_claims(tables, table, types)
    return types


def missing_columns(types: Mapping[str, str]) -> Sequence[str]:
    """What the table of items has still to gain. Upper and lower case are one, as in BigQuery."""
    there = {name.lower() for name in types}
    return [name for name in OWN_COLUMNS if name not in there]


def adding_columns(tables: Tables, missing: Iterable[str]) -> str:
    """The statement that gives it these."""
    added = ", ".join(f"add column if not exists {name} {OWN_COLUMNS[name]}" for name in missing)
    return f"alter table `{tables.full(tables.source)}` {added}"


def _check_claims(tables: Tables, table: bigquery.Table, types: Mapping[str, str]) -> None:
    way_out = "RUSHES_BIGQUERY_CLAIM=none leaves the table as it is"
    if table.table_type != "TABLE":
        kind = str(table.table_type).lower().replace("_", " ")
        raise SettingsError(
            f"{tables.full(tables.source)} is a {kind}: items cannot be claimed in it",
            remedy=f"{way_out}, and tasks only divide its rows among them",
        )
    named = {name.lower() for name in (tables.id, tables.url, tables.status)} & OWN_COLUMNS.keys()
    if named:
        raise SettingsError(
            f"the column {named.pop()!r} of {tables.source} is one that Rushes keeps for itself", remedy=way_out
        )
    missing = missing_columns(types)
    if 0 < len(missing) < len(OWN_COLUMNS):
        theirs = ", ".join(name for name in types if name.lower() in OWN_COLUMNS)
        raise SettingsError(
            f"{tables.full(tables.source)} has {theirs}, and Rushes needs such names for columns of its own, together with "
            f"{', '.join(missing)}",
            remedy=f"rename what is yours, or {way_out}; if it is Rushes's own: {adding_columns(tables, missing)}",
        )
    for field in table.schema:
        wanted, there = OWN_COLUMNS.get(field.name.lower()), f"{types[field.name]}{_limits(field)}"
        if wanted and there != wanted:
            raise SettingsError(
                f"the column {field.name!r} of {tables.full(tables.source)} is {there}; Rushes keeps {wanted} there",
                remedy=way_out,
            )
        if field.name == tables.status and _longest(field) < _LONGEST_STANDING:
            raise SettingsError(
                f"the column {field.name!r} of {tables.full(tables.source)} is {there}: too short for PROCESSING",
                remedy=f"{way_out}, or ALTER TABLE makes it longer",
            )


def _need(table: str, types: Mapping[str, str], variable: str, column: str, wanted: Sequence[str]) -> None:
    if column not in types:
        raise SettingsError(
            f"the table {table} has no column {column!r}; it has {', '.join(types)}",
            remedy=f"{variable} says what it is called",
        )
    if types[column] not in wanted:
        raise SettingsError(
            f"the column {column!r} of {table} is {types[column]}; wanted {' or '.join(wanted)}",
            remedy=f"{variable} may name another",
        )


def check_target(tables: Tables, table: bigquery.Table, id_: bigquery.SchemaField) -> Mapping[str, str]:
    """Whether results can be written to the table, of items with that id. Returns its columns.

    A type that holds only some values is named with its bounds, such as `STRING(20)`: it is not what it is without them.

    Raises:
        SettingsError: not; the message names the setting, or the statement that helps.
    """
    types = types_of(table)
    limited = {field.name: _limits(field) for field in table.schema if _limits(field)}
    longest = {tables.id: _longest(id_), tables.status: _LONGEST_STATUS}
    for field in table.schema:
        if field.name in limited and not _longest(field) >= longest.get(field.name, inf):
            types[field.name] += limited[field.name]
    same = _SAME.get(id_.field_type, id_.field_type)
    _need(tables.target, types, "RUSHES_BIGQUERY_ID", tables.id, (same, "STRING") if same == "INT64" else (same,))
    _need(tables.target, types, "RUSHES_BIGQUERY_STATUS", tables.status, ("STRING",))
    _need(tables.target, types, "RUSHES_BIGQUERY_RESULT", tables.result, ("STRING", "JSON"))
    return types


def check_required(tables: Tables, table: bigquery.Table, filled: Iterable[str], always: Iterable[str]) -> None:
    """Whether every column of the target that must have a value gets one, or is none of the `filled` and has a default.

    `always` are those that are filled whatever came of an item. Raises: SettingsError.
    """
    certain = {tables.id, tables.status, *(set(filled) & set(always))}
    for field in table.schema:
        left = field.name not in filled and field.default_value_expression
        if field.mode == "REQUIRED" and field.name not in certain and not left:
            raise SettingsError(
                f"the column {field.name!r} of {tables.full(tables.target)} is REQUIRED, and Rushes may have nothing for it",
                remedy=f"ALTER TABLE `{tables.full(tables.target)}` ALTER COLUMN {field.name} DROP NOT NULL",
            )


def _limits(field: bigquery.SchemaField) -> str:
    """What a type holds, as SQL says it: `(20)`, `(10, 2)`; nothing where it holds all values."""
    bounds = [bound for bound in (field.max_length, field.precision, field.scale) if bound is not None]
    return f"({', '.join(map(str, bounds))})" if bounds else ""


def _longest(field: bigquery.SchemaField) -> float:
    """How long a text may be there. Whole numbers are no longer than 20."""
    if field.field_type != "STRING":
        return _LONGEST_NUMBER
    return inf if field.max_length is None else field.max_length
