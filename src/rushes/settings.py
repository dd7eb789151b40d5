"""Every setting, once. From the environment (`RUSHES_…`, and the seeds' own names), then a TOML file, then defaults.

A wrong value is found before any work and ends in a `SettingsError` that names the setting, what was found and what is
wanted. Secrets are never printed.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from rushes.errors import SettingsError

PREFIX = "RUSHES_"


def _named(name: str, *aliases: str) -> AliasChoices:
    """A setting's environment variable, then names that others gave it; earlier ones win."""
    return AliasChoices(PREFIX + name.upper(), *aliases)


def _default_home() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/rushes")
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "rushes"


def make_home(home: Path) -> None:
    """Make the data folder, if it is not there: private. Root's lets its database's user pass through, and no more."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        home.mkdir(mode=0o700)
        if os.geteuid() == 0:
            home.chmod(0o711)


def config_file() -> Path:
    """The TOML file that is read if it exists: `RUSHES_CONFIG`, else `rushes/config.toml` among the user's own."""
    given = os.environ.get(PREFIX + "CONFIG")
    if given:
        return Path(given)
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "rushes" / "config.toml"


UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
"""Seconds in what a duration may be given in."""


def seconds(value: Any) -> Any:
    """Take `30`, `0.5`, `90m`, `12h` and `30d` for seconds; leave what is none of these as it is."""
    if not isinstance(value, str):
        return value
    number = value.strip()
    unit = number[-1:] if number[-1:].isalpha() else ""
    try:
        return float(number.removesuffix(unit)) * UNITS[unit]
    except (ValueError, KeyError):
        return value


Duration = Annotated[timedelta, BeforeValidator(seconds), Field(ge=timedelta(0))]
Seconds = Annotated[timedelta, BeforeValidator(seconds), Field(gt=timedelta(0))]
# Who writes 30 means days, and would lose all but half a minute of their history.
Age = Annotated[timedelta, BeforeValidator(seconds), Field(ge=timedelta(hours=1), le=timedelta(days=36525))]


class Settings(BaseSettings):
    """All settings. Durations are seconds, `90m`, `12h`, `30d`, or ISO 8601."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", case_sensitive=True, populate_by_name=True, env_ignore_empty=True
    )

    home: Path = Field(default_factory=_default_home, validation_alias=_named("home"))
    """The data folder: embedded database, artifacts, scratch space."""
    storage: str | None = Field(default=None, validation_alias=_named("storage"))
    """Where artifacts go: a path. By default `artifacts` in the data folder."""
    database_url: SecretStr | None = Field(default=None, validation_alias=_named("database_url", "DATABASE_URL"))
    """A PostgreSQL of the user's own. By default the embedded one."""

    ffmpeg: Path | None = Field(default=None, validation_alias=_named("ffmpeg"))
    """The FFmpeg to use. By default a good one on the PATH, else the packaged one."""
    speech_model: str = Field(default="tiny.en", validation_alias=_named("speech_model"))
    """`tiny.en`, `base` (extra `multilingual`) or a folder with a CTranslate2 Whisper model."""
    speech_threads: int = Field(default=0, ge=0, le=256, validation_alias=_named("speech_threads"))
    """Processor threads for speech recognition; 0: as many as there are cores."""

    model: str | None = Field(default=None, validation_alias=_named("model"))
    """The language model for summaries, `provider:name` (`anthropic:…`, `openai:…`, `google:…`); none: offline."""
    model_url: str | None = Field(default=None, validation_alias=_named("model_url"))
    """The address of a service that speaks that provider's protocol, such as a server of one's own."""
    model_key: SecretStr | None = Field(default=None, validation_alias=_named("model_key"))
    """The provider's key. By default its usual variable (`ANTHROPIC_API_KEY`, `OPENAI_API_KEY`, `GOOGLE_API_KEY`)."""

    cookies: Path | None = Field(default=None, validation_alias=_named("cookies"))
    """A Netscape cookie file for downloads that need a login."""
    proxy: SecretStr | None = Field(default=None, validation_alias=_named("proxy"))
    """A proxy for downloads."""
    download_rate: int | None = Field(default=None, gt=0, validation_alias=_named("download_rate"))
    """Bytes a second a download may take."""
    rate_limit_pause: Seconds = Field(default=timedelta(minutes=15), validation_alias=_named("rate_limit_pause"))
    """How long a host rests that asked for rest without saying how long."""

    lease: Duration = Field(default=timedelta(seconds=60), ge=timedelta(seconds=2), validation_alias=_named("lease"))
    """How long a job stays with a worker that has fallen silent; at least 2: it is prolonged every second."""
    grace: Duration = Field(default=timedelta(seconds=7), validation_alias=_named("grace"))
    """How long running work may go on after SIGTERM. Cloud Run kills after 10 seconds."""
    max_runtime: Seconds | None = Field(default=None, validation_alias=_named("max_runtime", "WORKER_MAX_RUNTIME"))
    """A worker stops claiming after this time."""
    empty_timeout: Duration | None = Field(
        default=None, validation_alias=_named("empty_timeout", "WORKER_EMPTY_QUEUE_TIMEOUT")
    )
    """A worker ends after finding nothing for this time."""
    max_jobs: int | None = Field(default=None, gt=0, validation_alias=_named("max_jobs"))
    """A worker ends after so many jobs."""

    retention_completed: Age | None = Field(default=None, validation_alias=_named("retention_completed"))
    """How long completed jobs, and batches that completed, are kept: `30d`, at least an hour. By default for ever."""
    retention_failed: Age | None = Field(default=None, validation_alias=_named("retention_failed"))
    """How long failed jobs, and batches with failed items, are kept. By default for ever."""
    retention_cancelled: Age | None = Field(default=None, validation_alias=_named("retention_cancelled"))
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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (the base class names it)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (the names are pydantic's)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read all settings. Arguments win over the environment.

        Raises:
            SettingsError: a value is wrong, or the TOML file has a name that no setting has.
        """
        try:
            _refuse_unknown_names(cls, config_file())
            return cls(**given)
        except ValidationError as error:
            raise SettingsError("\n".join(_describe(problem) for problem in error.errors())) from None

    @property
    def artifacts(self) -> Path:
        """The folder of a local storage."""
        return Path(self.storage).expanduser().absolute() if self.storage else self.home / "artifacts"

    @property
    def scratch(self) -> Path:
        """Where running jobs make their files."""
        return self.home / "scratch"

    def shown(self) -> dict[str, str]:
        """Every setting as text, secrets masked."""
        return {name: "" if value is None else str(value) for name, value in self}


def _refuse_unknown_names(settings: type[Settings], path: Path) -> None:
    try:
        names = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    for name in names:
        if name not in settings.model_fields:
            near = difflib.get_close_matches(name, settings.model_fields, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise SettingsError(f"{path}: there is no setting {name!r}{hint}")


def _describe(problem: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "settings"
    variable = PREFIX + name.upper() if name == name.lower() else name
    secret = "key" in name.lower() or "url" in name.lower() or "proxy" in name.lower()
    found = "" if secret else f", found {problem['input']!r}"
    return f"{variable}: {problem['msg']}{found}"
