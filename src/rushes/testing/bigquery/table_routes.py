"""Datasets, tables and their rows over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rushes.testing.bigquery.answers import page
from rushes.testing.bigquery.catalog import Dataset, Table, TableName, check_layout
from rushes.testing.bigquery.cells import rows_in_api
from rushes.testing.bigquery.fields import Field, find, quoted, read_schema
from rushes.testing.bigquery.refusals import Refusal, unsupported
from rushes.testing.bigquery.requests import Reply, Request
from rushes.testing.bigquery.resources import dataset_resource, listed_table, table_resource
from rushes.testing.bigquery.service import Service
from rushes.testing.bigquery.streaming import insert_rows, streaming_rows

_DATASET_DETAILS = frozenset({"description", "friendlyName", "labels", "defaultTableExpirationMs"})
_TABLE_DETAILS = frozenset({
    "description", "friendlyName", "labels", "timePartitioning", "rangePartitioning", "clustering",
})  # fmt: skip
_PAGE = 50


def list_datasets(service: Service, request: Request) -> Reply:
    found = [dataset_resource(one) for one in sorted(service.catalog.datasets(request.parts["project"]), key=str)]
    shown, token = _list_page(request, found)
    return Reply({"kind": "bigquery#datasetList", "datasets": shown} | token)


def create_dataset(service: Service, request: Request) -> Reply:
    body = request.json()
    name = (body.get("datasetReference") or {}).get("datasetId")
    if not name:
        raise Refusal("invalid", "Required parameter is missing: datasetReference.datasetId")
    details = {key: body[key] for key in _DATASET_DETAILS if body.get(key) is not None}
    with service.engine.writing:
        return Reply(
            dataset_resource(
                service.catalog.create_dataset(request.parts["project"], name, body.get("location"), details)
            )
        )


def get_dataset(service: Service, request: Request) -> Reply:
    return Reply(dataset_resource(service.catalog.dataset(*_dataset_name(request))))


def update_dataset(service: Service, request: Request) -> Reply:
    body = request.json()
    with service.engine.writing:
        found = service.catalog.dataset(*_dataset_name(request))
        _check_etag(request, dataset_resource(found))
        _merge_details(found, body, _DATASET_DETAILS)
        found.modified = service.clock.now()
        return Reply(dataset_resource(found))


def delete_dataset(service: Service, request: Request) -> Reply:
    with service.engine.writing:
        found = service.catalog.dataset(*_dataset_name(request))
        service.catalog.delete_dataset(found, contents=request.query.get("deleteContents") == "true")
    return Reply(status=204)


def list_tables(service: Service, request: Request) -> Reply:
    tables = sorted(
        service.catalog.tables(service.catalog.dataset(*_dataset_name(request))), key=lambda one: one.name.table
    )
    shown, token = _list_page(request, [listed_table(one) for one in tables])
    return Reply({"kind": "bigquery#tableList", "tables": shown, "totalItems": len(tables)} | token)


def create_table(service: Service, request: Request) -> Reply:
    body = request.json()
    for kind in ("view", "materializedView", "externalDataConfiguration", "snapshotDefinition", "tableConstraints"):
        if body.get(kind):
            raise unsupported(f"tables with {kind}")
    name = TableName(*_dataset_name(request), (body.get("tableReference") or {}).get("tableId") or "")
    details = {key: body[key] for key in _TABLE_DETAILS if body.get(key) is not None}
    with service.engine.writing:
        made = service.catalog.create(name, read_schema(body.get("schema")), details, _expiry(body))
        return Reply(_resource(service, made))


def get_table(service: Service, request: Request) -> Reply:
    with service.engine.writing:  # a statement that adds several columns adds all of them at once
        return Reply(_resource(service, service.catalog.table(_table_name(request))))


def update_table(service: Service, request: Request) -> Reply:
    body = request.json()
    with service.engine.writing:
        found = service.catalog.table(_table_name(request))
        _check_etag(request, _resource(service, found))
        if "schema" in body:
            _change_columns(service, found, read_schema(body["schema"]))
        if "expirationTime" in body:
            found.expires = _expiry(body)
        _merge_details(found, body, _TABLE_DETAILS)
        check_layout(found.fields, found.details)
        service.catalog.changed(found)
        return Reply(_resource(service, found))


def delete_table(service: Service, request: Request) -> Reply:
    with service.engine.writing:
        service.catalog.drop(service.catalog.table(_table_name(request)))
    return Reply(status=204)


def list_rows(service: Service, request: Request) -> Reply:
    found = service.catalog.table(_table_name(request))
    selected = [name for name in request.query.get("selectedFields", "").split(",") if name]
    fields = [field for field in found.fields if not selected or field.name in selected]
    columns = ", ".join(quoted(field.name) for field in fields) or "NULL"

    def fetch(first: int, most: int) -> list[dict[str, Any]]:
        with service.engine.cursor() as cursor:
            statement = f"SELECT {columns} FROM {found.stored_as} LIMIT $most OFFSET $first"  # noqa: S608  (quoted)
            rows = cursor.execute(statement, {"most": most, "first": first}).fetchall()
        return list(rows_in_api(fields, rows)) if fields else []

    total = service.engine.count(found.stored_as)
    said = {"kind": "bigquery#tableDataList", "totalRows": str(total)}
    return Reply(said | page(fetch, total, request.query))


def insert_all(service: Service, request: Request) -> Reply:
    name = _table_name(request)
    with service.engine.writing:
        errors = insert_rows(
            service.engine, service.catalog, service.catalog.table(name), request.json(), service.clock.now()
        )
    return Reply({"kind": "bigquery#tableDataInsertAllResponse"} | ({"insertErrors": errors} if errors else {}))


def _dataset_name(request: Request) -> tuple[str, str]:
    return request.parts["project"], request.parts["dataset"]


def _table_name(request: Request) -> TableName:
    return TableName(*_dataset_name(request), request.parts["table"])


def _resource(service: Service, table: Table) -> dict[str, Any]:
    location = service.catalog.dataset(table.name.project, table.name.dataset).location
    return table_resource(
        table, location, rows=service.engine.count(table.stored_as), size=service.meter.size(table),
        streaming=streaming_rows(table, service.clock.now()),
    )  # fmt: skip


def _expiry(body: dict[str, Any]) -> datetime | None:
    said = body.get("expirationTime")
    return datetime.fromtimestamp(int(said) / 1000, UTC) if said else None


def _merge_details(of: Dataset | Table, body: dict[str, Any], known: frozenset[str]) -> None:
    for key in known & body.keys():
        if body[key] is None:
            of.details.pop(key, None)
        else:
            of.details[key] = body[key]


def _change_columns(service: Service, table: Table, fields: tuple[Field, ...]) -> None:
    """New columns may come, and a required one may become optional."""
    for old in table.fields:
        new = find(fields, old.name)
        if new is None or (new.kind, new.repeated, new.fields) != (old.kind, old.repeated, old.fields):
            raise Refusal(
                "invalid", f"Provided Schema does not match Table {table.name}. Field {old.name} is missing or changed"
            )
        if old.required and not new.required:
            service.engine.execute(f"ALTER TABLE {table.stored_as} ALTER COLUMN {quoted(old.name)} DROP NOT NULL")
    for new in fields:
        if table.column(new.name) is None:
            if new.required:
                raise Refusal(
                    "invalid", f"Provided Schema does not match Table {table.name}. Cannot add required fields to an"
                    f" existing schema. (field: {new.name})",
                )  # fmt: skip
            service.engine.add_column(table.stored_as, new)
    table.fields = fields


def _check_etag(request: Request, resource: dict[str, Any]) -> None:
    """Raises: Refusal (it was changed since whoever asks has seen it)."""
    expected = request.headers.get("if-match")
    if expected not in {None, "*", resource["etag"]}:
        raise Refusal("conditionNotMet", "Precondition Failed")


def _list_page(request: Request, items: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    first = int(request.query.get("pageToken") or 0)
    after = first + int(request.query.get("maxResults") or _PAGE)
    return items[first:after], {"nextPageToken": str(after)} if after < len(items) else {}
