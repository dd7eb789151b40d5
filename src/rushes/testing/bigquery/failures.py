"""DuckDB's errors as BigQuery's."""

from __future__ import annotations

import re

import duckdb

from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.sql.compiling import Compiled

_NULL = re.compile(r"NOT NULL constraint failed: \w+\.(\w+)")
_FUNCTION = re.compile(r"Python exception occurred while executing the UDF: \w+: (.*)")
_OURS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.NotImplementedException)
"""What DuckDB could not even plan: a gap of this server, as likely as a mistake in the statement."""


def refusal_of(error: duckdb.Error, compiled: Compiled) -> Refusal:
    """What the service says of it, as far as that can be told."""
    first = str(error).splitlines()[0]
    if isinstance(error, duckdb.InterruptException):
        return Refusal("stopped", "Job execution was cancelled: User requested cancellation")
    if found := _NULL.search(first):
        return Refusal("invalidQuery", f"Required field {found.group(1)} cannot be null", location="query")
    if found := _FUNCTION.search(str(error)):
        return Refusal("invalidQuery", f"Invalid input: {found.group(1)}", location="query")
    message = first.split(": ", 1)[-1]
    if isinstance(error, _OURS):
        return Refusal(
            "invalidQuery",
            f"rushes.testing.bigquery cannot run this statement: {message}. It was asked as: {compiled.text}",
        )
    return Refusal("invalidQuery", message, location="query")
