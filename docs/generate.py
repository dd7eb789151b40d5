# noqa: INP001  (a script, not a package)
"""Writes the pages of the reference that follow from the code: commands, settings, stages' options.

Run it as `.venv/bin/python docs/generate.py`. A test runs it too, into another folder (its one argument), and fails when a
page is out of date.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import typer
from pydantic_core import PydanticUndefined

from rushes.cli.app import COMMANDS
from rushes.cli.config import described
from rushes.pipelines import DEFAULT, PIPELINES
from rushes.settings import Settings, config_file
from rushes.stages import registry
from rushes.stages.base import Stage
from rushes.worker import slots

REFERENCE = Path(__file__).resolve().parent / "reference"
MADE_BY = "<!-- Made by docs/generate.py from the code. Do not edit. -->\n\n"
CLI_HEAD = """\
# Commands

Results go to standard output, everything about the run to standard error, so that `rushes … --json | jq` always works.

| exit code | means |
|---|---|
| 0 | success; a `worker` that ended as it should, also if items failed: they are recorded |
| 1 | an error was met; `search` found nothing; `doctor` missed something; `demo` did not come out as it should |
| 2 | wrong use or configuration, found before any work |
| 3 | some items failed, lines were invalid, or the batch waits for somebody |
| 130 | `run` or `demo` was interrupted, by Ctrl-C or SIGTERM; the same command goes on |

"""
SETTINGS_HEAD = """\
# Settings

Read from the environment, then from a TOML file, then the default; what a command line says wins over all. The file is
the one that `RUSHES_CONFIG` names, else `rushes/config.toml` in `$XDG_CONFIG_HOME` or `~/.config`; in it a setting has the
name in the first column. Durations are seconds, `90m`, `12h`, `30d`, `2w`, or ISO 8601 (`PT15M`). A wrong value, or a name
in the file that no setting has, ends in exit code 2 before any work. `rushes config` shows what holds now and where it came
from; secrets are masked there and everywhere.

"""
STAGES_HEAD = """\
# Pipelines and stages

