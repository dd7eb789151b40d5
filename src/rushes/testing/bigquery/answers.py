"""Rows in pages: of queries (getQueryResults, jobs.query) and of tables (tabledata.list)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rushes.testing.bigquery.cells import rows_in_api
from rushes.testing.bigquery.fields import Field
from rushes.testing.bigquery.jobs import Job
from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.resources import job_reference, query_statistics

PAGE_BYTES = 10 << 20
"""What fits into a page, whatever was asked for."""
_WAIT = 10.0
"""Seconds that the service waits for a job, unless it is asked to wait less."""


def query_answer(job: Job, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to jobs.getQueryResults: what there is of the result, after some waiting.

    Raises:
        Refusal: the job failed, or it has no rows.
    """
    said: dict[str, Any] = {"kind": "bigquery#getQueryResultsResponse", "jobReference": job_reference(job)}
    if job.type != "QUERY":
        raise Refusal("invalid", f"Job {job} is not a query job")
    if not job.finished.wait(min(int(asked.get("timeoutMs") or _WAIT * 1000) / 1000, _WAIT)):
        return said | {"jobComplete": False}
    if job.refusal is not None:
        raise job.refusal
    said |= {
        "jobComplete": True,
        "cacheHit": False,
        "totalRows": str(len(job.rows)),
        "totalBytesProcessed": str(job.statistics.bytes_processed),
        "totalBytesBilled": str(job.statistics.bytes_billed),
        "schema": {"fields": [field.in_api() for field in job.fields]},
    }
    return said | query_statistics(job) | page(job.fields, job.rows, asked)


def page(fields: Sequence[Field], rows: Sequence[Sequence[Any]], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of one page, and where the next one begins."""
    first = _number(asked, "pageToken") or _number(asked, "startIndex") or 0
    most = _number(asked, "maxResults")
    wanted = rows[first : None if most is None else first + most]
    shown = list(_fitting(rows_in_api(fields, wanted)))
    after = first + len(shown)
    # With maxResults=0 the client asks for the rows later, by the token.
    token = {"pageToken": str(after)} if after < len(rows) else {}
    return {"rows": shown} | token


def _number(asked: Mapping[str, Any], name: str) -> int | None:
    value = asked.get(name)
    if value is None:
        return None
    if not str(value).isdigit():
        raise Refusal("invalid", f"Invalid value for {name}: {value}")
    return int(value)


def _fitting(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """As many rows as a page holds: weighed by the hundred, so that at least a hundred."""
    size = 0
    while size <= PAGE_BYTES and (some := list(itertools.islice(rows, 100))):
        size += len(json.dumps(some))
        yield from some
