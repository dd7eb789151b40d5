"""Query parameters, as clients send them: named or by position, of any type, NULL or not."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rushes.testing.bigquery.fields import Field, Kind, Mode, read_kind
from rushes.testing.bigquery.refusals import Refusal, unsupported
from rushes.testing.bigquery.values import normal_json, read_numeric


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value, and what it is called in DuckDB's statement."""

    name: str | None
    """None: it is told by its position."""
    field: Field
    value: Any


def read_parameters(configuration: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Read the parameters of a query's configuration.

    Raises:
        Refusal: a type is not supported, or a value is not of its type.
    """
    return tuple(_read(said) for said in configuration.get("queryParameters") or ())


def _read(said: Mapping[str, Any]) -> Parameter:
    field = _read_type(said.get("name") or "", said.get("parameterType") or {})
    try:
        return Parameter(said.get("name"), field, _read_value(field, said.get("parameterValue") or {}))
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Refusal(
            "invalid", f"Invalid value for parameter {said.get('name') or '?'} of type {field.in_sql()}: {error}"
        ) from error


def _read_type(name: str, said: Mapping[str, Any]) -> Field:
    if said.get("type") == "ARRAY":
        return replace(_read_type(name, said["arrayType"]), mode=Mode.REPEATED)
    kind = read_kind(said.get("type", ""))
    parts = [_read_type(part.get("name") or "", part["type"]) for part in said.get("structTypes", ())]
    if any(not part.name for part in parts):
        raise unsupported("a STRUCT parameter with parts that have no names")
    return Field(name, kind, fields=tuple(parts))


def _read_value(field: Field, said: Mapping[str, Any]) -> Any:
    if field.repeated:
        values = said.get("arrayValues")
        return [] if values is None else [_read_value(field.element, one) for one in values]
    if field.kind is Kind.RECORD:
        values = said.get("structValues")
        return (
            None
            if values is None
            else {part.name: _read_value(part, values.get(part.name) or {}) for part in field.fields}
        )
    value = said.get("value")
    return None if value is None else _READERS.get(field.kind, str)(value)


def _read_boolean(text: Any) -> bool:
    if str(text).lower() not in {"true", "false"}:
        raise ValueError(f"{text!r} is neither true nor false")
    return str(text).lower() == "true"


_READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.INTEGER: int,
    Kind.FLOAT: float,
    Kind.BOOLEAN: _read_boolean,
    Kind.NUMERIC: read_numeric,
    Kind.BYTES: lambda text: base64.b64decode(text, validate=True),
    Kind.JSON: normal_json,
}
"""What is not here goes on as text, to be read by the cast to its type."""


def shown(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The values by their names or positions, for whoever reads the log."""
    return {one.name or str(position): one.value for position, one in enumerate(parameters)}
