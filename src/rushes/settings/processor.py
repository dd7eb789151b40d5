"""Settings of the stage `process`."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from rushes.settings.durations import Seconds
from rushes.settings.reading import Group, named


class ProcessorSettings(Group):
    """The service that processes an address."""

    processor_url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", validation_alias=named("processor_url", "URL_PROCESSOR_SERVICE_URL")
    )
    """The service that the stage `process` posts each address to."""
    processor_timeout: Seconds = Field(
        default=timedelta(seconds=600), validation_alias=named("processor_timeout", "URL_PROCESSOR_TIMEOUT_SECONDS")
    )
    """How long an answer of that service may take, from the first byte sent to the last received."""
    processor_audience: str | None = Field(default=None, validation_alias=named("processor_audience"))
    """The audience of the identity token for it. By default its origin; behind one's own domain, its `run.app` address."""
