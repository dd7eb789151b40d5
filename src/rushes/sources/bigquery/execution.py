"""An execution's name: what its tasks have in common, and under which items are theirs.

Where neither the settings nor a platform say, it is this machine's own for these tables, so that whoever follows a killed
run has its items at once. The name is held by a file lock: two runs at once have two names.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from rushes.errors import SettingsError
from rushes.locks import open_lock, try_lock
from rushes.settings import Settings, make_home
from rushes.sources.bigquery.tables import Tables
from rushes.tasks import Task

_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")


@contextlib.contextmanager
def execution_of(task: Task, tables: Tables, settings: Settings) -> Iterator[str]:
    """The execution's name, held until the end.

    Raises:
        SettingsError: several tasks have no name in common, or no name can be held here.
    """
    if task.execution:
        yield task.execution
        return
    if task.count > 1:
        raise SettingsError(
            f"this is task {task.index} of {task.count}, and nothing says what they have in common",
            remedy="RUSHES_EXECUTION names a run: the same for all its tasks, and another for each run",
        )
    folder = settings.home / "bigquery"
    tables_hash = hashlib.sha256(tables.full(tables.source).encode()).hexdigest()[:12]
    try:
        make_home(settings.home)
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = _lock(folder, tables_hash)
    except OSError as error:
        raise SettingsError(
            f"{folder}: {error.strerror}", remedy="RUSHES_HOME may name another folder, or RUSHES_EXECUTION the run"
        ) from error
    try:
        yield _name(descriptor)
    finally:
        os.close(descriptor)


def _lock(folder: Path, name: str) -> int:
    """The first lock file of that name that nobody holds."""
    for number in itertools.count():
        descriptor = open_lock(folder / f"{name}-{number}.lock")
        if try_lock(descriptor):
            return descriptor
        os.close(descriptor)
    raise AssertionError


def _name(descriptor: int) -> str:
    """What the lock file says, so that machines that are called alike do not share a name either."""
    known = os.pread(descriptor, 200, 0).decode()
    if known:
        return known
    host = _ILLEGAL.sub("-", socket.gethostname())[:60] or "host"
    name = f"{host}-{secrets.token_hex(4)}"
    os.pwrite(descriptor, name.encode(), 0)
    return name
