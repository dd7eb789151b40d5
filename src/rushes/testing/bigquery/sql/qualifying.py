"""Every column with its table, every expression with its type: what checks and translations go by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from rushes.testing.bigquery.catalog import Table
from rushes.testing.bigquery.refusals import Refusal, unsupported

_UNRESOLVED = re.compile(r"Column '?\"?([^'\"]+)\"?'? could not be resolved.*?Line: (\d+), Col: (\d+)", re.DOTALL)
_AMBIGUOUS = re.compile(r"Column '?\"?([^'\"]+)\"?'? (?:is ambiguous|.*ambiguous)", re.DOTALL)
_WRITTEN = "written"
"""Marks columns that stand in the statement, beside those that a star stands for."""


def qualified(query: exp.Query, used: Mapping[str, Table]) -> exp.Query:
    """The query with stars written out, columns named with their tables, outputs named, and types.

    Args:
        query: whose tables have their stored names. It is changed.
        used: the tables by those names.

    Raises:
        Refusal: a name in it means nothing, or too much.
    """
    for select in query.find_all(exp.Select):
        _refuse_alias_in_where(select, used)
    _name_outputs(query)
    for column in query.find_all(exp.Column):
        column.meta[_WRITTEN] = True
    schema = MappingSchema(_columns(used.values()), dialect="bigquery")
    try:
        typed = qualify(query, schema=schema, dialect="bigquery", quote_identifiers=True)
    except OptimizeError as error:
        raise _unrecognized(error) from error
    annotate_types(typed, schema=schema, dialect="bigquery")
    for select in typed.find_all(exp.Select):
        _drop_elements_beside_their_parts(select)
        _write_out_structs(select)
        if any(projection.is_star for projection in select.expressions):
            raise unsupported(f"a star over what has no columns with names: {select.sql('bigquery')[:120]}")
    _refuse_doubled_columns(typed)
    return typed


def spelling(tree: exp.Expr, used: Mapping[str, Table]) -> dict[str, str]:
    """How names are written, by themselves in lower case: the statement's own way, else that of the tables."""
    spelled = {field.name.lower(): field.name for table in used.values() for field in table.fields}
    for identifier in tree.find_all(exp.Identifier):
        spelled[identifier.name.lower()] = identifier.name
    return spelled


def _columns(tables: Iterable[Table]) -> dict[str, object]:
    return {table.stored_as: {field.name.lower(): field.in_sql() for field in table.fields} for table in tables}


def _refuse_alias_in_where(select: exp.Select, used: Mapping[str, Table]) -> None:
    """WHERE comes before the names that SELECT gives. The parser's rules would let it pass.

    Where all that is selected from is tables, it can be told whether a name is a column.
    """
    where = select.args.get("where")
    sources = [item for item in from_items(select) if not isinstance(item, exp.Unnest)]
    tables = [used.get(item.name) for item in sources if isinstance(item, exp.Table)]
    if where is None or len(tables) != len(sources):
        return
    aliases = {one.alias.lower() for one in select.expressions if isinstance(one, exp.Alias)}
    known = {field.name.lower() for table in tables if table for field in table.fields}
    for column in where.find_all(exp.Column):
        name = column.name.lower()
        inside = column.find_ancestor(exp.Select) is select and not column.table
        if inside and all(tables) and name in aliases and name not in known:
            raise Refusal("invalidQuery", f"Unrecognized name: {column.name}", location="query")


def _refuse_doubled_columns(query: exp.Query) -> None:
    """A subquery may have two columns of one name, as long as nobody asks for it."""
    doubled: dict[str, set[str]] = {}
    for derived in query.find_all(exp.Subquery, exp.CTE):
        inner = derived.this
        names = inner.named_selects if isinstance(inner, exp.Query) else []
        if derived.alias:
            doubled.setdefault(derived.alias, set()).update(name for name in names if names.count(name) > 1)
    for column in query.find_all(exp.Column):
        if column.name in doubled.get(column.table, ()):
            raise Refusal("invalidQuery", f"Column name {column.name} is ambiguous", location="query")


def _name_outputs(query: exp.Query) -> None:
    """Give columns without a name theirs: f0_, f1_, …"""
    for select in query.find_all(exp.Select):
        unnamed = 0
        for projection in list(select.expressions):
            if not projection.is_star and not isinstance(projection, exp.Alias | exp.Column | exp.Dot):
                projection.replace(exp.Alias(this=projection.copy(), alias=exp.to_identifier(f"f{unnamed}_")))
                unnamed += 1


def _drop_elements_beside_their_parts(select: exp.Select) -> None:
    """A star over UNNEST of STRUCTs means their parts, and then their places; what wrote it out put whole elements there."""
    for unnest in filter(is_struct_array, _unnested(select)):
        starred = [one for one in select.expressions if _is_starred(one, unnest)]
        if starred:
            place = place_of(unnest)
            parts = [one for one in starred if one.alias_or_name not in unnest.alias_column_names]
            parts.sort(key=lambda one: one.alias_or_name == place)
            gone = set(map(id, starred))
            others = [one for one in select.expressions if id(one) not in gone]
            at = starred[0].index or 0
            select.set("expressions", [*others[:at], *parts, *others[at:]])


def _is_starred(projection: exp.Expr, unnest: exp.Unnest) -> bool:
    column = projection.unalias()
    return isinstance(column, exp.Column) and _WRITTEN not in column.meta and column.table == unnest.alias


def place_of(unnest: exp.Unnest) -> str | None:
    """What the places of elements are called, if they are asked for."""
    offset = unnest.args.get("offset")
    if not offset:
        return None
    return "offset" if offset is True else str(offset.name)


def _write_out_structs(select: exp.Select) -> None:
    """`(…).*` of an expression, such as the first element of an ARRAY_AGG, stands for the parts of the STRUCT."""
    for projection in list(select.expressions):
        if isinstance(projection, exp.Dot) and isinstance(projection.expression, exp.Star):
            whole = projection.this
            parts = whole.type.expressions if whole.type and whole.type.is_type(exp.DType.STRUCT) else []
            projection.replace([_part(whole, part) for part in parts])


def _part(whole: exp.Expr, part: exp.Expr) -> exp.Expr:
    made = exp.Dot(this=whole.copy(), expression=exp.to_identifier(part.name, quoted=True))
    made.type = part.args["kind"]
    return exp.Alias(this=made, alias=exp.to_identifier(part.name, quoted=True))


def _unnested(select: exp.Select) -> list[exp.Unnest]:
    return [item for item in from_items(select) if isinstance(item, exp.Unnest)]


def from_items(select: exp.Select) -> list[exp.Expr]:
    """What a SELECT selects from."""
    clause = select.args.get("from_")
    items = [clause.this] if clause else []
    return items + [join.this for join in select.args.get("joins") or ()]


def is_struct_array(unnest: exp.Unnest) -> bool:
    """Whether the elements are STRUCTs, whose parts may be named without them."""
    kind = unnest.expressions[0].type
    return bool(kind and kind.expressions and kind.expressions[0].is_type(exp.DType.STRUCT))


def _unrecognized(error: OptimizeError) -> Refusal:
    text = str(error)
    if found := _UNRESOLVED.search(text):
        name, line, end = found.group(1), found.group(2), int(found.group(3))
        return Refusal("invalidQuery", f"Unrecognized name: {name} at [{line}:{end - len(name) + 1}]", location="query")
    if found := _AMBIGUOUS.search(text):
        return Refusal("invalidQuery", f"Column name {found.group(1)} is ambiguous", location="query")
    return Refusal("invalidQuery", text.splitlines()[0], location="query")
