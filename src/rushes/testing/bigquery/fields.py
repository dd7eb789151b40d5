"""Columns and types, once: as the REST API writes them, as BigQuery's SQL does, and as DuckDB stores them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from duckdb import DuckDBPyConnection
from duckdb.sqltypes import DuckDBPyType
from sqlglot import exp

from rushes.testing.bigquery.refusals import Refusal, unsupported


class Kind(StrEnum):
    """A type, under the name that the service answers with."""

    STRING = "STRING"
    BYTES = "BYTES"
    INTEGER = "INTEGER"
    FLOAT = "FLOAT"
    NUMERIC = "NUMERIC"
    BOOLEAN = "BOOLEAN"
    TIMESTAMP = "TIMESTAMP"
    DATETIME = "DATETIME"
    DATE = "DATE"
    TIME = "TIME"
    JSON = "JSON"
    RECORD = "RECORD"


class Mode(StrEnum):
    NULLABLE = "NULLABLE"
    REQUIRED = "REQUIRED"
    REPEATED = "REPEATED"


_ALIASES = {
    "INT64": Kind.INTEGER, "FLOAT64": Kind.FLOAT, "BOOL": Kind.BOOLEAN, "STRUCT": Kind.RECORD, "DECIMAL": Kind.NUMERIC,
}  # fmt: skip
_IN_SQL = {Kind.INTEGER: "INT64", Kind.FLOAT: "FLOAT64", Kind.BOOLEAN: "BOOL"}
_IN_DUCKDB = {
    Kind.STRING: "VARCHAR", Kind.BYTES: "BLOB", Kind.INTEGER: "BIGINT", Kind.FLOAT: "DOUBLE",
    Kind.NUMERIC: "DECIMAL(38, 9)", Kind.BOOLEAN: "BOOLEAN", Kind.TIMESTAMP: "TIMESTAMPTZ", Kind.DATETIME: "TIMESTAMP",
    Kind.DATE: "DATE", Kind.TIME: "TIME", Kind.JSON: "JSON",
}  # fmt: skip
_FROM_DUCKDB = {
    "varchar": Kind.STRING, "uuid": Kind.STRING, "blob": Kind.BYTES, "double": Kind.FLOAT, "float": Kind.FLOAT,
    "decimal": Kind.NUMERIC, "boolean": Kind.BOOLEAN, "timestamp with time zone": Kind.TIMESTAMP,
    "timestamp": Kind.DATETIME, "date": Kind.DATE, "time": Kind.TIME, "tinyint": Kind.INTEGER,
    "smallint": Kind.INTEGER, "integer": Kind.INTEGER, "bigint": Kind.INTEGER, "hugeint": Kind.INTEGER,
    "utinyint": Kind.INTEGER, "usmallint": Kind.INTEGER, "uinteger": Kind.INTEGER, "ubigint": Kind.INTEGER,
    "null": Kind.INTEGER,  # an untyped NULL is INT64 there, too
}  # fmt: skip
_FROM_SQL = {
    exp.DType.TEXT: Kind.STRING, exp.DType.VARCHAR: Kind.STRING, exp.DType.BINARY: Kind.BYTES,
    exp.DType.VARBINARY: Kind.BYTES, exp.DType.BIGINT: Kind.INTEGER, exp.DType.INT: Kind.INTEGER,
    exp.DType.SMALLINT: Kind.INTEGER, exp.DType.TINYINT: Kind.INTEGER, exp.DType.DOUBLE: Kind.FLOAT,
    exp.DType.DECIMAL: Kind.NUMERIC, exp.DType.BOOLEAN: Kind.BOOLEAN, exp.DType.TIMESTAMPTZ: Kind.TIMESTAMP,
    exp.DType.TIMESTAMP: Kind.DATETIME, exp.DType.DATETIME: Kind.DATETIME, exp.DType.DATE: Kind.DATE,
    exp.DType.TIME: Kind.TIME, exp.DType.JSON: Kind.JSON, exp.DType.NULL: Kind.INTEGER,
}  # fmt: skip
_NAME = re.compile(r"[^\W\d]\w{0,299}")


@dataclass(frozen=True, slots=True)
class Field:
    """A column, a part of a STRUCT, or a value without a name."""

    name: str
    kind: Kind
    mode: Mode = Mode.NULLABLE
    fields: tuple[Field, ...] = ()
    description: str | None = None
    default: str | None = None
    """An expression of BigQuery's SQL."""

    @property
    def repeated(self) -> bool:
        return self.mode is Mode.REPEATED

    @property
    def required(self) -> bool:
        return self.mode is Mode.REQUIRED

    @property
    def element(self) -> Field:
        """One value of a repeated field."""
        return replace(self, mode=Mode.NULLABLE)

    def named(self, name: str) -> Field:
        return replace(self, name=name)

    def spelled(self, names: Mapping[str, str]) -> Field:
        """The same with the names of its parts written as that table has it, by names in lower case."""
        parts = tuple(part.named(names.get(part.name.lower(), part.name)).spelled(names) for part in self.fields)
        return replace(self, fields=parts)

    def in_sql(self) -> str:
        """The type in BigQuery's SQL: `ARRAY<STRUCT<id STRING>>`."""
        if self.repeated:
            return f"ARRAY<{self.element.in_sql()}>"
        if self.kind is Kind.RECORD:
            return f"STRUCT<{', '.join(f'`{part.name}` {part.in_sql()}' for part in self.fields)}>"
        return _IN_SQL.get(self.kind, self.kind.value)

    def in_duckdb(self) -> str:
        """The type in DuckDB's SQL: `STRUCT("id" VARCHAR)[]`."""
        if self.repeated:
            return f"{self.element.in_duckdb()}[]"
        if self.kind is Kind.RECORD:
            return f"STRUCT({', '.join(f'{quoted(part.name)} {part.in_duckdb()}' for part in self.fields)})"
        return _IN_DUCKDB[self.kind]

    def in_api(self) -> dict[str, Any]:
        """A TableFieldSchema of the REST API."""
        said: dict[str, Any] = {"name": self.name, "type": self.kind.value, "mode": self.mode.value}
        if self.fields:
            said["fields"] = [part.in_api() for part in self.fields]
        if self.description is not None:
            said["description"] = self.description
        if self.default is not None:
            said["defaultValueExpression"] = self.default
        return said


