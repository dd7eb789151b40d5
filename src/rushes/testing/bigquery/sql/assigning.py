"""Values that go into columns: of which types they may be, and as what they arrive."""

from __future__ import annotations

from sqlglot import exp

from rushes.testing.bigquery.fields import Field, Kind
from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.sql.building import call, cast, field_of
from rushes.testing.bigquery.sql.casts import reshaped

_TIMES = {Kind.TIMESTAMP, Kind.DATETIME, Kind.DATE, Kind.TIME}
_COERCED = {
    (Kind.INTEGER, Kind.FLOAT), (Kind.INTEGER, Kind.NUMERIC), (Kind.NUMERIC, Kind.FLOAT), (Kind.DATE, Kind.DATETIME),
}  # fmt: skip
"""https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules#coercion"""


def check_assignable(value: exp.Expr, column: Field, *, inserted: bool) -> None:
    """Raises: Refusal (a value of that type does not go into that column)."""
    source = field_of(value)
    if source is None or fits(source, column) or _is_coerced_text(value, source, column):
        return
    if isinstance(value, exp.Literal) and (source.kind, column.kind) == (Kind.FLOAT, Kind.NUMERIC):
        return
    said = "inserted into" if inserted else "assigned to"
    raise Refusal(
        "invalidQuery", f"Value has type {source.in_sql()} which cannot be {said} column {column.name},"
        f" which has type {column.in_sql()}", location="query",
    )  # fmt: skip


def fits(source: Field, column: Field) -> bool:
    """Whether values of a type go into a column without a cast."""
    if source.repeated != column.repeated:
        return False
    if source.kind is Kind.RECORD and column.kind is Kind.RECORD:
        return len(source.fields) == len(column.fields) and all(map(fits, source.fields, column.fields))
    return source.kind is column.kind or (source.kind, column.kind) in _COERCED


def _is_coerced_text(value: exp.Expr, source: Field, column: Field) -> bool:
    """A literal or a parameter may be the text of a time."""
    return is_constant(value) and source.kind is Kind.STRING and column.kind in _TIMES and not source.repeated


def is_constant(value: exp.Expr) -> bool:
    """Whether it is a literal or a parameter: the service lets those be more than their type says."""
    return isinstance(value, exp.Literal) or (isinstance(value, exp.Cast) and isinstance(value.this, exp.Parameter))


def assigned(value: exp.Expr, column: Field, source: Field | None = None) -> exp.Expr:
    """DuckDB's value as it goes into the column: STRUCTs by position, and an array that is NULL arrives empty.

    Args:
        value: what goes in.
        column: where it goes.
        source: the value's type, by default the one it is known to have.
    """
    source = source or field_of(value)
    if source is not None and column.fields:
        value = exp.Var(this=reshaped(value.sql(dialect="duckdb"), source, column))
    made = cast(value, column.in_duckdb())
    return call("coalesce", made, cast(exp.Array(expressions=[]), column.in_duckdb())) if column.repeated else made
