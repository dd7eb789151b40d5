"""How a command's log is written: lines for a person, or entries for Cloud Logging. All of it goes through `logging`.

The log goes to standard error in both forms: standard output is for results, and Cloud Logging reads either.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from rushes.errors import RushesError, SettingsError, UsageError
from rushes.masking import masked

if TYPE_CHECKING:
    from rushes.settings import Settings

log = logging.getLogger(__name__)

_STYLES = {logging.WARNING: "yellow", logging.ERROR: "red", logging.CRITICAL: "bold red"}


@contextlib.contextmanager
def logged(source: str, given: Mapping[str, Any], *, quiet: bool) -> Iterator[None]:
    """Write what is logged meanwhile to standard error, in the form that the settings say.

    As entries an error that ends the command is one of them as well, instead of lines for a person.

    Args:
        source: where jobs come from, one of the entries' labels.
        given: settings that the command line overrides.
        quiet: for a person only what went wrong. Entries are for machines, which pick what they want.
    """
    from rushes.logs import wants_json
    from rushes.settings import Settings

    try:
        settings = Settings.load(**given)
        as_json = wants_json(settings.log_format)
    except SettingsError:  # it will come out again where it is handled; the log only has to have a form by then
        settings = None
        as_json = wants_json(os.environ.get("RUSHES_LOG_FORMAT", "auto"))
    handler = _entries(source, settings) if as_json else _Lines()
    with _handled_by(handler, logging.WARNING if quiet and not as_json else logging.INFO):
        if not as_json:
            yield
            return
        try:
            yield
        except typer.Exit:
            raise
        except Exception as error:
            raise typer.Exit(_told(error)) from error


def _told(error: Exception) -> int:
    """Log what ends the command, and return its exit code."""
    from rushes.cli.app import known
    from rushes.cli.output import Exit

    expected = error if isinstance(error, RushesError) else known(error)
    if expected is None:
        log.critical("%s: %s", type(error).__name__, error, exc_info=error, extra={"fields": {"event": "crashed"}})
        return Exit.ERROR
    remedy = f" ({expected.remedy})" if expected.remedy else ""
    log.error("%s%s", expected.reason, remedy, extra={"fields": {"event": "refused", "remedy": expected.remedy}})
    return Exit.USAGE if isinstance(expected, UsageError) else Exit.ERROR


@contextlib.contextmanager
def _handled_by(handler: logging.Handler, level: int) -> Iterator[None]:
    """Our own records from the level up, and other packages' from warnings up."""
    root, own = logging.getLogger(), logging.getLogger("rushes")
    before = root.level, own.level
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    own.setLevel(level)
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.removeHandler(handler)
        root.setLevel(before[0])
        own.setLevel(before[1])


class _Lines(logging.Handler):
    """Lines for a person: in colours on a terminal, with time and level elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        from rushes.cli.output import stderr

        self._console = stderr()
        self._plain = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        from rushes.cli.output import safe

        lines = [record.getMessage()]
        if record.exc_info:
            lines += self._plain.formatException(record.exc_info).splitlines()
        elif record.levelno >= logging.ERROR:
            lines += (getattr(record, "stack_trace", None) or "").splitlines()
        text = "\n".join(safe(masked(line)) for line in lines)
        if self._console.is_terminal:
            style = getattr(record, "style", None) or _STYLES.get(record.levelno)
            self._console.print(f"[{style}]{text}[/]" if style else text)
        else:
            at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self._console.print(f"{at} {record.levelname:7} {text}")


class _Entries(logging.StreamHandler[Any]):
    """Lines of JSON. Work goes on without a listener, in silence."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the base class names it)
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            from rushes.cli.consoles import silence

            silence(sys.stderr.fileno())
        else:
            super().handleError(record)


def _entries(source: str, settings: Settings | None) -> logging.Handler:
    from importlib.metadata import version

    from rushes.logs import TRACES, CloudFormatter, trace_fields

    project = _project(settings)
    trace = next((os.environ[name] for name in TRACES if os.environ.get(name)), None)
    handler = _Entries(sys.stderr)
    handler.setFormatter(
        CloudFormatter(
            labels={"source": source, **_task_labels(settings)},
            version=version("rushes"),
            trace=trace_fields(trace, project),
            environment=os.environ,
        )
    )
    return handler


def _project(settings: Settings | None) -> str | None:
    named = (settings.pubsub_project or settings.bigquery_project) if settings else None
    return os.environ.get("GOOGLE_CLOUD_PROJECT") or named


def _task_labels(settings: Settings | None) -> dict[str, str]:
    """Which of a platform's parallel tasks this is; nothing where none is known."""
    from rushes.tasks import find_task

    try:
        task = find_task(settings) if settings else None
    except SettingsError:  # it comes out again where it matters
        return {}
    if task is None or (task.platform is None and task.execution is None):
        return {}
    labels = {"task": str(task.index), "attempt": str(task.attempt)}
    return {"execution": task.execution, **labels} if task.execution else labels
