"""Scratch folders: where a running job makes its files.

A job keeps its folder from attempt to attempt, so that a download goes on where a killed one stopped. A lock on it shows
whether its last owner still lives: a frozen worker may wake up and write on, so its successor starts a folder of its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from rushes.model import Lease


class Scratch:
    """The folder of one attempt, locked while it runs. `keep` it for the next attempt, or it goes when this one ends."""

    def __init__(self, root: Path, lease: Lease, *, of: str) -> None:
        """`of` is what it works at: another database counts its jobs from 1 as well."""
        self._root = root
        self._lease = lease
        self._lock: int | None = None
        self._name = f"job-{lease.job_id}-{hashlib.sha256(of.encode()).hexdigest()[:8]}"
        self.path = root / self._name
        self.keep = False

    def __enter__(self) -> Self:
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._take():
            self.path = self._root / f"{self._name}-{self._lease.token}"
            self._take()
        self.path.mkdir(exist_ok=True, mode=0o700)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)
            self._lock_file.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)

    @property
    def _lock_file(self) -> Path:
        return self.path.with_suffix(".lock")

    def _take(self) -> bool:
        handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        return True
