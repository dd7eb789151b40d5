"""Where the benchmark keeps what outlives a run: peers' environments, Redis, the server's data. All may be deleted."""

from __future__ import annotations

import os
import socket
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
ROOT = Path(__file__).resolve().parent.parent.parent


def cache() -> Path:
    """A folder on a real disk: in memory, no commit would cost anything."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "rushes-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
