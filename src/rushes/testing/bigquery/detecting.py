"""Which columns lines of JSON have, where nobody says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from rushes.testing.bigquery.fields import Field, Kind, Mode, checked
from rushes.testing.bigquery.refusals import Refusal

_SAMPLE = 500
"""https://cloud.google.com/bigquery/docs/schema-detect: so many rows are looked at."""
_TEXTS = (
    (re.compile(r"[+-]?\d{1,18}"), Kind.INTEGER),
    (re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?"), Kind.FLOAT),
    (re.compile(r"(?i)true|false"), Kind.BOOLEAN),
    (re.compile(r"\d{4}-\d{2}-\d{2}"), Kind.DATE),
    (re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?UTC|Z|[+-]\d{2}:?\d{2})?"), Kind.TIMESTAMP),
)
"""Quoted values are taken for what they look like, there as here: an id "007" becomes a number."""
_WIDER = {frozenset({Kind.INTEGER, Kind.FLOAT}): Kind.FLOAT, frozenset({Kind.DATE, Kind.TIMESTAMP}): Kind.TIMESTAMP}


def detect_fields(data: bytes) -> tuple[Field, ...]:
    """Columns for lines of JSON.

    Raises:
        Refusal: a line is no object.
    """
    try:
        records = [json.loads(line) for line in data.split(b"\n")[:_SAMPLE] if line.strip()]
    except ValueError as error:
        raise Refusal("invalid", f"Error while reading data, error message: {error}") from error
    return _fields(records)


def _fields(records: Iterable[Any]) -> tuple[Field, ...]:
    found: dict[str, list[Any]] = {}
    for record in records:
        if not isinstance(record, dict):
            raise Refusal("invalid", "Error while reading data, error message: a row is not an object")
        for name, value in record.items():
            found.setdefault(name, []).append(value)
    return checked([_field(name, values) for name, values in found.items()])


def _field(name: str, values: list[Any]) -> Field:
    present = [value for value in values if value is not None]
    if any(isinstance(value, list) for value in present):
        inner = [one for value in present if isinstance(value, list) for one in value]
        found = _field(name, inner)
        return Field(name, found.kind, Mode.REPEATED, found.fields)
    if any(isinstance(value, dict) for value in present):
        return Field(name, Kind.RECORD, fields=_fields(present))
    kinds = {_kind(value) for value in present}
    return Field(name, kinds.pop() if len(kinds) == 1 else _WIDER.get(frozenset(kinds), Kind.STRING))


def _kind(value: Any) -> Kind:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int):
        return Kind.INTEGER
    if isinstance(value, float):
        return Kind.FLOAT
    return next((kind for pattern, kind in _TEXTS if pattern.fullmatch(value)), Kind.STRING)
