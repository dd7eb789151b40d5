"""Reading settings: from the environment (`RUSHES_…`, and names of earlier programs), then a TOML file, then defaults.

A wrong value is found before any work and ends in a `SettingsError` that names the setting, what was found and what is
wanted. Secrets are never printed.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import AliasChoices, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from rushes.errors import SettingsError
from rushes.masking import is_telling
from rushes.settings.places import config_file

PREFIX = "RUSHES_"


def named(name: str, *aliases: str) -> AliasChoices:
    """A setting's environment variable, then names that others gave it; earlier ones win."""
    return AliasChoices(PREFIX + name.upper(), *aliases)


class Group(BaseSettings):
    """A group of settings that belong together."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", case_sensitive=True, populate_by_name=True, env_ignore_empty=True
    )

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
            raise SettingsError("\n".join(_describe(cls, problem) for problem in error.errors())) from None

    def shown(self) -> dict[str, str]:
        """Every setting as text, secrets masked."""
        return {name: _written(value) for name, value in self}

    def require(self, *names: str) -> None:
        """Raise `SettingsError`, naming every variable, if one of these is not set."""
        missing = [name for name in names if getattr(self, name) is None]
        if missing:
            raise SettingsError("\n".join(f"{_variables(type(self), name)} is not set" for name in missing))


def _variables(settings: type[Group], name: str) -> str:
    """`RUSHES_X (or X)`."""
    alias = settings.model_fields[name].validation_alias
    assert isinstance(alias, AliasChoices)
    first, *others = map(str, alias.choices)
    return f"{first} (or {', '.join(others)})" if others else first


def _read_from(settings: type[Group], first: str) -> str:
    """The variable that a setting was read from, by the first of its names."""
    for field in settings.model_fields.values():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices) and first in alias.choices:
            return next((name for name in map(str, alias.choices) if os.environ.get(name)), first)
    return first


def _refuse_unknown_names(settings: type[Group], path: Path) -> None:
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


def _describe(settings: type[Group], problem: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "settings"
    variable = PREFIX + name.upper() if name == name.lower() else _read_from(settings, name)
    found = "" if is_telling(name) else f", found {problem['input']!r}"
    return f"{variable}: {problem['msg'].removeprefix('Value error, ')}{found}"


def _written(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, tuple)) else str(value)
