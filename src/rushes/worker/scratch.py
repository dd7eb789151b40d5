"""Scratch folders: where a running job makes its files.

A job, or an item of a source that hands out whole ones, keeps its folder from attempt to attempt, so that a download goes on
where a killed one stopped. A lock on it shows whether its last owner still lives: a frozen worker may wake up and write on,
so its successor starts a folder of its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from rushes.sources.base import Assignment


class Scratch:
    """The folder of one attempt, made when it is first asked for and locked while it runs.

    `keep` it for the next attempt, or it goes when this one ends.
    """

    def __init__(self, root: Path, assignment: Assignment) -> None:
        self._root = root
        self._assignment = assignment
        self._path: Path | None = None
        self._lock: int | None = None
        self.keep = False

    @property
    def path(self) -> Path:
        """The folder."""
        if self._path is None:
            self._path = self._make()
        return self._path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is not None and not self.keep:
            shutil.rmtree(self._path, ignore_errors=True)
            _lock_file(self._path).unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)

    def _make(self) -> Path:
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = _name(self._assignment)
        path = self._root / name
        if not self._take(path):
            path = self._root / f"{name}-{self._assignment.lease.token}-{os.getpid()}"
            self._take(path)
        path.mkdir(exist_ok=True, mode=0o700)
        return path

    def _take(self, path: Path) -> bool:
        handle = os.open(_lock_file(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        return True


def _name(assignment: Assignment) -> str:
    """The same for every attempt, and for nothing else."""
    if assignment.folder:
        return f"item-{_short(assignment.name, 16)}"
    return f"job-{assignment.lease.job_id}-{_short(assignment.name, 8)}"


def _short(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _lock_file(path: Path) -> Path:
    return path.with_suffix(".lock")
