"""`rushes config`: every setting, its value, where that came from, and what it is for."""

from __future__ import annotations

import ast
import inspect
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rushes.cli.output import JsonFlag, print_json, stdout
from rushes.masking import masked

if TYPE_CHECKING:
    from rushes.settings import Settings


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as shown."""

    name: str
    value: str | None
    source: str
    """The environment variable, the file, or `default`."""
    variables: tuple[str, ...]
    """The environment variables that set it; earlier ones win."""
    meaning: str


def config(*, as_json: JsonFlag = False) -> None:
    """Show every setting: its value (secrets masked), where it came from, and what it is for."""
    from rushes.settings import Settings, config_file

    found = described(Settings.load(), config_file())
    if as_json:
        print_json({"file": config_file(), "settings": {each.name: each for each in found}})
        return
    width = max(len(each.name) for each in found)
    for each in found:
        stdout().print(f"{each.name:{width}}  {_shown(each.value)}  ({each.source})", markup=False)
        stdout().print(f"{'':{width}}  {each.meaning} {each.variables[0]}", style="dim", markup=False)
    stdout().print(f"\nFile: {config_file()}" + ("" if config_file().exists() else " (there is none)"), markup=False)


def described(settings: Settings, file: Path) -> list[Setting]:
    """Every setting of `settings`, which were read from the environment and from `file`."""
    written = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    meanings = _meanings(type(settings))
    shown = _masked(settings)
    return [
        Setting(name, shown[name], _source(name, variables, written, file), variables, meanings.get(name, ""))
        for name, variables in _variables(type(settings)).items()
    ]


def _variables(settings: type[Settings]) -> dict[str, tuple[str, ...]]:
    """The environment variables that set each setting, in their order."""
    return {name: tuple(_choices(field.validation_alias)) for name, field in settings.model_fields.items()}


def _choices(alias: Any) -> list[str]:
    return [choice for choice in alias.choices if isinstance(choice, str)]


def _source(name: str, variables: tuple[str, ...], written: dict[str, Any], file: Path) -> str:
    given = next((variable for variable in variables if os.environ.get(variable)), None)
    return given or (str(file) if name in written else "default")


def _masked(settings: Settings) -> dict[str, str | None]:
    """Values as text. A database's URL keeps what is no secret: it tells which one."""
    shown: dict[str, str | None] = {name: masked(value) or None for name, value in settings.shown().items()}
    if settings.database_url is not None:
        from rushes.database.url import parse_url

        shown["database_url"] = parse_url(settings.database_url.get_secret_value()).masked
    return shown


def _shown(value: str | None) -> str:
    return "not set" if value is None else value


def _meanings(settings: type[Settings]) -> dict[str, str]:
    """The sentence under each setting in its source: said once, shown here."""
    groups = [group for group in settings.__mro__ if group.__module__.startswith("rushes.settings")]
    return {name: meaning for group in groups for name, meaning in _meanings_in(group)}


def _meanings_in(group: type) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(inspect.getsource(group)).body
    assert isinstance(definition, ast.ClassDef)
    for field, words in pairwise(definition.body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(words, ast.Expr)
            and isinstance(words.value, ast.Constant)
        ):
            yield field.target.id, " ".join(str(words.value.value).split())
