"""Types that do not go together: what the service refuses, and DuckDB would make fit in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from rushes.testing.bigquery.fields import Field, Kind
from rushes.testing.bigquery.refusals import Refusal, unsupported
from rushes.testing.bigquery.sql.arguments import check_arguments
from rushes.testing.bigquery.sql.arrays import own_name
from rushes.testing.bigquery.sql.assigning import is_constant
from rushes.testing.bigquery.sql.building import field_of, wrong_arguments

_NUMBERS = frozenset({Kind.INTEGER, Kind.FLOAT, Kind.NUMERIC})
_TIMES = frozenset({Kind.TIMESTAMP, Kind.DATETIME, Kind.DATE, Kind.TIME})
_DAYS = frozenset({Kind.DATE, Kind.DATETIME})
"""A DATE is a DATETIME where one is needed."""
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "!=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=", exp.Add: "+", exp.Sub: "-",
    exp.Mul: "*", exp.Div: "/", exp.Mod: "MOD", exp.IntDiv: "DIV",
}  # fmt: skip
_CLAUSES: dict[type[exp.Expr], str] = {
    exp.Where: "WHERE clause",
    exp.Having: "HAVING clause",
    exp.Qualify: "QUALIFY clause",
}


def checked(tree: exp.Query) -> exp.Query:
    """The same tree, in which constants that stand for times have become such.

    Raises:
        Refusal: types in it do not go together.
    """
    for node in list(tree.walk()):
        for kinds, check in _CHECKS:
            if isinstance(node, kinds):
                check(node)
    return tree


def _check_comparison(node: exp.Expr) -> None:
    fields = [field for value in (node.this, node.args["expression"]) if (field := field_of(value))]
    if any(field.fields and not field.repeated for field in fields):
        # A part that is NULL makes the answer NULL there, and counts as a value in DuckDB.
        raise unsupported("comparing STRUCTs")
    if any(field.repeated or field.kind is Kind.JSON for field in fields):
        raise wrong_arguments(f"operator {_SIGNS.get(type(node), '=')}", node.this, node.args["expression"])
    _check_alike(_SIGNS.get(type(node), "="), node.this, node.args["expression"])


def _check_between(node: exp.Between) -> None:
    _check_alike("BETWEEN", node.this, node.args["low"], node.args["high"])


def _check_values(node: exp.Coalesce | exp.Greatest | exp.Least) -> None:
    _check_alike(f"function {node.sql_name()}", node.this, *node.expressions)


def _check_connector(node: exp.Connector) -> None:
    _check_boolean(f"operator {node.key.upper()}", node.this, node.expression)


def _check_concatenation(node: exp.DPipe) -> None:
    fields = [field for value in (node.this, node.expression) if (field := field_of(value))]
    joined = all(field.repeated or field.kind in {Kind.STRING, Kind.BYTES} for field in fields)
    if not joined or any(not _alike(fields[0], one) for one in fields[1:]):
        raise wrong_arguments("operator ||", node.this, node.expression)


def _check_alike(what: str, *values: exp.Expr) -> None:
    """All values must be of one type, or of numbers."""
    known = [(value, field) for value in values if (field := field_of(value))]
    times = [field for value, field in known if field.kind in _TIMES and not field.repeated]
    if times:
        known = [(_as_time(value, field, times[0]), field) for value, field in known]
    fields = [field for value, field in known if not _is_time_now(value, field)]
    if any(not _alike(fields[0], one) for one in fields[1:]) or (times and any(f.kind is Kind.STRING for f in fields)):
        named = f"operator {what}" if not what.startswith("function") else what
        raise wrong_arguments(named, *values)


def _as_time(value: exp.Expr, field: Field, time: Field) -> exp.Expr:
    """A constant text beside a time becomes one."""
    if field.kind is not Kind.STRING or field.repeated or not is_constant(value):
        return value
    made = exp.cast(value.copy(), time.in_sql(), dialect="bigquery")
    made.args["this"].type = exp.DataType.build("STRING", dialect="bigquery")
    made.type = exp.DataType.build(time.in_sql(), dialect="bigquery")
    value.replace(made)
    return made


def _is_time_now(value: exp.Expr, field: Field) -> bool:
    after = field_of(value)
    return after is not None and after.kind is not field.kind


def _alike(one: Field, other: Field) -> bool:
    if one.repeated != other.repeated:
        return False
    if one.fields and other.fields and _shape(one) != _shape(other):
        # They go together by position there, by names in DuckDB.
        raise unsupported(f"{one.in_sql()} and {other.in_sql()} together")
    if {one.kind, other.kind} == _DAYS:
        return True
    return one.kind is other.kind or (one.kind in _NUMBERS and other.kind in _NUMBERS)


def _shape(field: Field) -> tuple[object, ...]:
    """The names and types of a STRUCT's parts."""
    return tuple((part.name.lower(), part.kind, part.repeated, _shape(part)) for part in field.fields)


def _check_array(node: exp.Array) -> None:
    """Elements go together. A STRUCT without names has those of the first one."""
    unnamed = [
        one for one in node.expressions if isinstance(one, exp.Struct) and None in map(own_name, one.expressions)
    ]
    _check_alike("ARRAY", *(one for one in node.expressions if not any(one is other for other in unnamed)))


