"""CAST and SAFE_CAST: which types go into which, and how the texts look."""

from __future__ import annotations

from sqlglot import exp

from rushes.testing.bigquery.fields import Field, Kind, field_of_sql, quoted
from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.sql.building import Rewrites, call, cast, field_of

_ALIKE = {
    (Kind.INTEGER, Kind.FLOAT), (Kind.INTEGER, Kind.NUMERIC), (Kind.INTEGER, Kind.BOOLEAN), (Kind.INTEGER, Kind.STRING),
    (Kind.FLOAT, Kind.NUMERIC), (Kind.NUMERIC, Kind.FLOAT), (Kind.BOOLEAN, Kind.INTEGER), (Kind.BOOLEAN, Kind.STRING),
    (Kind.STRING, Kind.NUMERIC), (Kind.STRING, Kind.TIMESTAMP), (Kind.STRING, Kind.DATETIME), (Kind.STRING, Kind.DATE),
    (Kind.STRING, Kind.TIME), (Kind.TIMESTAMP, Kind.DATE), (Kind.TIMESTAMP, Kind.DATETIME),
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
    (Kind.TIMESTAMP, Kind.TIME): "bq_time_of_timestamp",
    (Kind.TIMESTAMP, Kind.STRING): "bq_text_of_timestamp",
    (Kind.DATETIME, Kind.STRING): "bq_text_of_datetime",
    (Kind.TIME, Kind.STRING): "bq_text_of_time",
}


def to_type(node: exp.Cast) -> exp.Expr:
    """The cast as DuckDB does it.

    Raises:
        Refusal: there is no such cast.
    """
    return converted(node.this, field_of_sql("", node.to))


def to_type_safely(node: exp.TryCast) -> exp.Expr:
    """NULL where the value does not fit."""
    return call("TRY", converted(node.this, field_of_sql("", node.to)))


def converted(value: exp.Expr, target: Field) -> exp.Expr:
    """A value of DuckDB's, whose type of BigQuery's is known, as another type.

    Raises:
        Refusal: there is no such cast.
    """
    source = field_of(value)
    if source is None or isinstance(value, exp.Null | exp.Parameter):
        return cast(value, target.in_duckdb())
    if not source.repeated and not source.fields and not target.repeated and not target.fields:
        return _scalar(value, source, target)
    return cast(exp.Var(this=reshaped(value.sql(dialect="duckdb"), source, target)), target.in_duckdb())


def _scalar(value: exp.Expr, source: Field, target: Field) -> exp.Expr:
    pair = (source.kind, target.kind)
    if source.kind is target.kind or pair in _ALIKE:
        return cast(value, target.in_duckdb())
    if pair in _BY_MACRO:
        return call(_BY_MACRO[pair], value)
    raise _no_cast(source, target)


def reshaped(value: str, source: Field, target: Field, depth: int = 0) -> str:
    """DuckDB's expression of an array or a STRUCT with the parts of another, by position; DuckDB goes by names.

    Raises:
        Refusal: a part does not go into its counterpart.
    """
    if source.repeated != target.repeated or len(source.fields) != len(target.fields):
        raise _no_cast(source, target)
    if source.repeated:
        each = f"r{depth}"
        return f"list_transform({value}, lambda {each}: {reshaped(each, source.element, target.element, depth + 1)})"
    if not source.fields:
        return _scalar(exp.Paren(this=exp.Var(this=value)), source, target).sql(dialect="duckdb")
    parts = (
        f"{_text(wanted.name)}: {reshaped(f'({value}).{quoted(part.name)}', part, wanted, depth + 1)}"
        for part, wanted in zip(source.fields, target.fields, strict=True)
    )
    return f"CASE WHEN ({value}) IS NOT NULL THEN {{{', '.join(parts)}}} END"


def _text(value: str) -> str:
    return exp.Literal.string(value).sql(dialect="duckdb")


def _no_cast(source: Field, target: Field) -> Refusal:
    return Refusal("invalidQuery", f"Invalid cast from {source.in_sql()} to {target.in_sql()}", location="query")


REWRITES: Rewrites = {exp.Cast: to_type, exp.TryCast: to_type_safely}
