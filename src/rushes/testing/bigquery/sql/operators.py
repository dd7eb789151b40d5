"""Literals, operators, arrays by position, UNNEST: what is no function, and differs in DuckDB."""

from __future__ import annotations

from sqlglot import exp

from rushes.testing.bigquery.fields import Kind
from rushes.testing.bigquery.refusals import Refusal, unsupported
from rushes.testing.bigquery.sql.building import Rewrites, call, cast, field_of, kind_of
from rushes.testing.bigquery.sql.qualifying import place_of

_BARE = (exp.Limit, exp.Offset, exp.WindowSpec, exp.Ordered, exp.Group)
"""Where a number is no value."""
ELEMENT = "_element"
"""The column of an UNNEST without an alias."""
_END = 1 << 63
"""The first number that is no INT64; below zero it is one."""


def literal(node: exp.Literal) -> exp.Expr:
    """A number is INT64 or FLOAT64 there; in DuckDB it would be the smallest type that holds it."""
    if node.is_string or isinstance(node.parent, _BARE):
        return node
    if not str(node.this).isdigit():
        return cast(node, "DOUBLE")
    if int(node.this) < _END:
        return cast(node, "BIGINT")
    if int(node.this) == _END and isinstance(node.parent, exp.Neg):
        return cast(node, "HUGEINT")
    raise Refusal("invalidQuery", f"Invalid integer literal: {node.this}", location="query")


def raw_string(node: exp.RawString) -> exp.Expr:
    return exp.Literal.string(str(node.this))


def byte_string(node: exp.ByteString) -> exp.Expr:
    """The parser gives each byte as a letter."""
    return call("unhex", str(node.this).encode("latin-1").hex())


def hex_number(node: exp.HexString) -> exp.Expr:
    return cast(exp.Literal.number(int(str(node.this), 16)), "BIGINT")


def divide(node: exp.Div) -> exp.Expr:
    """FLOAT64, also of two INT64, and an error by zero."""
    _no_numeric(node)
    return call("bq_divide", node.left, node.right)


def safe_divide(node: exp.SafeDivide) -> exp.Expr:
    _no_numeric(node)
    return call("bq_safe_divide", node.this, node.expression)


def _no_numeric(node: exp.Expr) -> None:
    if kind_of(node) is Kind.NUMERIC:
        raise unsupported("division of NUMERIC")


def multiply(node: exp.Mul) -> exp.Expr:
    """NUMERIC keeps nine digits after the point."""
    return cast(exp.Paren(this=node), "DECIMAL(38, 9)") if kind_of(node) is Kind.NUMERIC else node


def modulo(node: exp.Mod) -> exp.Expr:
    """Its sign is that of the first number in both, and by zero it is an error."""
    return exp.Paren(this=exp.Mod(this=exp.Paren(this=node.this), expression=exp.Paren(this=node.expression)))


def whole_division(node: exp.IntDiv) -> exp.Expr:
    return exp.Paren(this=exp.IntDiv(this=exp.Paren(this=node.this), expression=exp.Paren(this=node.expression)))


def like(node: exp.Like) -> exp.Expr:
    """A backslash escapes there, nothing does in DuckDB."""
    return exp.Escape(this=node, expression=exp.Literal.string("\\"))


def concatenate(node: exp.DPipe) -> exp.Expr:
    return exp.DPipe(this=node.left, expression=node.right)


def within(node: exp.In) -> exp.Expr:
    """`x IN UNNEST(array)` as a query, which DuckDB hashes."""
    unnest = node.args.get("unnest")
    if unnest is None:
        return node
    array = unnest.expressions[0] if isinstance(unnest, exp.Unnest) else unnest
    query = exp.Subquery(this=exp.Select(expressions=[call("UNNEST", array)]))
    return exp.In(this=node.this, query=query)


def element(node: exp.Bracket) -> exp.Expr:
    """A place beyond an array's end is an error there, unless it is asked for safely."""
    field = field_of(node.this)
    if field is None or not field.repeated or len(node.expressions) != 1:
        raise unsupported(f"a subscript of what is not an array: {node.sql('bigquery')[:80]}")
    name = "bq_safe_element" if node.args.get("safe") else "bq_element"
    index = node.expressions[0]
    if node.args.get("offset") == 1:
        return call(name, node.this, index)
    return call(name, node.this, exp.Add(this=exp.Paren(this=index), expression=exp.Literal.number(1)))


def unnest(node: exp.Unnest) -> exp.Expr:
    """One column for the elements and one for their places, under the alias that columns are named with."""
    if isinstance(node.parent, exp.In):
        return node
    if len(node.expressions) != 1:
        raise unsupported("UNNEST of several arrays")
    join = node.parent
    if isinstance(join, exp.Join) and join.side and not (join.args.get("on") or join.args.get("using")):
        join.set("on", exp.true())
    column = exp.to_identifier(_element_name(node), quoted=True)
    alias = node.args["alias"].this
    place = place_of(node)
    if place is None:
        elements = exp.TableAlias(this=alias, columns=[column])
        return exp.Table(this=call("UNNEST", node.expressions[0]), alias=elements)
    array = node.expressions[0]
    places = call("UNNEST", call("range", call("len", array.copy())))
    columns = [
        exp.alias_(call("UNNEST", array), column, quoted=True),
        exp.alias_(places, place, quoted=True),
    ]
    return exp.Subquery(this=exp.Select(expressions=columns), alias=exp.TableAlias(this=alias))


def _element_name(node: exp.Unnest) -> str:
    names = node.alias_column_names
    return names[0] if names else ELEMENT


def parts_of_elements(tree: exp.Expr) -> None:
    """Name the part of a STRUCT with its element: `id` of `UNNEST(rows) AS r` is `r.id`, wherever it stands."""
    unnested = {node.alias: node for node in tree.find_all(exp.Unnest) if node.alias}
    for column in list(tree.find_all(exp.Column)):
        node = unnested.get(column.table)
        if node is None or isinstance(column.this, exp.Star):
            continue
        if column.name not in {_element_name(node), place_of(node)}:
            whole = exp.column(_element_name(node), table=column.table, quoted=True)
            part = exp.Dot(this=whole, expression=exp.to_identifier(column.name, quoted=True))
            part.type = column.type
            column.replace(part)


def dot(node: exp.Dot) -> exp.Expr:
    if kind_of(node.this) is Kind.JSON:
        raise unsupported("parts of JSON by a dot: use JSON_VALUE or JSON_QUERY")
    return node


def order(node: exp.Ordered) -> exp.Expr:
    field = field_of(node.this)
    if field is not None and (field.repeated or field.kind in {Kind.RECORD, Kind.JSON}):
        raise unsupported(f"ordering by {field.in_sql()}")
    return node


REWRITES: Rewrites = {
    exp.Bracket: element,
    exp.ByteString: byte_string,
    exp.DPipe: concatenate,
    exp.Div: divide,
    exp.Dot: dot,
    exp.HexString: hex_number,
    exp.In: within,
    exp.IntDiv: whole_division,
    exp.Like: like,
    exp.Literal: literal,
    exp.Mod: modulo,
    exp.Mul: multiply,
    exp.Ordered: order,
    exp.RawString: raw_string,
    exp.SafeDivide: safe_divide,
    exp.Unnest: unnest,
}
