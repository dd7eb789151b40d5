"""How the embedded server is set up, and what its own words mean when it cannot start."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "unix_socket_permissions": "0700",
    # In files of its own folder: /dev/shm is tiny in a container, and systemd empties it when its user logs out.
    "dynamic_shared_memory_type": "mmap",
    # No three processes that read ahead: the tables are small, and a laptop has better use for the memory.
    "io_method": "sync",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %a ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""Written to postgresql.conf when the cluster is made; its owner may change them. fsync and synchronous_commit stay on."""
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
REMEDIES = (
    (r"No space left|Disk quota", "Free some disk space, then run the same command again."),
    (r"shared memory|semaphore|shmget|semget",
     "This system gives PostgreSQL no shared memory; allow it more, or set RUSHES_DATABASE_URL to a PostgreSQL elsewhere."),
    (r"Read-only file system|Permission denied",
     "The folder must be writable: choose another with RUSHES_HOME, or set RUSHES_DATABASE_URL."),
    (r"Operation not permitted|Invalid argument",
     "Here root may not act as another user, and PostgreSQL refuses root: be an ordinary user, or set RUSHES_DATABASE_URL."),
    (r"lock file .* already exists", "A server started by hand uses this folder: stop it, or choose another RUSHES_HOME."),
    (r"invalid magic number|checksum|PANIC|corrupt",
     "The data look damaged: restore a backup (`rushes db restore FILE`) into another RUSHES_HOME."),
)  # fmt: skip
OTHERWISE = "Set RUSHES_HOME to another folder, or RUSHES_DATABASE_URL to a PostgreSQL of your own."


def initdb_arguments(data: Path, user: str) -> list[str]:
    """UTF-8, one collation on every machine, no password: the socket lies in a folder that only its owner may enter."""
    settings = [part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")]
    return [
        "--pgdata", str(data), "--username", user, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8",
        "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions", "--no-sync", *settings,
    ]  # fmt: skip


def sync_arguments(data: Path) -> list[str]:
    """Put a new cluster on the disk once, when all of it is there: a file at a time takes longer than making it."""
    method = ["--sync-method", "syncfs"] if sys.platform == "linux" else []
    return ["--pgdata", str(data), "--sync-only", *method]


def server_environment() -> dict[str, str]:
    """The environment of the server's processes: they outlive us, and have no use for our secrets."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"LC_ALL": "C.UTF-8"}


def essence(words: str) -> str:
    """The line that says what went wrong, of all that a failing server says."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL|PANIC|[Ee]rror|could not", line)]
    return (telling or lines or [""])[-1]


def explain_failure(words: str) -> str:
    """What the reader can do about a server that does not start."""
    return next((remedy for pattern, remedy in REMEDIES if re.search(pattern, words)), OTHERWISE)
