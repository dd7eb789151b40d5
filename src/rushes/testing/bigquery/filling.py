"""Tables that are filled by a query: CREATE TABLE … AS, and queries with a destination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from rushes.testing.bigquery.catalog import Catalog, Table, TableName
from rushes.testing.bigquery.engine import Engine
from rushes.testing.bigquery.failures import refusal_of
from rushes.testing.bigquery.fields import Field, checked, fields_of_result, quoted
from rushes.testing.bigquery.refusals import Refusal, duplicate, not_found
from rushes.testing.bigquery.sql.compiling import Compiled


def columns_of(engine: Engine, query: Compiled) -> tuple[Field, ...]:
    """The columns of a table that holds a query's result."""
    try:
        with engine.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({query.text}) LIMIT 0", query.values or None)  # noqa: S608  (compiled)
            found = fields_of_result(cursor)
    except duckdb.Error as error:
        raise refusal_of(error, query) from error
    return checked([one.named(name).spelled(query.spelled) for one, name in zip(found, query.names, strict=True)])


def fill(engine: Engine, catalog: Catalog, table: Table, query: Compiled) -> None:
    """Put a query's result into a table that nobody finds yet. If that fails, the table is gone.

    Raises:
        Refusal: the query fails, or a value does not fit.
    """
    casts = [f"CAST(c{at} AS {one.in_duckdb()})" for at, one in enumerate(table.fields)]
    values = [f"coalesce({cast}, [])" if one.repeated else cast for cast, one in zip(casts, table.fields, strict=True)]
    names = ", ".join(f"c{at}" for at in range(len(table.fields)))
    try:
        engine.execute(
            f"INSERT INTO {table.stored_as} SELECT {', '.join(values)} FROM ({query.text}) AS _rows({names})",  # noqa: S608  (compiled)
            query.values or None,
        )
    except duckdb.Error as error:
        engine.drop(table.stored_as)
        raise refusal_of(error, query) from error
    catalog.changed(table)


def write_to_destination(
    engine: Engine, catalog: Catalog, configuration: Mapping[str, Any], project: str, query: Compiled
) -> Table:
    """Write a query's result where its configuration says. Returns a table with the result alone.

    Raises:
        Refusal: there is something, and it is not to be replaced; or the columns are others.
    """
    name = TableName.read(configuration["destinationTable"], project)
    disposition = configuration.get("writeDisposition") or "WRITE_EMPTY"
    known = catalog.find(name)
    if known is None and configuration.get("createDisposition") == "CREATE_NEVER":
        raise not_found("Table", str(name))
    if known is not None and disposition == "WRITE_EMPTY" and engine.count(known.stored_as):
        raise duplicate("Table", str(name))
    made = catalog.build(name, columns_of(engine, query), {})
    fill(engine, catalog, made, query)
    if known is not None and disposition == "WRITE_APPEND":
        _append(engine, catalog, known, made)
    else:
        catalog.put(made)
    return made


def _append(engine: Engine, catalog: Catalog, table: Table, rows: Table) -> None:
    for one in rows.fields:
        column = table.column(one.name)
        if column is None or (column.kind, column.repeated) != (one.kind, one.repeated):
            engine.drop(rows.stored_as)
            raise Refusal(
                "invalid", f"Provided Schema does not match Table {table.name}. Field {one.name} is missing or differs"
            )
    names = ", ".join(quoted(one.name) for one in rows.fields)
    engine.execute(f"INSERT INTO {table.stored_as} ({names}) SELECT {names} FROM {rows.stored_as}")  # noqa: S608  (quoted)
    catalog.changed(table)