def quoted(name: str) -> str:
    """An identifier of DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def find(fields: Iterable[Field], name: str) -> Field | None:
    """The field of that name. Upper and lower case are one, as in BigQuery."""
    return next((one for one in fields if one.name.lower() == name.lower()), None)


def read_schema(said: Mapping[str, Any] | None) -> tuple[Field, ...]:
    """Read a TableSchema of the REST API.

    Raises:
        Refusal: a type is unknown or not supported, a name is wrong or comes twice.
    """
    return checked([_read_field(one) for one in (said or {}).get("fields", ())])


def checked(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields as columns of one table.

    Raises:
        Refusal: a name is wrong or comes twice.
    """
    seen: set[str] = set()
    for field in fields:
        if not _NAME.fullmatch(field.name):
            raise Refusal(
                "invalid", f'Invalid field name "{field.name}". Fields must contain only letters, numbers,'
                " and underscores, start with a letter or underscore, and be at most 300 characters long.",
            )  # fmt: skip
        if any(part.required for part in field.fields):
            raise unsupported(f"REQUIRED parts of a STRUCT: {field.name}")
        if field.name.lower() == "rowid":
            raise unsupported("a column named rowid")
        if field.name.lower() in seen:
            raise Refusal("invalid", f"Duplicate field name: {field.name}")
        seen.add(field.name.lower())
    return tuple(fields)


def read_kind(name: str) -> Kind:
    """Raises: Refusal (there is no such type, or this server does not have it)."""
    upper = name.upper()
    if upper in _ALIASES:
        return _ALIASES[upper]
    try:
        return Kind(upper)
    except ValueError:
        raise unsupported(f"the type {name}") from None


def _read_field(said: Mapping[str, Any]) -> Field:
    for limit in ("maxLength", "precision", "scale", "timestampPrecision"):
        if said.get(limit):
            raise unsupported(f"the limit {limit} of a type")
    kind = read_kind(said.get("type", ""))
    parts = checked([_read_field(part) for part in said.get("fields", ())])
    if (kind is Kind.RECORD) != bool(parts):
        raise Refusal("invalid", f"Field {said.get('name')} is type {kind} and has {len(parts)} fields")
    return Field(
        said.get("name", ""), kind, Mode(said.get("mode") or Mode.NULLABLE), parts, said.get("description"),
        said.get("defaultValueExpression"),
    )  # fmt: skip


def field_of_sql(name: str, kind: exp.DataType) -> Field:
    """A type as it stands in a statement.

    Raises:
        Refusal: this server does not have it.
    """
    if kind.this is exp.DType.ARRAY:
        element = field_of_sql(name, kind.expressions[0])
        if element.repeated:
            raise Refusal("invalidQuery", "Cannot construct array with element type ARRAY")
        return replace(element, mode=Mode.REPEATED)
    if kind.this is exp.DType.STRUCT:
        parts = (_part_of_sql(part, position) for position, part in enumerate(kind.expressions, 1))
        return Field(name, Kind.RECORD, fields=tuple(parts))
    if kind.this not in _FROM_SQL or kind.expressions:
        raise unsupported(f"the type {kind.sql('bigquery')}")
    return Field(name, _FROM_SQL[kind.this])


def unnamed(position: int) -> str:
    """What the service calls a part of a STRUCT that has no name. Positions count from 1."""
    return f"_field_{position}"


def _part_of_sql(part: exp.Expr, position: int) -> Field:
    if isinstance(part, exp.DataType):
        return field_of_sql(unnamed(position), part)
    if not isinstance(part, exp.ColumnDef) or not isinstance(part.kind, exp.DataType):
        raise unsupported(f"the type {part.sql('bigquery')}")
    field = field_of_sql(part.name, part.kind)
    required = any(isinstance(one.kind, exp.NotNullColumnConstraint) for one in part.args.get("constraints") or ())
    return replace(field, mode=Mode.REQUIRED) if required else field


def field_of_duckdb(name: str, kind: DuckDBPyType) -> Field:
    """A type as DuckDB gives that of a result."""
    if kind.id == "list":
        return replace(field_of_duckdb(name, _children(kind)["child"]), mode=Mode.REPEATED)
    if kind.id == "struct":
        return Field(
            name, Kind.RECORD, fields=tuple(field_of_duckdb(part, one) for part, one in _children(kind).items())
        )
    if str(kind) == "JSON":
        return Field(name, Kind.JSON)
    if kind.id not in _FROM_DUCKDB:
        raise unsupported(f"a result of DuckDB's type {kind}")
    return Field(name, _FROM_DUCKDB[kind.id])


def _children(kind: DuckDBPyType) -> dict[str, DuckDBPyType]:
    return {name: child for name, child in kind.children if isinstance(child, DuckDBPyType)}


def fields_of_result(cursor: DuckDBPyConnection) -> tuple[Field, ...]:
    """What the columns of a cursor's result are."""
    return tuple(field_of_duckdb(column[0], column[1]) for column in cursor.description or ())
