"""Rows in pages: of queries (getQueryResults, jobs.query) and of tables (tabledata.list)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rushes.testing.bigquery.jobs import Job
from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.resources import job_reference, query_statistics

Fetch = Callable[[int, int], Sequence[Mapping[str, Any]]]
PAGE_BYTES = 10 << 20
"""What fits into a page, whatever was asked for."""
MOST = 100_000
"""Rows of a page."""
_HUNDRED = 100
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
    return said | query_statistics(job) | page(lambda first, most: job.rows[first : first + most], len(job.rows), asked)


def page(fetch: Fetch, total: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of one page, and where the next one begins.

    Args:
        fetch: gives at most so many rows, as the REST API writes them, from a place on.
        total: how many there are.
        asked: pageToken, startIndex and maxResults.
    """
    first = _number(asked, "pageToken") or _number(asked, "startIndex") or 0
    most = _number(asked, "maxResults")
    shown = _fitting(fetch(first, MOST if most is None else min(most, MOST)))
    after = first + len(shown)
    # With maxResults=0 the client asks for the rows later, by the token.
    token = {"pageToken": str(after)} if after < total else {}
    # Without rows there is no list of them: by that, too, the client tells that it has to ask.
    return ({"rows": shown} if shown else {}) | token


def _number(asked: Mapping[str, Any], name: str) -> int | None:
    value = asked.get(name)
    if value is None:
        return None
    if not str(value).isdigit():
        raise Refusal("invalid", f"Invalid value for {name}: {value}")
    return int(value)


def _fitting(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """As many rows as a page holds. One of a hundred is weighed."""
    size = 0
    for at in range(0, len(rows), _HUNDRED):
        size += len(json.dumps(rows[at])) * _HUNDRED
        if size > PAGE_BYTES:
            return rows[: max(at, 1)]
    return rows
