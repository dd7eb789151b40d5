"""Pieces of DuckDB's SQL, and what is known of the pieces of BigQuery's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

from rushes.testing.bigquery.fields import Field, Kind, field_of_sql
from rushes.testing.bigquery.refusals import Refusal, unsupported

Rewrite = Callable[[Any], exp.Expr]
"""Gives what DuckDB is to be asked instead of a node. The node's own parts are DuckDB's already; its type is BigQuery's."""
Rewrites = Mapping[type[exp.Expr], Rewrite]


def call(name: str, *arguments: exp.Expr | str | int) -> exp.Expr:
    """A call of a function or macro of DuckDB's."""
    return exp.Anonymous(this=name, expressions=[_argument(one) for one in arguments])


def _argument(value: exp.Expr | str | int) -> exp.Expr:
    if isinstance(value, str):
        return exp.Literal.string(value)
    return exp.Literal.number(value) if isinstance(value, int) else value


def cast(node: exp.Expr, kind: str) -> exp.Expr:
    """A cast to a type of DuckDB's, given as its text."""
    return exp.Cast(this=node, to=exp.DataType(this=exp.DType.USERDEFINED, kind=kind))


def field_of(node: exp.Expr) -> Field | None:
    """The type of an expression; None if nobody can tell, as of a NULL."""
    kind = node.type
    if (
        isinstance(node, exp.Null)
        or _is_empty_array(node)
        or kind is None
        or kind.this in {exp.DType.UNKNOWN, exp.DType.NULL}
    ):
        return None
    try:
        return field_of_sql("", kind)
    except Refusal:
        return None


def _is_empty_array(node: exp.Expr) -> bool:
    return isinstance(node, exp.Array) and not node.expressions


def kind_of(node: exp.Expr) -> Kind | None:
    """The type of an expression that is neither an array nor unknown."""
    field = field_of(node)
    return None if field is None or field.repeated else field.kind


def literal_text(node: exp.Expr | None, whose: str) -> str:
    """The text of a literal.

    Raises:
        Refusal: it is anything else; the service may know what to do with that, this server does not.
    """
    if not isinstance(node, exp.Literal) or not node.is_string:
        raise unsupported(f"{whose} that is not a literal")
    return str(node.this)


def wrong_arguments(function: str, *arguments: exp.Expr) -> Refusal:
    """As the service says that a function does not take such types."""
    kinds = ", ".join(field.in_sql() if (field := field_of(one)) else "?" for one in arguments)
    return Refusal(
        "invalidQuery", f"No matching signature for {function} for argument types: {kinds}", location="query"
    )
