"""Reading a statement, and what kind it is."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from rushes.testing.bigquery.refusals import Refusal, unsupported

_KINDS: dict[type[exp.Expr], str] = {
    exp.Select: "SELECT",
    exp.SetOperation: "SELECT",
    exp.Subquery: "SELECT",
    exp.Insert: "INSERT",
    exp.Update: "UPDATE",
    exp.Delete: "DELETE",
    exp.Merge: "MERGE",
    exp.TruncateTable: "TRUNCATE_TABLE",
}
_SCHEMA_KINDS = {"TABLE": "TABLE", "SCHEMA": "SCHEMA"}
MUTATING = frozenset({"UPDATE", "DELETE", "MERGE"})
"""What the service lets run two at a time on a table."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was read. Nothing may change its tree: a statement may run more than once."""

    text: str
    tree: exp.Expr
    kind: str
    """As the service names it: `SELECT`, `MERGE`, `CREATE_TABLE_AS_SELECT`, …"""


def parse(text: str) -> Statement:
    """Read one statement.

    Raises:
        Refusal: it is no SQL, more than one statement, or of a kind that this server does not run.
    """
    try:
        trees = [tree for tree in sqlglot.parse(text, read="bigquery") if tree is not None]
    except ParseError as error:
        first = error.errors[0]
        said = f"{first['description']} at [{first['line']}:{first['col']}], as rushes.testing.bigquery reads it"
        raise Refusal("invalidQuery", f"Syntax error: {said}", location="query") from error
    except TokenError as error:
        raise Refusal("invalidQuery", f"Syntax error: {error}", location="query") from error
    if not trees:
        raise Refusal("invalidQuery", "Syntax error: Unexpected end of statement", location="query")
    if len(trees) > 1:
        raise unsupported("scripts of several statements")
    return Statement(text, trees[0], _kind(trees[0]))


def _kind(tree: exp.Expr) -> str:
    for one, kind in _KINDS.items():
        if isinstance(tree, one):
            return kind
    if isinstance(tree, exp.Create | exp.Drop | exp.Alter) and tree.args["kind"] in _SCHEMA_KINDS:
        verb = type(tree).__name__.upper()
        kind = f"{verb}_{tree.args['kind']}"
        return f"{kind}_AS_SELECT" if isinstance(tree, exp.Create) and tree.expression else kind
    raise unsupported(f"the statement {tree.sql('bigquery')[:80]}")
