"""What PostgreSQL does for a statement: the nodes of the plan by which it ran, and how much they looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rushes.database import Database

Node = dict[str, Any]
WHOLE = "the whole table"


def _nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


async def explain(
    database: Database, statement: str, *arguments: Any, generic: bool, first: Sequence[str] = ()
) -> list[Node]:
    """The nodes of the plan by which a statement ran, made for these arguments or for any. What it did is taken back.

    `first` is what its caller says to the session before. (EXPLAIN itself always plans for the arguments it is given; only
    what is prepared by name has a plan for any.)
    """
    async with database.pool.acquire() as connection:
        types = [each.name for each in (await connection.prepare(statement)).get_parameters()]
        transaction = connection.transaction()
        await transaction.start()
        mode = "force_generic_plan" if generic else "force_custom_plan"
        for setting in (f"set local plan_cache_mode = {mode}", *first):
            await connection.execute(setting)
        literals = [
            await connection.fetchval(f"select quote_nullable(($1::{name})::text) || '::{name}'", value)
            for name, value in zip(types, arguments, strict=True)
        ]
        await connection.execute(f"prepare explained as {statement}")
        given = f"({', '.join(literals)})" if literals else ""
        found = await connection.fetchval(f"explain (analyze, buffers, format json) execute explained{given}")
        await transaction.rollback()
        await connection.execute("deallocate explained")
    plan = json.loads(found) if isinstance(found, str) else found
    return list(_nodes(plan[0]["Plan"]))


def scans(plan: Sequence[Node], table: str = "jobs") -> list[Node]:
    return [node for node in plan if node.get("Relation Name") == table and "Scan" in node["Node Type"]]


def read(plan: Sequence[Node], table: str = "jobs") -> float:
    """Rows of a table that were looked at, also in vain."""
    rows: float = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0))
        * node["Actual Loops"]
        for node in scans(plan, table)
    )
    return rows


def walked(plan: Sequence[Node], table: str = "jobs") -> set[str]:
    """The indexes by which its rows were found."""
    return {
        node.get("Index Name", WHOLE)
        for node in plan
        if (
            (node.get("Relation Name") == table and "Scan" in node["Node Type"] and node["Node Type"] != "Tid Scan")
            and node["Node Type"] != "Bitmap Heap Scan"
        )
        or node["Node Type"] == "Bitmap Index Scan"
    }


def sorted_rows(plan: Sequence[Node]) -> float:
    """How many rows went through the largest sort."""
    return max((node["Actual Rows"] * node["Actual Loops"] for node in plan if "Sort" in node["Node Type"]), default=0)
