"""Settings of the main job, the queue and the worker."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from rushes.settings.durations import Age, Duration, Seconds
from rushes.settings.places import default_home
from rushes.settings.reading import Group, named


class CoreSettings(Group):
    """What every part may ask for."""

    home: Path = Field(default_factory=default_home, validation_alias=named("home"))
    """The data folder: embedded database, artifacts, scratch space."""
    storage: str | None = Field(default=None, validation_alias=named("storage"))
    """Where artifacts go: a path. By default `artifacts` in the data folder."""
    database_url: SecretStr | None = Field(default=None, validation_alias=named("database_url", "DATABASE_URL"))
    """A PostgreSQL of the user's own. By default the embedded one."""

    ffmpeg: Path | None = Field(default=None, validation_alias=named("ffmpeg"))
    """The FFmpeg to use. By default a good one on the PATH, else the packaged one."""
    speech_model: str = Field(default="tiny.en", validation_alias=named("speech_model"))
    """`tiny.en`, `base` (extra `multilingual`) or a folder with a CTranslate2 Whisper model."""
    speech_threads: int = Field(default=0, ge=0, le=256, validation_alias=named("speech_threads"))
    """Processor threads for speech recognition; 0: as many as there are cores."""

    model: str | None = Field(default=None, validation_alias=named("model"))
    """The language model that writes, `provider:name` (`anthropic:…`, `openai:…`, `google:…`); none: offline."""
    model_url: str | None = Field(default=None, validation_alias=named("model_url"))
    """The address of a service that speaks that provider's protocol, such as a server of one's own."""
    model_key: SecretStr | None = Field(default=None, validation_alias=named("model_key"))
    """The provider's key. By default its usual variable (`ANTHROPIC_API_KEY`, `OPENAI_API_KEY`, `GOOGLE_API_KEY`)."""

    cookies: Path | None = Field(default=None, validation_alias=named("cookies"))
    """A Netscape cookie file for downloads that need a login."""
    proxy: SecretStr | None = Field(default=None, validation_alias=named("proxy"))
    """A proxy for downloads. For items of strangers there must be none: it would look up names itself."""
    download_rate: int | None = Field(default=None, gt=0, validation_alias=named("download_rate"))
    """Bytes a second a download may take."""
    rate_limit_pause: Seconds = Field(default=timedelta(minutes=15), validation_alias=named("rate_limit_pause"))
    """How long a host rests that asked for rest without saying how long."""

    lease: Duration = Field(default=timedelta(seconds=60), ge=timedelta(seconds=2), validation_alias=named("lease"))
    """How long a job stays with a worker that has fallen silent; at least 2: it is prolonged every second."""
    grace: Duration = Field(default=timedelta(seconds=7), validation_alias=named("grace"))
    """How long running work may go on after SIGTERM. Cloud Run kills after 10 seconds."""
    max_runtime: Seconds | None = Field(default=None, validation_alias=named("max_runtime", "WORKER_MAX_RUNTIME"))
    """A worker stops claiming after this time."""
    empty_timeout: Duration | None = Field(
        default=None, validation_alias=named("empty_timeout", "WORKER_EMPTY_QUEUE_TIMEOUT")
    )
    """A worker ends after finding nothing for this time."""
    max_jobs: int | None = Field(default=None, gt=0, validation_alias=named("max_jobs"))
    """A worker ends after so many jobs."""

    retention_completed: Age | None = Field(default=None, validation_alias=named("retention_completed"))
    """How long completed jobs, and batches that completed, are kept: `30d`, at least an hour. By default for ever."""
    retention_failed: Age | None = Field(default=None, validation_alias=named("retention_failed"))
    """How long failed jobs, and batches with failed items, are kept. By default for ever."""
    retention_cancelled: Age | None = Field(default=None, validation_alias=named("retention_cancelled"))
    """How long cancelled jobs, and batches with cancelled items, are kept. By default for ever."""

    @field_validator("storage", mode="after")
    @classmethod
    def _a_path(cls, storage: str | None) -> str | None:
        if storage and "://" in storage:
            raise ValueError("wanted a folder: other storage is not available yet")
        return storage

    @field_validator("home", "ffmpeg", "cookies", mode="after")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else None

    @property
    def artifacts(self) -> Path:
        """The folder of a local storage."""
        return Path(self.storage).expanduser().absolute() if self.storage else self.home / "artifacts"

    @property
    def scratch(self) -> Path:
        """Where running jobs make their files."""
        return self.home / "scratch"
