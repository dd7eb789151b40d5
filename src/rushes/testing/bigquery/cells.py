"""Values as the REST API writes them in rows: all as strings, arrays and STRUCTs wrapped.

https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/list
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rushes.testing.bigquery.fields import Field, Kind
from rushes.testing.bigquery.refusals import Refusal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT64 = range(-(1 << 63), 1 << 63)
_NINE_DIGITS = Decimal("1e-9")

Writer = Callable[[Any], Any]


def rows_in_api(fields: Sequence[Field], rows: Sequence[Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Raises: Refusal (a value cannot be answered)."""
    writers = [_writer(field) for field in fields]
    for row in rows:
        yield {"f": [{"v": writer(value)} for writer, value in zip(writers, row, strict=True)]}


def _writer(field: Field) -> Writer:
    if field.repeated:
        return _array_writer(field)
    if field.kind is Kind.RECORD:
        return _struct_writer(field)
    write = _WRITERS.get(field.kind)
    if write is None:
        return lambda value: value
    return lambda value: None if value is None else write(value)


def _array_writer(field: Field) -> Writer:
    write = _writer(field.element)

    def write_array(values: Sequence[Any] | None) -> list[dict[str, Any]]:
        """An array that is NULL is answered as an empty one."""
        if values is not None and any(value is None for value in values):
            raise Refusal(
                "invalidQuery",
                f"Array cannot have a null element; error in writing field {field.name}",
                location="query",
            )
        return [{"v": write(value)} for value in values or ()]

    return write_array


def _struct_writer(field: Field) -> Writer:
    writers = [(part.name, _writer(part)) for part in field.fields]

    def write_struct(value: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if value is None else {"f": [{"v": write(value[name])} for name, write in writers]}

    return write_struct


def _integer(value: int) -> str:
    if value not in _INT64:
        raise Refusal("invalidQuery", f"int64 overflow: {value}", location="query")
    return str(int(value))


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(float(value)) if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def _numeric(value: Decimal) -> str:
    text = format(value.quantize(_NINE_DIGITS, ROUND_HALF_UP), "f") if value.as_tuple().exponent else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


_WRITERS: dict[Kind, Writer] = {
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.NUMERIC: _numeric,
    Kind.BOOLEAN: lambda value: "true" if value else "false",
    Kind.TIMESTAMP: lambda value: str((value - _EPOCH) // _MICROSECOND),
    Kind.DATE: str,
    Kind.DATETIME: datetime.isoformat,
    Kind.TIME: time.isoformat,
    Kind.BYTES: lambda value: base64.b64encode(value).decode(),
}
