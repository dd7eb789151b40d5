"""Folders for data folders of the tests' own, and when a server has left one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rushes.database.cluster import find_cluster
from rushes.locks import open_lock, try_lock


def passable() -> Path:
    """A folder that any user may pass through, as they may not through pytest's own; in memory where there is room."""
    memory = Path("/dev/shm")  # noqa: S108  (the name is made afresh)
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 4_000_000_000
    path = Path(tempfile.mkdtemp(prefix="rushes-test-", dir=memory if roomy else None))
    path.chmod(0o755)
    return path


@contextlib.contextmanager
def home_of_a_server() -> Iterator[Path]:
    """A data folder, removed when whatever server ran in it has stopped."""
    top = passable()
    yield top / "home"
    wait_until_stopped(top / "home")
    shutil.rmtree(top)


def wait_until_stopped(home: Path) -> None:
    assert eventually(lambda: stopped(home)), f"the server of {home} still runs"


def stopped(home: Path) -> bool:
    """Whether no process of the data folder's server lives."""
    cluster = find_cluster(home)
    if cluster is None:
        return True
    server = open_lock(cluster.lock("server"))
    try:
        return try_lock(server)
    finally:
        os.close(server)


def eventually(condition: Callable[[], bool], within: float = 30) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
