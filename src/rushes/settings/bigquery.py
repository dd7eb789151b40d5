"""Settings of the source `bigquery`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from rushes.settings.cloud import CloudSettings
from rushes.settings.durations import Duration, Seconds
from rushes.settings.reading import named

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
Column = Annotated[str, Field(pattern=f"^{_NAME}$", max_length=300)]
Columns = Annotated[str, Field(pattern=rf"^\s*({_NAME}\s*(,\s*{_NAME}\s*)*)?$", max_length=10_000)]
Table = Annotated[str, Field(pattern=r"^[\w-]+$", max_length=1024)]


class BigQuerySettings(CloudSettings):
    """A table of items, and a table of what they came to."""

    bigquery_project: str | None = Field(
        default=None, pattern=r"^[a-z0-9.:-]+$", validation_alias=named("bigquery_project", "BIGQUERY_PROJECT")
    )
    """The project of the dataset."""
    bigquery_dataset: Table | None = Field(default=None, validation_alias=named("bigquery_dataset", "BIGQUERY_DATASET"))
    """The dataset of both tables."""
    bigquery_source: Table | None = Field(
        default=None, validation_alias=named("bigquery_source", "BIGQUERY_TABLE_SOURCE")
    )
    """The table of items: `id`, `url`, `status`. It gains columns for claims and attempts, or see `bigquery_claim`."""
    bigquery_target: Table | None = Field(
        default=None, validation_alias=named("bigquery_target", "BIGQUERY_TABLE_TARGET")
    )
    """The table of results: `id`, `context`, `status`, and whichever more of the known columns it has."""
    bigquery_claim: Literal["execution", "none"] = Field(default="execution", validation_alias=named("bigquery_claim"))
    """`none` leaves the table of items alone: tasks divide its rows by their fingerprints, and skip what the target has."""
    bigquery_where: str | None = Field(default=None, max_length=10_000, validation_alias=named("bigquery_where"))
    """Only rows for which this SQL condition holds."""
    bigquery_id: Column = Field(default="id", validation_alias=named("bigquery_id"))
    """The column of the items' ids, in both tables."""
    bigquery_url: Column = Field(default="url", validation_alias=named("bigquery_url"))
    """The source's column of addresses."""
    bigquery_status: Column = Field(default="status", validation_alias=named("bigquery_status"))
    """The column of statuses, in both tables."""
    bigquery_result: Column = Field(default="context", validation_alias=named("bigquery_result"))
    """The target's column of what was made, as text."""
    bigquery_payload: Columns = Field(default="", validation_alias=named("bigquery_payload"))
    """Columns of the source that go along with an item, separated by commas: `{payload.COLUMN}` of a template."""
    bigquery_lease: Duration = Field(
        default=timedelta(minutes=10), ge=timedelta(seconds=10), validation_alias=named("bigquery_lease")
    )
    """How long rows stay with an execution that has fallen silent. It is prolonged at a third of that."""
    bigquery_flush: Seconds = Field(default=timedelta(seconds=10), validation_alias=named("bigquery_flush"))
    """Results are durable after this time, and later with many tasks or in long jobs: a table takes 30,000 loads a day."""
    bigquery_merge: Seconds = Field(default=timedelta(minutes=10), validation_alias=named("bigquery_merge"))
    """Staged results enter the target in this time, and at the end."""
    bigquery_max_bytes: int = Field(default=100 * 2**30, ge=10 * 2**20, validation_alias=named("bigquery_max_bytes"))
    """No statement may be billed for more bytes than this."""
