"""A server for each test, and the real client at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.cloud import bigquery

from rushes.testing.bigquery import BigQueryServer

Run = Callable[..., bigquery.QueryJob]


@pytest.fixture
def server() -> Iterator[BigQueryServer]:
    with BigQueryServer() as server:
        yield server


@pytest.fixture
def client(server: BigQueryServer) -> Iterator[bigquery.Client]:
    with server.client("shop") as client:
        client.create_dataset("d")
        yield client


@pytest.fixture
def run(client: bigquery.Client) -> Run:
    """Run a statement to its end. Parameters by name follow it, `label=` and `job_id=` among them go with the job."""

    def run_one(sql: str, *parameters: Any, job_id: str | None = None, **options: Any) -> bigquery.QueryJob:
        config = bigquery.QueryJobConfig(query_parameters=list(parameters), **options)
        job = client.query(sql, job_config=config, job_id=job_id, job_retry=None)
        job.result(retry=None, timeout=30)
        return job

    return run_one


@pytest.fixture
def rows(run: Run) -> Callable[..., list[tuple[Any, ...]]]:
    """The rows of a query."""

    def read(sql: str, *parameters: Any, **options: Any) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in run(sql, *parameters, **options).result()]

    return read
