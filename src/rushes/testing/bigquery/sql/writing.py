"""A typed tree of BigQuery's as a statement of DuckDB's."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from rushes.testing.bigquery.refusals import unsupported
from rushes.testing.bigquery.sql import arrays, casts, json_functions, numbers, operators, texts, times
from rushes.testing.bigquery.sql.building import Rewrites

_REWRITES: Rewrites = {
    **operators.REWRITES,
    **casts.REWRITES,
    **numbers.REWRITES,
    **texts.REWRITES,
    **times.REWRITES,
    **arrays.REWRITES,
    **json_functions.REWRITES,
}


def rewritten(tree: exp.Expr, now: Rewrites) -> exp.Expr:
    """The tree with DuckDB's pieces in place of BigQuery's, innermost first. It is changed.

    Args:
        tree: of which every part has its type.
        now: what stands for the time.

    Raises:
        Refusal: something in it this server does not do.
    """
    operators.parts_of_elements(tree)
    for node in reversed(list(tree.bfs())):
        rewrite = _REWRITES.get(type(node)) or now.get(type(node))
        if rewrite is None:
            continue
        # A piece may be made around the node itself, which then has another parent.
        parent, key, index, kind = node.parent, node.arg_key, node.index, node.type
        made = rewrite(node)
        if made is node:
            continue
        made.type = kind
        if parent is None:
            tree = made
        else:
            assert key is not None
            parent.set(key, made, index)
    return tree


def written(tree: exp.Expr) -> str:
    """DuckDB's text of a tree that was rewritten.

    Raises:
        Refusal: something in it DuckDB has no words for.
    """
    try:
        return tree.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE, identify=True)
    except UnsupportedError as error:
        raise unsupported(str(error)) from error
