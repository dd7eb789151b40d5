"""DuckDB's errors as BigQuery's."""

from __future__ import annotations

import re

import duckdb

from rushes.testing.bigquery.refusals import Refusal, not_found
from rushes.testing.bigquery.sql.compiling import Compiled

_SAID = {
    re.compile(r"NOT NULL constraint failed: \w+\.(\w+)"): "Required field {} cannot be null",
    re.compile(r"Python exception occurred while executing the UDF: \w+: (.*)"): "Invalid input: {}",
    re.compile(r"Could not convert string 'bigquery: (.*)' to INT64"): "{}",
    re.compile(r"Division by zero in expression \((.*?)\)"): "division by zero: {}",
    re.compile(r"Overflow in \w+ of INT64 \((.*)\)"): "int64 overflow: {}",
    re.compile(r"(More than one row) returned by a subquery"): "Scalar subquery produced more than one element",
    re.compile(r'Could not find key "(\w+)" in struct'): "Field name {} does not exist in STRUCT",
    re.compile(r'column "(\w+)" must appear in the GROUP BY clause'): (
        "SELECT list expression references column {} which is neither grouped nor aggregated"
    ),
}
"""DuckDB's words, and the service's."""
_GONE = re.compile(r"Table with name (\w+) does not exist")
"""Somebody has dropped it meanwhile."""
_OURS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.NotImplementedException)
"""What DuckDB could not even plan: a gap of this server, as likely as a mistake in the statement."""


def refusal_of(error: duckdb.Error, compiled: Compiled) -> Refusal:
    """What the service says of it, as far as that can be told."""
    first = str(error).splitlines()[0]
    for pattern, said in _SAID.items():
        if found := pattern.search(str(error)):
            return Refusal("invalidQuery", said.format(found.group(1)), location="query")
    if (found := _GONE.search(first)) and found.group(1) in compiled.tables:
        return not_found("Table", str(compiled.tables[found.group(1)].name))
    message = first.split(": ", 1)[-1]
    if isinstance(error, _OURS):
        return Refusal(
            "invalidQuery",
            f"rushes.testing.bigquery cannot run this statement: {message}. It was asked as: {compiled.text}",
        )
    return Refusal("invalidQuery", message, location="query")
