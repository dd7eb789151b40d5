"""A BigQuery on this machine, for tests and for trying things out: the real client talks to it over REST.

Rows are in memory, statements run in DuckDB. What is covered, and what is refused, is told in `docs/reference/testing.md`.

    with BigQueryServer() as server, server.client() as client:
        client.create_dataset("shop")
        client.query_and_wait("CREATE TABLE shop.orders (id STRING NOT NULL, total NUMERIC)")
"""

from __future__ import annotations

from rushes.testing.bigquery.faults import Hold
from rushes.testing.bigquery.jobs import State
from rushes.testing.bigquery.limits import Limits
from rushes.testing.bigquery.server import BigQueryServer, LoggedJob

__all__ = ["BigQueryServer", "Hold", "Limits", "LoggedJob", "State"]
