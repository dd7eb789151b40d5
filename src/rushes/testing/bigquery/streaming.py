"""insertAll: rows that are there at once, and that no statement may change for half an hour."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from rushes.testing.bigquery.catalog import Catalog, Table
from rushes.testing.bigquery.engine import Engine
from rushes.testing.bigquery.refusals import Refusal, unsupported
from rushes.testing.bigquery.rows import BadValue, RecordReader, append
from rushes.testing.bigquery.sql.parsing import MUTATING

BUFFERED = timedelta(minutes=30)
"""https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations"""


def streaming_rows(table: Table, now: datetime) -> int:
    """How many rows are in the streaming buffer."""
    return sum(1 for came in table.streamed.values() if now - came < BUFFERED)


def insert_rows(
    engine: Engine, catalog: Catalog, table: Table, body: dict[str, Any], now: datetime
) -> list[dict[str, Any]]:
    """Add the rows of a request, but those whose insert id came before. Returns the errors of bad rows.

    One bad row keeps the others out, unless the request says to skip bad ones.
    """
    rows = body.get("rows") or []
    if body.get("templateSuffix"):
        raise unsupported("insertAll with a template")
    reader = RecordReader(table.fields, ignore_unknown=bool(body.get("ignoreUnknownValues")), json_in_text=True)
    good: list[tuple[str, dict[str, Any]]] = []
    errors: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        try:
            good.append((row.get("insertId") or uuid.uuid4().hex, reader.read(row.get("json"))))
        except BadValue as error:
            errors.append(_row_error(index, "invalid", error.field, str(error)))
    if errors and not body.get("skipInvalidRows"):
        bad = {error["index"] for error in errors}
        return errors + [_row_error(index, "stopped", "", "") for index in range(len(rows)) if index not in bad]
    new = {key: record for key, record in reversed(good) if key not in table.streamed}
    append(engine, table.stored_as, table.fields, reversed(new.values()))
    table.streamed |= dict.fromkeys(new, now)
    catalog.changed(table)
    return errors


def _row_error(index: int, reason: str, location: str, message: str) -> dict[str, Any]:
    return {"index": index, "errors": [{"reason": reason, "location": location, "debugInfo": "", "message": message}]}


def check_nothing_streams(kind: str, table: Table, now: datetime) -> None:
    """Raises: Refusal (rows came by insertAll a moment ago, and the statement may change some)."""
    if (kind in MUTATING or kind == "TRUNCATE_TABLE") and streaming_rows(table, now):
        statement = "MERGE" if kind == "MERGE" else "UPDATE or DELETE"
        raise Refusal(
            "invalidQuery", f"{statement} statement over table {table.name.dotted} would affect rows in the streaming"
            " buffer, which is not supported", location="query",
        )  # fmt: skip
