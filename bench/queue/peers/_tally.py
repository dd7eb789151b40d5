"""What the jobs themselves tell the benchmark: each process counts its starts in a file that others may read at any time.

The same for every peer, so that the time from the first start is taken the same way everywhere. One count is two writes to
mapped memory, about a microsecond.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from pathlib import Path

FOLDER = Path(os.environ.get("BENCH_FOLDER", ""))
LAYOUT = struct.Struct("dQd")
"""When the first job started (monotonic, the same clock in all processes), how many have, and the processor time that the
process had used before."""
_mapped: dict[int, mmap.mmap] = {}
_count = 0
_lock = threading.Lock()
"""Some peers run jobs in threads."""


def started(sent: float = 0.0) -> None:
    """Called by every job first of all. `sent` is when it was enqueued, if its latency is of interest."""
    global _count  # noqa: PLW0603  (a count of this process)
    now = time.monotonic()
    with _lock:
        own = _mapped.get(os.getpid()) or _map(now)
        _count += 1
        struct.pack_into("Q", own, 8, _count)
        if sent:
            with (FOLDER / "latencies").open("a") as file:
                file.write(f"{now - sent}\n")


def _map(now: float) -> mmap.mmap:
    """A worker may fork after this module was imported, so the file is the running process's."""
    global _count  # noqa: PLW0603  (a count of this process)
    _count = 0
    path = FOLDER / f"{os.getpid()}.count"
    path.write_bytes(LAYOUT.pack(now, 0, time.process_time()))
    with path.open("r+b") as file:
        _mapped[os.getpid()] = mmap.mmap(file.fileno(), LAYOUT.size)
    return _mapped[os.getpid()]


def all_started() -> int:
    return sum(count for _, count, _ in read(FOLDER))


def started_in_all_phases() -> int:
    """Each phase has a folder of its own in that of the run."""
    return sum(count for folder in FOLDER.parent.iterdir() if folder.is_dir() for _, count, _ in read(folder))


def first_start() -> float:
    return min(first for first, _, _ in read(FOLDER))


def latencies() -> list[float]:
    try:
        return [float(line) for line in (FOLDER / "latencies").read_text().splitlines()]
    except FileNotFoundError:
        return []


def read(folder: Path) -> list[tuple[float, int, float]]:
    found = []
    for path in folder.glob("*.count"):
        content = path.read_bytes()
        if len(content) == LAYOUT.size:
            found.append(LAYOUT.unpack(content))
    return found
