"""CAST and SAFE_CAST: which types go into which, and how the texts look."""

from __future__ import annotations

from sqlglot import exp

from rushes.testing.bigquery.fields import Field, Kind, field_of_sql
from rushes.testing.bigquery.refusals import Refusal, unsupported
from rushes.testing.bigquery.sql.building import Rewrites, call, cast, field_of

_ALIKE = {
    (Kind.INTEGER, Kind.FLOAT), (Kind.INTEGER, Kind.NUMERIC), (Kind.INTEGER, Kind.BOOLEAN), (Kind.INTEGER, Kind.STRING),
    (Kind.FLOAT, Kind.NUMERIC), (Kind.NUMERIC, Kind.FLOAT), (Kind.BOOLEAN, Kind.INTEGER), (Kind.BOOLEAN, Kind.STRING),
    (Kind.STRING, Kind.NUMERIC), (Kind.STRING, Kind.TIMESTAMP), (Kind.STRING, Kind.DATETIME), (Kind.STRING, Kind.DATE),
    (Kind.STRING, Kind.TIME), (Kind.TIMESTAMP, Kind.DATE), (Kind.TIMESTAMP, Kind.DATETIME), (Kind.TIMESTAMP, Kind.TIME),
    (Kind.DATETIME, Kind.DATE), (Kind.DATETIME, Kind.TIMESTAMP), (Kind.DATETIME, Kind.TIME),
    (Kind.DATE, Kind.DATETIME), (Kind.DATE, Kind.TIMESTAMP), (Kind.DATE, Kind.STRING),
}  # fmt: skip
"""What DuckDB casts as BigQuery does."""
_BY_MACRO = {
    (Kind.FLOAT, Kind.INTEGER): "bq_int_of_number",
    (Kind.NUMERIC, Kind.INTEGER): "bq_int_of_number",
    (Kind.STRING, Kind.INTEGER): "bq_int_of_text",
    (Kind.STRING, Kind.FLOAT): "bq_float_of_text",
    (Kind.STRING, Kind.BOOLEAN): "bq_bool_of_text",
    (Kind.STRING, Kind.BYTES): "encode",
    (Kind.BYTES, Kind.STRING): "decode",
    (Kind.FLOAT, Kind.STRING): "bq_text_of_float",
    (Kind.NUMERIC, Kind.STRING): "bq_text_of_numeric",
    (Kind.TIMESTAMP, Kind.STRING): "bq_text_of_timestamp",
    (Kind.DATETIME, Kind.STRING): "bq_text_of_datetime",
    (Kind.TIME, Kind.STRING): "bq_text_of_time",
}
_SAFELY = {
    (Kind.STRING, Kind.INTEGER): "bq_try_int_of_text",
    (Kind.STRING, Kind.BOOLEAN): "bq_try_bool_of_text",
}
"""What would be an error of ours, not of DuckDB's: only the latter can be tried."""


def to_type(node: exp.Cast) -> exp.Expr:
    """The cast as DuckDB does it.

    Raises:
        Refusal: there is no such cast.
    """
    return converted(node.this, field_of_sql("", node.to))


def to_type_safely(node: exp.TryCast) -> exp.Expr:
    """NULL where the value does not fit."""
    target = field_of_sql("", node.to)
    source = field_of(node.this)
    pair = (source.kind, target.kind) if source and not source.repeated else None
    if pair in _SAFELY:
        return call(_SAFELY[pair], node.this)
    if pair == (Kind.STRING, Kind.FLOAT):
        return exp.TryCast(this=node.this, to=exp.DataType(this=exp.DType.USERDEFINED, kind="DOUBLE"))
    return call("TRY", converted(node.this, target))


def converted(value: exp.Expr, target: Field) -> exp.Expr:
    """A value of DuckDB's, whose type of BigQuery's is known, as another type."""
    source = field_of(value)
    if source is None or isinstance(value, exp.Null) or _same(source, target):
        return cast(value, target.in_duckdb())
    if source.repeated or target.repeated or Kind.RECORD in {source.kind, target.kind}:
        return _converted_whole(value, source, target)
    pair = (source.kind, target.kind)
    if pair in _ALIKE:
        return cast(value, target.in_duckdb())
    if pair in _BY_MACRO:
        return call(_BY_MACRO[pair], value)
    raise Refusal("invalidQuery", f"Invalid cast from {source.in_sql()} to {target.in_sql()}", location="query")


def _same(source: Field, target: Field) -> bool:
    return not source.fields and (source.kind, source.repeated) == (target.kind, target.repeated)


def _converted_whole(value: exp.Expr, source: Field, target: Field) -> exp.Expr:
    """STRUCTs by position, arrays by element, where no part needs more than DuckDB's own cast."""
    if source.repeated != target.repeated or len(source.fields) != len(target.fields):
        raise Refusal("invalidQuery", f"Invalid cast from {source.in_sql()} to {target.in_sql()}", location="query")
    for part, wanted in zip(source.fields or (source.element,), target.fields or (target.element,), strict=True):
        if part.kind is not wanted.kind and (part.kind, wanted.kind) not in _ALIKE:
            raise unsupported(f"a cast from {source.in_sql()} to {target.in_sql()}")
    return cast(value, target.in_duckdb())


REWRITES: Rewrites = {exp.Cast: to_type, exp.TryCast: to_type_safely}
