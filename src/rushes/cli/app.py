"""The root of the command line, and what an error looks like to the person who met it.

Each command is a line in a table here, and its module is imported when it is called: `rushes --help` needs none of them,
and a worker's cold start only its own.
"""

from __future__ import annotations

import difflib
import importlib
import io
import sys
from collections.abc import Sequence

from rushes.errors import DatabaseError, RushesError, UsageError

COMMANDS = {
    "run": "Turn videos into transcripts and summaries: the main job.",
    "plan": "Say what a run would do, and do nothing.",
    "demo": "Make a small channel on this machine; run the main job on it.",
    "search": "Find words in everything that was said and summed up.",
    "batch": "Batches: list, show, watch, export, retry, prioritize, pause.",
    "queue": "The queue: stats, list, dead, enqueue, retry, cancel, pause, prune.",
    "worker": "Work at whatever is queued.",
    "requests": "Requests that came as messages: list, show.",
    "db": "The database: status, upgrade, url, backup, restore.",
    "config": "Show every setting and where it comes from.",
    "doctor": "Check that everything needed is here, or say what to do.",
}
"""Name, and what it does. It lives in the module of that name, as `app` (a group) or under its own name."""

HELP = """\
Usage: rushes COMMAND [ARGUMENTS] [OPTIONS]

Turns a list of videos into finished work: transcripts, and summaries with
chapters. Every item goes through a durable queue, so a crash or a bad video
loses nothing and repeats nothing.

Commands:
{commands}

Examples:
  rushes demo                              see it work, with nothing of your own
  rushes run talk.mp4 https://youtu.be/ID  two videos
  rushes run list.csv --out notes          a list; the same again goes on
  rushes run talks/ --pipeline transcribe --set transcribe.source=speech
  rushes search "lease token"              who said that, and when

`rushes COMMAND --help` tells the rest. Every command has --json.
Exit codes: 0 success, 1 an error, 2 wrong use, 3 some items failed,
130 interrupted."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a title's letter that the terminal lacks ends no run
    sys.exit(_call(given[0] if given else "--help", given[1:]))


def _call(name: str, arguments: Sequence[str]) -> int:
    try:
        code = _command(name, arguments)
        sys.stdout.flush()  # here, where a reader who has gone can still be answered for
    except RushesError as error:
        return _tell(name, error)
    except BrokenPipeError:
        _give_up_stdout()
        return 0  # whoever read our output has seen enough
    except Exception as error:
        expected = known(error)
        if expected is None:
            raise
        try:
            sys.stdout.flush()
        except OSError:  # a full disk behind it, say: the interpreter's own attempt at the end would only complain
            _give_up_stdout()
        return _tell(name, expected)
    return code


def _give_up_stdout() -> None:
    from rushes.cli.consoles import silence

    silence(sys.stdout.fileno())


def _tell(name: str, error: RushesError) -> int:
    from rushes.cli.output import Exit, safe, stderr

    stderr().print(f"[bold red]rushes {safe(name)}:[/] {safe(error.reason)}")
    if error.remedy:
        stderr().print(f"  {safe(error.remedy)}")
    return Exit.USAGE if isinstance(error, UsageError) else Exit.ERROR


def known(error: Exception) -> RushesError | None:
    """What an exception says to a person, if it comes from the world and is no fault of ours."""
    from rushes.sources.postgres import outages

    if isinstance(error, OSError) and not isinstance(error, (ConnectionError, TimeoutError)):
        where = f": {error.filename}" if error.filename else ""
        return RushesError(f"{error.strerror or error}{where}")
    if isinstance(error, outages()):
        return DatabaseError(f"the database has gone away: {error}", remedy="`rushes doctor` looks at it")
    return None


def _command(name: str, arguments: Sequence[str]) -> int:
    if name in ("--help", "-h", "help"):
        print(_help())  # noqa: T201  (loading a console to print this would take longer than printing it)
        return 0
    if name == "--version":
        from importlib.metadata import version

        print(f"rushes {version('rushes')}")  # noqa: T201  (before any console is made)
        return 0
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else "`rushes --help` lists them"
        raise UsageError(f"there is no command {name!r}; {hint}")
    from rushes.cli.shell import call, single

    module = importlib.import_module(f"rushes.cli.{name}")
    return call(getattr(module, "app", None) or single(name, getattr(module, name)), name, arguments)


def _help() -> str:
    return HELP.format(commands="\n".join(f"  {name:8}  {line}" for name, line in COMMANDS.items()))