A pipeline is a list of stages. Stage names joined by `+` make one of your own: `--pipeline download+transcribe`. Options
are given as `--set STAGE.OPTION=VALUE`, or for one item by columns of a list ([files](files.md)); an item's own win over the
batch's, and those over settings. What stages make for each other is told in
[write a stage](../how-to/write-a-stage.md#what-a-stage-can-rely-on).

`scrape` runs for lines that stand for many videos, and for no other.

"""


def pages() -> dict[str, str]:
    """The generated pages, by file name."""
    return {"cli.md": cli_page(), "settings.md": settings_page(), "stages.md": stages_page()}


def cli_page() -> str:
    parts = [
        MADE_BY,
        CLI_HEAD,
        "| command | does |\n|---|---|\n",
        *(f"| [`rushes {name}`](#rushes-{name}) | {meaning} |\n" for name, meaning in COMMANDS.items()),
    ]
    for name, meaning in COMMANDS.items():
        parts.append(f"\n## rushes {name}\n")
        parts += _group(name, meaning)
    return "".join(parts)


def _group(name: str, meaning: str) -> Iterator[str]:
    command = click_command(name)
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield _command(f"rushes {name}", command)
        return
    yield f"\n{meaning}\n"
    for sub, each in subcommands.items():
        yield f"\n### rushes {name} {sub}\n"
        yield _command(f"rushes {name} {sub}", each)


def click_command(name: str) -> Any:
    """The command as the command line has it."""
    module = importlib.import_module(f"rushes.cli.{name}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False)
        app.command(name)(getattr(module, name))
    return typer.main.get_command(app)


def _command(path: str, command: Any) -> str:
    text, examples = _help(command)
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option" and param.name != "help"]
    usage = " ".join([path, *(_metavar(argument) for argument in arguments), "[OPTIONS]"])
    lines = ["", text, "", "```", usage, "```", ""] if text else ["", "```", usage, "```", ""]
    rows = [(f"`{_metavar(param)}`", param.help) for param in arguments]
    rows += [(_option(param), _meaning(param)) for param in options]
    lines += ["| | |", "|---|---|", *(f"| {_cell(left)} | {_cell(right or '')} |" for left, right in rows)]
    if examples:
        lines += ["", "```", *examples, "```"]
    return "\n".join(lines) + "\n"


def _help(command: Any) -> tuple[str, list[str]]:
    """A command's description, and its examples."""
    text, _, examples = inspect.cleandoc(command.help or "").partition("\nExample")
    examples = re.sub(r"^s?:", "", examples) + "\n" + re.sub(r"^Examples?:", "", command.epilog or "")
    return text.strip(), [line.strip() for line in examples.splitlines() if line.strip()]


def _metavar(param: Any) -> str:
    name = (param.metavar or param.name.upper()).removesuffix("...") + ("..." if param.nargs == -1 else "")
    return name if param.required else f"[{name}]"


def _option(param: Any) -> str:
    names = ", ".join(f"`{name}`" for name in sorted((*param.opts, *param.secondary_opts), key=len, reverse=True))
    if param.is_flag:
        return names
    return f"{names} `{param.metavar or _type(param.type_descriptor.annotation)}`"


def _type(annotation: Any) -> str:
    kinds = {int: "NUMBER", float: "NUMBER", Path: "PATH"}
    return kinds.get(next((each for each in get_args(annotation) if each in kinds), annotation), "TEXT")


def _meaning(param: Any) -> str:
    default = param.default
    shown = default not in (None, "", False) and not callable(default) and not param.is_flag
    return f"{param.help or ''}{f' Default: `{default}`.' if shown else ''}".strip()


def settings_page() -> str:
    parts = [
        MADE_BY,
        SETTINGS_HEAD,
        "| setting | environment | default | meaning |\n|---|---|---|---|\n",
    ]
    for each in described(Settings.load(), config_file()):
        variables = ", ".join(f"`{variable}`" for variable in each.variables)
        parts.append(f"| `{each.name}` | {variables} | {_default(each.name)} | {_cell(each.meaning)} |\n")
    return "".join(parts)


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    if name == "home":
        return "`/var/lib/rushes` as root, else `rushes` in `$XDG_DATA_HOME` or `~/.local/share`"
    value = field.default
    if value is None or value is PydanticUndefined:
        return ""
    return _value(value)


def _value(value: Any) -> str:
    """As a setting or `--set` has it."""
    match value:
        case timedelta():
            return f"{value.total_seconds():g} s"
        case [only]:
            return f"`{only}`"
        case dict() | tuple():
            return f"`{json.dumps(value)}`"
    return f"`{value}`"


def stages_page() -> str:
    parts = [
        MADE_BY,
        STAGES_HEAD,
        "| pipeline | stages |\n|---|---|\n",
        *(
            f"| `{name}`{' (default)' if name == DEFAULT else ''} | {' → '.join(stages)} |\n"
            for name, stages in PIPELINES.items()
        ),
    ]
    for name in sorted(registry.names(), key=_place):
        parts += _stage(registry.get(name))
    return "".join(parts)


def _place(name: str) -> tuple[int, str]:
    """In the order of work."""
    known = [stage for stages in PIPELINES.values() for stage in stages]
    return (max(at for at, stage in enumerate(known) if stage == name) if name in known else len(known), name)


def _stage(stage: Stage) -> Iterator[str]:
    yield f"\n## {stage.name}\n\n{_first_sentence(stage.run.__doc__)}\n\n"
    yield f"{' '.join(_conditions(stage))}\n\n"
    yield "| option | default | meaning |\n|---|---|---|\n"
    settled = stage.defaults(Settings.load())
    for option, field in stage.options.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined, ()) else _value(field.default)
        if option in settled:
            default = f"[a setting's](settings.md){f', else {default}' if default else ''}"
        yield f"| `{stage.name}.{option}` | {default} | {_cell(field.description or '')} |\n"


def _conditions(stage: Stage) -> Iterator[str]:
    if stage.needs:
        yield f"Reads {_kinds(stage.needs)}."
    if stage.makes:
        yield f"Always makes {_kinds(stage.makes)}."
    limit = f", each for at most {stage.timeout}" if stage.timeout else ""
    at_once = stage.concurrency or stage.usual or slots.DEFAULT
    yield f"{at_once} at once in a worker{limit}; {stage.retries.max_attempts} attempts."


def _kinds(kinds: frozenset[str]) -> str:
    return ", ".join(f"`{kind}`" for kind in sorted(kinds))


def _first_sentence(text: str | None) -> str:
    return " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(folder: Path = REFERENCE) -> None:
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
