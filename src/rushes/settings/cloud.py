"""Settings of workers whose items come from somebody else's table or subscription."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from rushes.settings.durations import Seconds
from rushes.settings.hosts import AllowedHosts
from rushes.settings.reading import Group, named


class CloudSettings(Group):
    """What all cloud sources share, and what a platform's jobs are told."""

    items_at_once: int | None = Field(
        default=None, ge=1, le=10_000, validation_alias=named("items_at_once", "MAX_CONCURRENT_TASKS_PER_INSTANCE")
    )
    """Items of a cloud source that one worker runs at once. By default 50 for the pipeline `process`, else 4."""
    batch_size: int = Field(default=1000, ge=1, le=100_000, validation_alias=named("batch_size", "BATCH_SIZE"))
    """Rows or messages that a cloud source takes at a time. It goes on until there are no more."""
    item_timeout: Seconds | None = Field(default=None, validation_alias=named("item_timeout"))
    """How long an item of a cloud source may take, all stages together. By default as long as it needs."""
    item_attempts: int = Field(default=3, ge=1, le=100, validation_alias=named("item_attempts"))
    """How often an item of a cloud source is tried."""

    execution: str | None = Field(
        default=None, min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_-]+$", validation_alias=named("execution")
    )
    """What the parallel tasks of one run have in common. By default what the platform says, else this machine's own."""
    task_index: int | None = Field(default=None, ge=0, validation_alias=named("task_index"))
    """Which of the parallel tasks this is, from 0. By default what the platform says."""
    task_count: int | None = Field(default=None, ge=1, validation_alias=named("task_count"))
    """How many parallel tasks there are. By default what the platform says; Kubernetes does not."""

    health_port: int | None = Field(
        default=None, ge=1, le=65_535, validation_alias=named("health_port", "HEALTH_CHECK_PORT")
    )
    """A worker answers `/health` and `/health/ready` at this port. By default at none."""
    log_format: Literal["auto", "text", "json"] = Field(default="auto", validation_alias=named("log_format"))
    """How a worker logs: `json` is what Cloud Logging reads; `auto` is that on Google's platforms, and text elsewhere."""
    allowed_hosts: str = Field(default="", validation_alias=named("allowed_hosts"))
    """Hosts that items of strangers may be fetched from although they are private, or at a port other than 80, 443, 8080
    and 8443: `HOST`, `HOST:PORT` or networks, separated by commas."""

    @field_validator("allowed_hosts", mode="after")
    @classmethod
    def _readable(cls, text: str) -> str:
        AllowedHosts.parse(text)
        return text
