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
from rushes.testing.bigquery.refusals import Refusal

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
    return typed


def outputs(query: exp.Query) -> list[str]:
    """The names of a query's columns, in lower case."""
    return [one.lower() for one in query.named_selects]


def spelling(tree: exp.Expr, used: Mapping[str, Table]) -> dict[str, str]:
    """How names are written, by themselves in lower case: the statement's own way, else that of the tables."""
    spelled = {field.name.lower(): field.name for table in used.values() for field in table.fields}
    for identifier in tree.find_all(exp.Identifier):
        spelled[identifier.name.lower()] = identifier.name
    return spelled


def _columns(tables: Iterable[Table]) -> dict[str, object]:
    return {table.stored_as: {field.name.lower(): field.in_sql() for field in table.fields} for table in tables}


def _name_outputs(query: exp.Query) -> None:
    """Give columns without a name theirs: f0_, f1_, …"""
    for select in query.find_all(exp.Select):
        unnamed = 0
        for projection in list(select.expressions):
            if not projection.is_star and not isinstance(projection, exp.Alias | exp.Column | exp.Dot):
                projection.replace(exp.alias_(projection.copy(), f"f{unnamed}_"))
                unnamed += 1


def _drop_elements_beside_their_parts(select: exp.Select) -> None:
    """A star over UNNEST of STRUCTs means their parts; what wrote it out put the whole element there, too."""
    elements = {
        unnest.alias_column_names[0]
        for unnest in _unnested(select)
        if is_struct_array(unnest) and unnest.alias_column_names
    }
    for projection in list(select.expressions):
        column = projection.unalias()
        if isinstance(column, exp.Column) and _WRITTEN not in column.meta and column.name in elements:
            projection.pop()


def _unnested(select: exp.Select) -> list[exp.Unnest]:
    clause = select.args.get("from_")
    items = [clause.this] if clause else []
    items += [join.this for join in select.args.get("joins") or ()]
    return [item for item in items if isinstance(item, exp.Unnest)]


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
