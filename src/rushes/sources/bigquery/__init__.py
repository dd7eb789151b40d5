"""BigQuery as a source: items are rows of one table, and what they came to are rows of another."""

from rushes.sources.bigquery.source import BigQuerySource

__all__ = ["BigQuerySource"]
