"""JSON records as rows: each value is read as its column's type, and what does not fit is told with its column."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from rushes.testing.bigquery.engine import Engine
from rushes.testing.bigquery.fields import Field, Kind, quoted
from rushes.testing.bigquery.values import normal_json, read_numeric

Reader = Callable[[Any], Any]
"""Reads a value of JSON, and gives one that DuckDB reads from JSON in turn."""


class BadValue(Exception):
    """A record does not fit. `field` is the path of what is wrong in it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class RecordReader:
    """Reads records for the columns of a table."""

    def __init__(self, fields: Sequence[Field], *, ignore_unknown: bool = False, json_in_text: bool = False) -> None:
        """`json_in_text`: JSON columns come as text, as insertAll has them, not as values."""
        self._ignore_unknown = ignore_unknown
        self._json_in_text = json_in_text
        self._read = self._record_reader(fields, "")

    def read(self, record: Any) -> dict[str, Any]:
        """Raises: BadValue."""
        if not isinstance(record, Mapping):
            raise BadValue("Parser terminated before end of string", "")
        made: dict[str, Any] = self._read(record)
        return made

    def _record_reader(self, fields: Sequence[Field], path: str) -> Reader:
        readers = {field.name: self._reader(field, path) for field in fields}
        spelled = {field.name.lower(): field.name for field in fields}
        required = {field.name: path + field.name for field in fields if field.required}
        nothing: dict[str, Any] = {field.name: [] if field.repeated else None for field in fields}

        def read(record: Mapping[str, Any]) -> dict[str, Any]:
            made: dict[str, Any] = dict(nothing)
            missing = dict(required)
            for key, value in record.items():
                name = key if key in readers else spelled.get(key.lower())
                if name is not None:
                    made[name] = readers[name](value)
                    missing.pop(name, None)
                elif not self._ignore_unknown:
                    raise BadValue(f"No such field: {path}{key}.", path + key)
            for full in missing.values():
                raise BadValue(f"Missing required field: {full}.", full)
            return made

        return read

    def _reader(self, field: Field, path: str) -> Reader:
        full = path + field.name
        if field.repeated:
            return self._array_reader(field, path)
        read = (
            self._record_reader(field.fields, f"{full}.")
            if field.kind is Kind.RECORD
            else self._value_reader(field.kind)
        )

        def read_one(value: Any) -> Any:
            if value is None:
                if field.required:
                    raise BadValue(f"Only optional fields can be set to NULL. Field: {full}; Value: NULL", full)
                return None
            if field.kind is Kind.RECORD and not isinstance(value, Mapping):
                raise BadValue(f"This field: {full} is not a record.", full)
            try:
                return read(value)
            except (ValueError, ArithmeticError) as error:
                said = f"Could not convert value to {field.kind.value.lower()}. Field: {full}; Value: {value}"
                raise BadValue(said, full) from error

        return read_one

    def _array_reader(self, field: Field, path: str) -> Reader:
        full = path + field.name
        read = self._reader(field.element, path)

        def read_array(values: Any) -> list[Any]:
            if values is None:
                return []
            if not isinstance(values, list):
                raise BadValue(f"Array specified for non-repeated field: {full}.", full)
            if None in values:
                raise BadValue(f"Only optional fields can be set to NULL. Field: {full}; Value: NULL", full)
            return [read(value) for value in values]

        return read_array

    def _value_reader(self, kind: Kind) -> Reader:
        if kind is Kind.JSON:
            return _json_of_text if self._json_in_text else _json_of_value
        return _READERS[kind]


def append(engine: Engine, table: str, fields: Sequence[Field], records: Iterable[Mapping[str, Any]]) -> int:
    """Add records that were read to a table. Returns how many."""
    lines = [json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records]
    if lines and fields:
        names = ", ".join(quoted(field.name) for field in fields)
        values = ", ".join(f"r.{quoted(field.name)}" for field in fields)
        structure = json.dumps({field.name: _structure(field) for field in fields})
        rows = "SELECT from_json_strict(line, $structure) AS r FROM UNNEST(CAST($lines AS VARCHAR[])) AS _(line)"
        statement = f"INSERT INTO {table} ({names}) SELECT {values} FROM ({rows})"  # noqa: S608  (names of ours, and quoted)
        engine.execute(statement, {"structure": structure, "lines": lines})
    return len(lines)


def _structure(field: Field) -> Any:
    """A type as DuckDB's from_json wants it."""
    if field.repeated:
        return [_structure(field.element)]
    if field.kind is Kind.RECORD:
        return {part.name: _structure(part) for part in field.fields}
    return field.in_duckdb()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise ValueError(value)


def _integer(value: Any) -> int:
    number = Decimal(str(value)) if isinstance(value, str | float) else value
    if isinstance(value, bool) or not isinstance(number, int | Decimal) or number != int(number):
        raise ValueError(value)
    if not -(1 << 63) <= number < 1 << 63:
        raise OverflowError(value)
    return int(number)


def _float(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(value)  # noqa: TRY004  (all that does not fit is told in one way)
    number = float(value)
    return number if math.isfinite(number) else str(number)


def _boolean(value: Any) -> bool:
    if str(value).lower() not in {"true", "false"}:
        raise ValueError(value)
    return str(value).lower() == "true"


def _timestamp(value: Any) -> str:
    """A text, or seconds since 1970."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC).isoformat(sep=" ")
    text = str(value).strip()
    found = datetime.fromisoformat(text.removesuffix("UTC").rstrip() if text.endswith("UTC") else text)
    return (found.replace(tzinfo=found.tzinfo or UTC)).astimezone(UTC).isoformat(sep=" ")


def _bytes(value: Any) -> str:
    """As DuckDB writes bytes in text."""
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError(value) from error
    return "".join(f"\\x{byte:02X}" for byte in raw)


def _local(value: Any) -> str:
    found = datetime.fromisoformat(str(value))
    if found.tzinfo is not None:
        raise ValueError(value)
    return found.isoformat(sep=" ")


def _json_of_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004  (the same)
    return json.loads(normal_json(value))


def _json_of_value(value: Any) -> Any:
    return json.loads(normal_json(json.dumps(value)))


_READERS: dict[Kind, Reader] = {
    Kind.STRING: _text,
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.NUMERIC: read_numeric,
    Kind.BOOLEAN: _boolean,
    Kind.TIMESTAMP: _timestamp,
    Kind.DATETIME: _local,
    Kind.DATE: lambda value: date.fromisoformat(str(value)).isoformat(),
    Kind.TIME: lambda value: time.fromisoformat(str(value)).isoformat(),
    Kind.BYTES: _bytes,
}
