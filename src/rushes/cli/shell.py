"""How a command is called, whatever made it: one look of help, one voice for wrong use, one code for each end.

Help is plain text, so that it looks the same on every terminal, can be copied, and costs no console to be drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.exceptions import Exit, TyperException

from rushes.errors import UsageError

WIDTH = 100


def group(help_text: str, epilog: str | None = None) -> typer.Typer:
    """A command with commands of its own."""
    return typer.Typer(
        help=help_text, epilog=epilog, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
        rich_markup_mode=None, context_settings={"max_content_width": WIDTH},
    )  # fmt: skip


def single(name: str, function: Callable[..., None]) -> typer.Typer:
    """A command that is one function."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(name, context_settings={"max_content_width": WIDTH})(function)
    return app


def call(app: typer.Typer, name: str, arguments: Sequence[str]) -> int:
    """Call a command and return its exit code. Raises: UsageError, for arguments that it cannot take."""
    command = typer.main.get_command(app)
    for each in (command, *getattr(command, "commands", {}).values()):
        each.help = _with_examples(each.help)
    try:
        with command.make_context(f"rushes {name}", list(arguments)) as context:
            command.invoke(context)
    except Exit as end:
        return int(end.exit_code)
    except KeyboardInterrupt:
        return 130
    except TyperException as wrong:
        return _refuse(wrong)
    return 0


def _refuse(wrong: Any) -> int:
    """Say what is wrong with the arguments; none at all, where there must be some, ask for help."""
    context = getattr(wrong, "ctx", None)
    if type(wrong).__name__ == "NoArgsIsHelpError":
        typer.echo(wrong.format_message())
        return 0
    message: str = wrong.format_message().rstrip(".")
    path = context.command_path if context else "rushes COMMAND"
    raise UsageError(message[:1].lower() + message[1:], remedy=f"`{path} --help` tells how it is called")


def _with_examples(text: str | None) -> str | None:
    """Keep the lines of examples as they are written, by the mark that the library of help texts has for that."""
    return re.sub(r"\n\n(?=Examples?:)", "\n\n\b\n", text) if text else text
