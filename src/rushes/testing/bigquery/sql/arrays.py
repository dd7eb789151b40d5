"""Arrays: their functions, and the aggregates that make them."""

from __future__ import annotations

from sqlglot import exp

from rushes.testing.bigquery.fields import unnamed
from rushes.testing.bigquery.refusals import unsupported
from rushes.testing.bigquery.sql.building import Rewrites, call


def array_agg(node: exp.ArrayAgg) -> exp.Expr:
    """`ARRAY_AGG(DISTINCT x IGNORE NULLS ORDER BY y LIMIT n)`."""
    return _collected(node.this, nulls=not isinstance(node.parent, exp.IgnoreNulls))


def without_nulls(node: exp.IgnoreNulls) -> exp.Expr:
    """IGNORE NULLS of ARRAY_AGG is in it already; of a window's function it is the same in DuckDB."""
    return node.this if isinstance(node.this, exp.Filter | exp.Anonymous) else node


def string_agg(node: exp.GroupConcat) -> exp.Expr:
    separator = node.args.get("separator") or exp.Literal.string(",")
    return call("array_to_string", _collected(node.this, nulls=False), separator)


def _collected(node: exp.Expr, *, nulls: bool) -> exp.Expr:
    """All values as an array. DuckDB has no LIMIT there, so that a slice is taken."""
    value, order, limit = _parts(node)
    made: exp.Expr = call("list", exp.Order(this=value, expressions=order) if order else value)
    if not nulls:
        present = exp.Not(this=exp.Is(this=_plain(value).copy(), expression=exp.null()))
        made = exp.Filter(this=made, expression=exp.Where(this=present))
    return call("list_slice", made, 1, limit) if limit is not None else made


def _parts(node: exp.Expr) -> tuple[exp.Expr, list[exp.Expr], exp.Expr | None]:
    """What is collected, its order, and how many."""
    limit = None
    if isinstance(node, exp.Limit):
        limit, node = node.expression, node.this
    if isinstance(node, exp.Order):
        return node.this, node.expressions, limit
    return node, [], limit


def _plain(value: exp.Expr) -> exp.Expr:
    return value.expressions[0] if isinstance(value, exp.Distinct) else value


def to_string(node: exp.ArrayToString) -> exp.Expr:
    null = node.args.get("null")
    if null is not None:
        raise unsupported("ARRAY_TO_STRING with a text for NULL")
    return call("array_to_string", node.this, node.expression)


def concat(node: exp.ArrayConcat) -> exp.Expr:
    """NULL if any array is NULL."""
    joined: exp.Expr = exp.Paren(this=node.this)
    for one in node.expressions:
        joined = call("bq_array_concat", joined, one)
    return joined


def series(node: exp.GenerateSeries) -> exp.Expr:
    return call("generate_series", *filter(None, (node.args["start"], node.args["end"], node.args.get("step"))))


def struct(node: exp.Struct) -> exp.Expr:
    """Every part needs a name in DuckDB; those without get the ones that the service answers with."""
    names = part_names(node)
    values = [part.expression if isinstance(part, exp.PropertyEQ) else part.unalias() for part in node.expressions]
    parts = [
        exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=value)
        for name, value in zip(names, values, strict=True)
    ]
    return exp.Struct(expressions=parts)


def part_names(node: exp.Struct) -> list[str]:
    """The names of a STRUCT's parts: its own, or those of the first one of the array it is in."""
    own = [own_name(part) for part in node.expressions]
    given = _names_around(node) if None in own else []
    if len(given) == len(own):
        return given
    return [name or unnamed(position) for position, name in enumerate(own, 1)]


def own_name(part: exp.Expr) -> str | None:
    """The name that a part of a STRUCT is given where it stands."""
    if isinstance(part, exp.PropertyEQ):
        return str(part.name)
    return str(part.alias_or_name) if isinstance(part, exp.Alias | exp.Column | exp.Dot) else None


def _names_around(node: exp.Struct) -> list[str]:
    parent = node.parent
    if isinstance(parent, exp.Array):
        first = parent.expressions[0]
        return part_names(first) if isinstance(first, exp.Struct) and first is not node else []
    return []


def exact_count(node: exp.ApproxDistinct) -> exp.Expr:
    """No estimate is better than the count."""
    return exp.Count(this=exp.Distinct(expressions=[node.this]))


REWRITES: Rewrites = {
    exp.ApproxDistinct: exact_count,
    exp.ArrayAgg: array_agg,
    exp.ArrayConcat: concat,
    exp.ArrayReverse: lambda node: call("list_reverse", node.this),
    exp.ArraySize: lambda node: call("len", node.this),
    exp.ArrayToString: to_string,
    exp.GenerateSeries: series,
    exp.GroupConcat: string_agg,
    exp.IgnoreNulls: without_nulls,
    exp.Struct: struct,
}
