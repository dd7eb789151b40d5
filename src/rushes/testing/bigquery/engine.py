"""DuckDB as the store: one database in memory, without a file, an extension or a network."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from rushes.testing.bigquery.fields import Field, quoted
from rushes.testing.bigquery.fingerprint import farm_fingerprint, farm_fingerprint_of_bytes
from rushes.testing.bigquery.values import normal_json

_SHUT: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}
"""A statement must reach nothing but the tables made here."""


class Engine:
    """Tables under names of their own, since BigQuery's rules for names are not DuckDB's.

    Who writes holds `writing`. Readers need no lock: each statement sees the tables as they were when it began.
    """

    def __init__(self) -> None:
        self.writing = threading.RLock()
        self._database = duckdb.connect(":memory:", config=_SHUT)
        self._database.execute("SET GLOBAL TimeZone = 'UTC'")
        self._database.create_function("farm_fingerprint", farm_fingerprint, ["VARCHAR"], "BIGINT")
        self._database.create_function("farm_fingerprint_of_bytes", farm_fingerprint_of_bytes, ["BLOB"], "BIGINT")
        self._database.create_function("normal_json", normal_json, ["VARCHAR"], "VARCHAR")
        self._database.execute(files(__package__).joinpath("macros.sql").read_text(encoding="utf-8"))

    def cursor(self) -> DuckDBPyConnection:
        """A connection for one job or request."""
        return self._database.cursor()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[DuckDBPyConnection]:
        """A connection that sees all tables as they are now, and changes them when it commits, or not at all."""
        with self.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            cursor.execute("FROM duckdb_tables() LIMIT 0")  # it begins with what is read first
            try:
                yield cursor
            finally:
                with contextlib.suppress(duckdb.TransactionException):  # it has ended
                    cursor.execute("ROLLBACK")

    def execute(self, statement: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None) -> None:
        """Run a statement of ours whose result nobody needs."""
        with self.cursor() as cursor:
            cursor.execute(statement, parameters)

    def create(self, table: str, fields: Sequence[Field]) -> None:
        # DuckDB has no tables without columns, BigQuery has.
        columns = ", ".join(column(field) for field in fields) or "_nothing INTEGER"
        self.execute(f"CREATE TABLE {table} ({columns})")

    def add_column(self, table: str, field: Field) -> None:
        self.execute(f"ALTER TABLE {table} ADD COLUMN {column(field)}")

    def drop(self, table: str) -> None:
        self.execute(f"DROP TABLE {table}")

    def count(self, table: str) -> int:
        with self.cursor() as cursor:
            (rows,) = cursor.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608  (a name of ours)
        return int(rows[0])

    def close(self) -> None:
        self._database.close()


def column(field: Field) -> str:
    """The definition of a column. An array is never NULL in a table of BigQuery's: it is empty."""
    if field.repeated:
        return f"{quoted(field.name)} {field.in_duckdb()} DEFAULT []"
    return f"{quoted(field.name)} {field.in_duckdb()}{' NOT NULL' if field.required else ''}"
