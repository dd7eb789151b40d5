"""Which tables a statement means, and the names under which they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from rushes.testing.bigquery.catalog import Catalog, Table, TableName
from rushes.testing.bigquery.refusals import Refusal, unsupported

_FULL = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement runs: what names in it that are not full begin with."""

    project: str
    dataset: str | None = None
    location: str = "US"

    def name(self, node: exp.Table) -> TableName:
        """The full name of a table.

        Raises:
            Refusal: it is not of a dataset, or a table that this server does not have.
        """
        parts = [piece for part in node.parts for piece in part.name.split(".")]
        if any(part.upper() == "INFORMATION_SCHEMA" for part in parts):
            raise unsupported("INFORMATION_SCHEMA")
        if "*" in parts[-1]:
            raise unsupported("wildcard tables")
        if len(parts) == 1 and self.dataset is None:
            raise Refusal(
                "invalidQuery",
                f'Table "{parts[0]}" must be qualified with a dataset (e.g. dataset.table).',
                location="query",
            )
        if len(parts) == 1:
            return TableName(self.project, self.dataset or "", parts[0])
        if len(parts) < _FULL:
            return TableName(self.project, *parts)
        return TableName(".".join(parts[:-2]), *parts[-2:])


def stored_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """The nodes that name a table, not a part of the statement itself."""
    for node in list(tree.find_all(exp.Table)):
        if not isinstance(node.this, exp.Identifier):
            raise unsupported(f"the table function {node.sql('bigquery')[:80]}")
        if not _is_cte(node) and not _is_array_of_sibling(node):
            yield node


def use_stored_names(tree: exp.Expr, catalog: Catalog, place: Place) -> dict[str, Table]:
    """Put the stored names in the tree, each with the alias that the statement means it by. Returns tables by stored names.

    Raises:
        Refusal: a table is not there.
    """
    used: dict[str, Table] = {}
    for node in stored_tables(tree):
        table = catalog.table(place.name(node), place.location)
        alias = node.alias or table.name.table
        node.set("this", exp.to_identifier(table.stored_as))
        node.set("db", None)
        node.set("catalog", None)
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
        used[table.stored_as] = table
    return used


def _is_cte(node: exp.Table) -> bool:
    """Whether a name is that of a WITH around it: of one that comes before the one it stands in."""
    if len(node.parts) > 1:
        return False
    name = node.name.lower()
    inside: exp.Expr = node
    while inside.parent is not None:
        clause = inside.parent.args.get("with_")
        for cte in clause.expressions if clause and clause is not inside else ():
            if cte.alias.lower() == name:
                return True
        if isinstance(inside, exp.CTE):
            before = inside.parent.expressions[: inside.index]
            if any(cte.alias.lower() == name for cte in before):
                return True
        inside = inside.parent
    return False


def _is_array_of_sibling(node: exp.Table) -> bool:
    """Whether it is an array of a table before it: `FROM orders AS o, o.lines`."""
    first = node.parts[0].name.lower()
    select = node.find_ancestor(exp.Select)
    clause = select.args.get("from_") if select else None
    if len(node.parts) == 1 or clause is None or select is None:
        return False
    before = [clause.this, *(join.this for join in select.args.get("joins") or ())]
    return any(one.alias_or_name.lower() == first for one in before if one is not node)