def _check_distinct(select: exp.Select) -> None:
    """Behind SELECT DISTINCT, rows can be ordered only by what was selected."""
    order = select.args.get("order")
    for one in order.expressions if order and select.args.get("distinct") else ():
        column = one.this
        if not isinstance(column, exp.Column) or column.name not in select.named_selects:
            said = f"ORDER BY clause expression references {column.sql('bigquery')} which is not visible after"
            raise Refusal("invalidQuery", f"{said} SELECT DISTINCT", location="query")


def _check_in(node: exp.In) -> None:
    unnest = node.args.get("unnest")
    query = node.args.get("query")
    if isinstance(unnest, exp.Unnest):
        array = field_of(unnest.expressions[0])
        value = field_of(node.this)
        if array and value and not (array.repeated and _alike(value, array.element)):
            raise wrong_arguments("operator IN UNNEST", node.this, unnest.expressions[0])
    elif isinstance(query, exp.Query):
        inner = query.unnest()
        if isinstance(inner, exp.Query) and inner.selects:
            _check_alike("IN", node.this, inner.selects[0].unalias())
    else:
        _check_alike("IN", node.this, *node.expressions)


def _check_numbers(node: exp.Expr) -> None:
    """Both sides must be numbers; times take whole days, which this server leaves to DATE_ADD."""
    values = (node.this, node.args["expression"])
    fields = [field for value in values if (field := field_of(value))]
    if any(field.kind in _TIMES and not field.repeated for field in fields):
        raise unsupported("arithmetic with times: use DATE_ADD, TIMESTAMP_DIFF and the like")
    if any(field.repeated or field.kind not in _NUMBERS for field in fields):
        raise wrong_arguments(f"operator {_SIGNS[type(node)]}", *values)


def _check_if(node: exp.If) -> None:
    if isinstance(node.parent, exp.Case):
        return
    _check_boolean("function IF", node.this)
    branches = [one for one in (node.args.get("true"), node.args.get("false")) if one is not None]
    _check_alike("function IF", *branches)


def _check_case(node: exp.Case) -> None:
    results = [branch.args["true"] for branch in node.args["ifs"]]
    default = node.args.get("default")
    _check_alike("CASE", *results, *([default] if default is not None else []))
    if node.this is not None:
        _check_alike("CASE", node.this, *(branch.this for branch in node.args["ifs"]))
    else:
        _check_boolean("CASE", *(branch.this for branch in node.args["ifs"]))


def _check_boolean(what: str, *values: exp.Expr) -> None:
    if any((field := field_of(value)) and not _is_boolean(field) for value in values):
        raise wrong_arguments(what, *values)


def _check_clause(node: exp.Expr) -> None:
    what, field = _CLAUSES[type(node)], field_of(node.this)
    if field is not None and not _is_boolean(field):
        raise Refusal(
            "invalidQuery", f"{what} should return type BOOL, but returns type {field.in_sql()}", location="query"
        )


def _is_boolean(field: Field) -> bool:
    return field.kind is Kind.BOOLEAN and not field.repeated


def _check_set_operation(node: exp.SetOperation) -> None:
    """Columns of both sides go together, by position."""
    left, right = (side.selects if isinstance(side, exp.Query) else [] for side in (node.left, node.right))
    if len(left) != len(right):
        raise Refusal("invalidQuery", f"Queries in {node.key.upper()} have mismatched column count", location="query")
    for position, (one, other) in enumerate(zip(left, right, strict=True), 1):
        fields = [field_of(side.unalias()) for side in (one, other)]
        if fields[0] and fields[1] and not _alike(fields[0], fields[1]):
            kinds = ", ".join(field.in_sql() for field in fields if field)
            message = f"Column {position} in {node.key.upper()} has incompatible types: {kinds}"
            raise Refusal("invalidQuery", message, location="query")


def _check_group(node: exp.Group) -> None:
    for value in node.expressions:
        field = field_of(value)
        if field is not None and (field.repeated or field.kind in {Kind.JSON, Kind.RECORD}):
            raise unsupported(f"grouping by {field.in_sql()}")


_CHECKS: tuple[tuple[Any, Callable[[Any], None]], ...] = (
    (_COMPARISONS, _check_comparison),
    (exp.Between, _check_between),
    (exp.In, _check_in),
    ((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.IntDiv), _check_numbers),
    ((exp.Coalesce, exp.Greatest, exp.Least), _check_values),
    (exp.If, _check_if),
    (exp.Case, _check_case),
    ((exp.And, exp.Or), _check_connector),
    (exp.Not, lambda node: _check_boolean("operator NOT", node.this)),
    (exp.DPipe, _check_concatenation),
    (exp.Nullif, lambda node: _check_alike("function NULLIF", node.this, node.expression)),
    (exp.SetOperation, _check_set_operation),
    (exp.Group, _check_group),
    (exp.Array, _check_array),
    (exp.Select, _check_distinct),
    (exp.ArrayConcat, lambda node: _check_alike("function ARRAY_CONCAT", node.this, *node.expressions)),
    (exp.Expr, check_arguments),
    (tuple(_CLAUSES), _check_clause),
)
