"""What the REST API answers: datasets, tables and jobs as its resources."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rushes.testing.bigquery.catalog import Dataset, Table
from rushes.testing.bigquery.clock import milliseconds
from rushes.testing.bigquery.jobs import Job, State

_USER = "rushes-testing@localhost"


def dataset_resource(dataset: Dataset) -> dict[str, Any]:
    return dataset.details | {
        "kind": "bigquery#dataset",
        "id": str(dataset),
        "etag": _etag(dataset.modified),
        "datasetReference": {"projectId": dataset.project, "datasetId": dataset.name},
        "location": dataset.location,
        "creationTime": milliseconds(dataset.created),
        "lastModifiedTime": milliseconds(dataset.modified),
    }


def table_resource(table: Table, location: str, *, rows: int, size: int, streaming: int) -> dict[str, Any]:
    said = table.details | {
        "kind": "bigquery#table",
        "id": str(table.name),
        "etag": _etag(table.modified),
        "tableReference": table.name.in_api(),
        "schema": {"fields": [field.in_api() for field in table.fields]},
        "type": "TABLE",
        "location": location,
        "creationTime": milliseconds(table.created),
        "lastModifiedTime": milliseconds(table.modified),
        "numRows": str(rows - streaming),
        "numBytes": str(size),
    }
    if table.expires is not None:
        said["expirationTime"] = milliseconds(table.expires)
    if streaming:
        oldest = min(table.streamed.values())
        said["streamingBuffer"] = {"estimatedRows": str(streaming), "oldestEntryTime": milliseconds(oldest)}
    return said


def listed_table(table: Table) -> dict[str, Any]:
    """A table in a list of tables."""
    details = {key: table.details[key] for key in ("timePartitioning", "clustering", "labels") if key in table.details}
    return details | {
        "kind": "bigquery#table",
        "id": str(table.name),
        "tableReference": table.name.in_api(),
        "type": "TABLE",
        "creationTime": milliseconds(table.created),
    }


def job_reference(job: Job) -> dict[str, str]:
    return {"projectId": job.project, "jobId": job.id, "location": job.location}


def job_resource(job: Job) -> dict[str, Any]:
    return {
        "kind": "bigquery#job",
        "id": str(job),
        "etag": f"{job.id}.{job.state}",
        "jobReference": job_reference(job),
        "configuration": {**job.configuration, "jobType": job.type},
        "status": _status(job),
        "statistics": _statistics(job),
        "user_email": _USER,
    }


def query_statistics(job: Job) -> dict[str, Any]:
    """What an answer with rows tells of changes, too."""
    changed = job.statistics.changed
    if changed is None:
        return {}
    stats = {
        "insertedRowCount": str(changed.inserted),
        "updatedRowCount": str(changed.updated),
        "deletedRowCount": str(changed.deleted),
    }
    return {"numDmlAffectedRows": str(changed.total), "dmlStats": stats}


def _status(job: Job) -> dict[str, Any]:
    status: dict[str, Any] = {"state": job.state.value}
    if job.refusal is not None and job.state is State.DONE:
        status |= {"errorResult": job.refusal.as_error(), "errors": job.refusal.as_errors()}
    return status


def _statistics(job: Job) -> dict[str, Any]:
    found = job.statistics
    said: dict[str, Any] = {"creationTime": milliseconds(job.created)}
    if job.started:
        said["startTime"] = milliseconds(job.started)
    if job.ended:
        said["endTime"] = milliseconds(job.ended)
    if job.type == "LOAD":
        load = {
            "inputFiles": "1", "inputFileBytes": str(found.input_bytes), "outputRows": str(found.output_rows),
            "outputBytes": str(found.input_bytes), "badRecords": str(found.bad_records),
        }  # fmt: skip
        return said | {"load": load}
    said["totalBytesProcessed"] = str(found.bytes_processed)
    return said | {"query": _query(job)}


def _query(job: Job) -> dict[str, Any]:
    found = job.statistics
    said = query_statistics(job) | {
        "totalBytesProcessed": str(found.bytes_processed),
        "totalBytesBilled": str(found.bytes_billed),
        "cacheHit": False,
        "referencedTables": [name.in_api() for name in found.tables],
        "schema": {"fields": [field.in_api() for field in job.fields]},
    }
    if job.statement is not None:
        said["statementType"] = job.kind
    if found.definition is not None:
        operation, name = found.definition
        said |= {"ddlOperationPerformed": operation, "ddlTargetTable": name.in_api()}
    return said


def _etag(time: datetime) -> str:
    return f'"{time.timestamp():.6f}"'
