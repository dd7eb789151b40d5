"""Who is at work: each process has a row, fresh at every start, by which another of the same host can tell that it died."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.model import WorkerId

if TYPE_CHECKING:
    from asyncpg import Record

    from rushes.queue.connection import Connection


async def enter(connection: Connection) -> WorkerId:
    """Make this process's row."""
    return WorkerId(
        await connection.fetchval(
            "insert into rushes.workers (host, boot, pid, process_started) values ($1, $2, $3, $4) returning id",
            socket.gethostname(), _boot(), os.getpid(), _started(os.getpid()) or 0.0,
        )
    )  # fmt: skip


async def leave(connection: Connection, worker: WorkerId) -> None:
    await connection.execute("update rushes.workers set stopped_at = now() where id = $1", worker)


async def find_dead(connection: Connection) -> list[WorkerId]:
    """Processes of this machine that have not left and cannot be alive: another boot, or no such process any more.

    Other machines may bear the same name, and containers may share one: theirs cannot be seen from here, and are left to
    their leases.
    """
    rows = await connection.fetch(
        "select id, boot, pid, process_started from rushes.workers where host = $1 and stopped_at is null",
        socket.gethostname(),
    )
    return [WorkerId(row["id"]) for row in rows if _is_dead(row)]


def _is_dead(row: Record) -> bool:
    machine, boot, room = _parts(_boot())
    its_machine, its_boot, its_room = _parts(row["boot"])
    if its_machine != machine:
        return False
    if its_boot != boot:
        return True
    started: float = row["process_started"]
    return its_room == room and _started(row["pid"]) != started


def _parts(boot: str) -> tuple[str, str, str]:
    machine, _, rest = boot.partition("/")
    boot, _, room = rest.partition("/")
    return machine, boot, room


def _boot() -> str:
    """Machine, boot, and the namespace in which process ids count, with `/` between; empty where unknown."""
    return "/".join((
        _line("/etc/machine-id"), _line("/proc/sys/kernel/random/boot_id"), _link("/proc/self/ns/pid"),
    ))  # fmt: skip


def _line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115  (it leads to no path)
    except OSError:
        return ""


def _started(pid: int) -> float | None:
    """When a process started, in clock ticks since boot (proc(5), field 22 of stat); None if there is no such process.

    Where there is no /proc it is 0 for every living process, and a process id used again passes for its predecessor:
    its leases then come back when they expire.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else _alive(pid)
    except OSError:
        return None
    return float(stat.rpartition(")")[2].split()[19])


def _alive(pid: int) -> float | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return 0.0
    return 0.0
