"""The REST API's paths, https://cloud.google.com/bigquery/docs/reference/rest, and what answers them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from rushes.testing.bigquery import job_routes, table_routes, upload_routes
from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.requests import Reply, Request
from rushes.testing.bigquery.service import Service

Handler = Callable[[Service, Request], Reply]

_API = "/bigquery/v2/projects/(?P<project>[^/]+)"
_DATASET = f"{_API}/datasets/(?P<dataset>[^/]+)"
_TABLE = f"{_DATASET}/tables/(?P<table>[^/]+)"
_JOB = f"{_API}/jobs/(?P<job>[^/]+)"
_UPLOAD = "/(?:resumable/)?upload" + f"{_API}/jobs"

_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", f"{_API}/datasets", table_routes.list_datasets),
    ("POST", f"{_API}/datasets", table_routes.create_dataset),
    ("GET", _DATASET, table_routes.get_dataset),
    ("PATCH", _DATASET, table_routes.update_dataset),
    ("PUT", _DATASET, table_routes.update_dataset),
    ("DELETE", _DATASET, table_routes.delete_dataset),
    ("GET", f"{_DATASET}/tables", table_routes.list_tables),
    ("POST", f"{_DATASET}/tables", table_routes.create_table),
    ("GET", _TABLE, table_routes.get_table),
    ("PATCH", _TABLE, table_routes.update_table),
    ("PUT", _TABLE, table_routes.update_table),
    ("DELETE", _TABLE, table_routes.delete_table),
    ("GET", f"{_TABLE}/data", table_routes.list_rows),
    ("POST", f"{_TABLE}/insertAll", table_routes.insert_all),
    ("GET", f"{_API}/jobs", job_routes.list_jobs),
    ("POST", f"{_API}/jobs", job_routes.insert_job),
    ("GET", _JOB, job_routes.get_job),
    ("POST", f"{_JOB}/cancel", job_routes.cancel_job),
    ("DELETE", f"{_JOB}/delete", job_routes.delete_job),
    ("POST", f"{_API}/queries", job_routes.query),
    ("GET", f"{_API}/queries/(?P<job>[^/]+)", job_routes.query_results),
    ("POST", _UPLOAD, upload_routes.begin),
    ("PUT", _UPLOAD, upload_routes.receive),
]


def answer(service: Service, request: Request) -> Reply:
    """Raises: Refusal."""
    for method, pattern, handler in _ROUTES:
        if method == request.method and (found := re.fullmatch(pattern, request.path)):
            return handler(service, replace(request, parts=found.groupdict()))
    raise Refusal("notFound", f"rushes.testing.bigquery has nothing at {request.method} {request.path}")
