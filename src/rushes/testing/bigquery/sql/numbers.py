"""Functions of numbers."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from rushes.testing.bigquery.fields import Kind
from rushes.testing.bigquery.refusals import unsupported
from rushes.testing.bigquery.sql.building import Rewrite, Rewrites, call, cast, kind_of


def _by_macro(name: str) -> Rewrite:
    return lambda node: call(name, *filter(None, (node.this, node.expression)))


def whole(name: str) -> Callable[[exp.Expr], exp.Expr]:
    """FLOOR, CEIL and the like: FLOAT64 of INT64, NUMERIC of NUMERIC."""

    def rewrite(node: exp.Expr) -> exp.Expr:
        if kind_of(node.this) is Kind.NUMERIC:
            return cast(call(name, node.this), "DECIMAL(38, 9)")
        return call(name, cast(node.this, "DOUBLE"))

    return rewrite


def rounded(node: exp.Round) -> exp.Expr:
    digits = node.args.get("decimals")
    value = node.this if kind_of(node.this) is Kind.NUMERIC else cast(node.this, "DOUBLE")
    made = call("round", value, cast(digits, "INTEGER")) if digits else call("round", value)
    return cast(made, "DECIMAL(38, 9)") if kind_of(node.this) is Kind.NUMERIC else made


def extreme(node: exp.Greatest | exp.Least) -> exp.Expr:
    """NULL if any is NULL; DuckDB leaves NULLs out."""
    values = [node.this, *node.expressions]
    absent = exp.or_(*(exp.Is(this=exp.Paren(this=one.copy()), expression=exp.null()) for one in values))
    name = "greatest" if isinstance(node, exp.Greatest) else "least"
    return exp.Case(ifs=[exp.If(this=absent, true=exp.null())], default=call(name, *values))


def average(node: exp.Avg) -> exp.Expr:
    if kind_of(node) is Kind.NUMERIC:
        raise unsupported("AVG of NUMERIC")
    return node


def sign(node: exp.Sign) -> exp.Expr:
    kind = kind_of(node.this)
    return cast(node, "BIGINT" if kind is Kind.INTEGER else "DECIMAL(38, 9)" if kind is Kind.NUMERIC else "DOUBLE")


REWRITES: Rewrites = {
    exp.Avg: average,
    exp.Ceil: whole("ceil"),
    exp.Exp: lambda node: call("exp", cast(node.this, "DOUBLE")),
    exp.Floor: whole("floor"),
    exp.Greatest: extreme,
    exp.Least: extreme,
    exp.Ln: _by_macro("bq_ln"),
    exp.Pow: lambda node: call("bq_pow", node.this, node.expression),
    exp.Rand: lambda _: call("random"),
    exp.Round: rounded,
    exp.Sign: sign,
    exp.Sqrt: _by_macro("bq_sqrt"),
    exp.Trunc: whole("trunc"),
}
