"""What a statement costs: bytes of the columns it reads, and all of a table whose rows it may change.

Source: https://cloud.google.com/bigquery/docs/estimate-costs, sections on the size of queries and of DML. Neither partitions
nor clusters make it less here, so that it is an upper bound.
"""

from __future__ import annotations

from collections.abc import Mapping

from rushes.testing.bigquery.catalog import Table
from rushes.testing.bigquery.engine import Engine
from rushes.testing.bigquery.fields import Field, Kind, quoted
from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.sql.compiling import Compiled

MEGABYTE = 1 << 20
LEAST = 10 * MEGABYTE
"""Of each table that is read, and so of each query that reads any."""
_FIXED = {
    Kind.INTEGER: 8, Kind.FLOAT: 8, Kind.NUMERIC: 16, Kind.BOOLEAN: 1, Kind.TIMESTAMP: 8, Kind.DATETIME: 8, Kind.DATE: 8,
    Kind.TIME: 8,
}  # fmt: skip


class Meter:
    """Weighs tables, each anew when it has changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, tuple[int, dict[str, int]]] = {}

    def columns(self, table: Table) -> Mapping[str, int]:
        """Bytes of each column, by its name in lower case."""
        version, sizes = self._known.get(table.stored_as, (-1, {}))
        if version != table.version:
            version, sizes = table.version, self._weigh(table)
            self._known[table.stored_as] = version, sizes
        return sizes

    def size(self, table: Table) -> int:
        return sum(self.columns(table).values())

    def processed(self, compiled: Compiled) -> dict[str, int]:
        """Bytes that a statement processes, by the tables it reads."""
        found: dict[str, int] = {}
        for name, columns in compiled.read.items():
            sizes = self.columns(compiled.tables[name])
            found[name] = sum(sizes.get(column, 0) for column in columns)
        if compiled.target is not None and compiled.rewrites_target:
            name = compiled.target.stored_as
            found[name] = found.get(name, 0) + self.size(compiled.target)
        return found

    def _weigh(self, table: Table) -> dict[str, int]:
        if not table.fields:
            return {}
        sums = ", ".join(f"coalesce(sum({_size(quoted(field.name), field)}), 0)" for field in table.fields)
        with self._engine.cursor() as cursor:
            (row,) = cursor.execute(f"SELECT {sums} FROM {table.stored_as}").fetchall()  # noqa: S608  (names of ours)
        return {field.name.lower(): int(size) for field, size in zip(table.fields, row, strict=True)}


def billed(processed: Mapping[str, int]) -> int:
    """Whole megabytes of each table, at least ten."""
    return sum(max(LEAST, -(-size // MEGABYTE) * MEGABYTE) for size in processed.values())


def check_ceiling(amount: int, ceiling: str | int | None) -> None:
    """Raises: Refusal (it would cost more than was allowed)."""
    if ceiling is not None and amount > int(ceiling):
        raise Refusal(
            "bytesBilledLimitExceeded",
            f"Query exceeded limit for bytes billed: {int(ceiling)}. {amount} or higher required.",
        )


def _size(value: str, field: Field, depth: int = 0) -> str:
    """DuckDB's expression of a value's size. A NULL has none."""
    if field.repeated:
        each = f"e{depth}"
        return f"coalesce(list_sum(list_transform({value}, lambda {each}: {_size(each, field.element, depth + 1)})), 0)"
    if field.kind is Kind.RECORD:
        parts = (_size(f"({value}).{quoted(part.name)}", part, depth + 1) for part in field.fields)
        return f"({' + '.join(parts)})"
    if field.kind in _FIXED:
        return f"CASE WHEN {value} IS NULL THEN 0 ELSE {_FIXED[field.kind]} END"
    length = "octet_length" if field.kind is Kind.BYTES else "strlen"
    return f"coalesce(2 + {length}({value}), 0)"
