"""File locks (`flock`): the kernel gives them back when their holder ends, however it ended.

A lock belongs to the open file, so a child that inherits the descriptor holds it too. That is how we know whether any
process of a server still lives: they all inherit one lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from rushes.errors import DatabaseError

POLL = 0.005
"""Seconds between two tries. A blocking `flock` could be neither bounded nor interrupted in a thread."""


def open_lock(path: Path) -> int:
    """A descriptor of a lock file, made if missing. What root makes in another user's folder is that user's."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    folder = path.parent.stat()
    if folder.st_uid not in (os.geteuid(), os.fstat(descriptor).st_uid):
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock if it is free."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_lock(path: Path, *, shared: bool = False, within: float, waiting_for: str) -> int:
    """The locked descriptor. Raises: DatabaseError, if somebody holds it for longer than `within` seconds."""
    descriptor = open_lock(path)
    deadline = time.monotonic() + within
    while not try_lock(descriptor, shared=shared):
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise DatabaseError(
                f"Waited {within:.0f} s for {waiting_for} ({path}).",
                remedy="Another process holds that file; if it hangs, end it: fuser -v " + str(path),
            )
        time.sleep(POLL)
    return descriptor


@contextlib.contextmanager
def holding(path: Path, *, within: float, waiting_for: str) -> Iterator[None]:
    """Hold a lock alone."""
    descriptor = wait_lock(path, within=within, waiting_for=waiting_for)
    try:
        yield
    finally:
        os.close(descriptor)


def holders(path: Path) -> list[int]:
    """The processes that hold a lock on `path`, where the system tells (Linux)."""
    try:
        table, inode = Path("/proc/locks").read_text(encoding="ascii"), path.stat().st_ino
    except OSError:
        return []
    rows = [line.split() for line in table.splitlines() if " -> " not in line]
    return sorted({int(row[4]) for row in rows if row[1] == "FLOCK" and row[5].endswith(f":{inode}")})
