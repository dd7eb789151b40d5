"""A PostgreSQL of the benchmark's own, made of the embedded server's programs, with TCP on loopback for every peer.

One server and one set of settings for all. Each run of a peer gets a new database, so that nobody meets another's rows, and
the counters of that database are the peer's alone.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench._programs import family, processor_seconds
from bench.queue.places import cache, free_port
from rushes.database.binaries import Programs, newest_programs
from rushes.database.cluster import PRIVATE, Cluster, open_folder, settle_cluster
from rushes.database.embedded import readable_programs
from rushes.database.startup import initdb_arguments, server_environment

SETTINGS = {
    # What counts: a commit is on the disk when it returns.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # No checkpoint falls into one run and not into another's; the runner makes one before each run.
    "checkpoint_timeout": "1h",
    "max_wal_size": "8GB",
    "shared_buffers": "512MB",
}
USER = "bench"


@dataclass(frozen=True, slots=True)
class Counters:
    """What the server has done so far for one database."""

    wal: int
    """Bytes, of the whole server: nobody else uses it."""
    commits: int
    cpu: float
    """Seconds of all the server's processes, of the whole server as well."""
    dead: int
    """Rows that wait to be vacuumed."""

    def __sub__(self, earlier: Counters) -> Counters:
        return Counters(self.wal - earlier.wal, self.commits - earlier.commits, self.cpu - earlier.cpu, self.dead)


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int
    log: Path

    def dsn(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    async def connect(self, database: str = "postgres") -> asyncpg.Connection:
        return await asyncpg.connect(self.dsn(database))

    @contextlib.asynccontextmanager
    async def database(self, name: str) -> AsyncIterator[str]:
        """A new database, gone afterwards. Yields its DSN."""
        connection = await self.connect()
        try:
            await connection.execute(f"drop database if exists {name} with (force)")
            await connection.execute(f"create database {name}")
            await connection.execute("checkpoint")
            yield self.dsn(name)
        finally:
            await connection.execute(f"drop database if exists {name} with (force)")
            await connection.close()

    async def counters(self, database: str) -> Counters:
        """Read when the database's users are gone: a session hands in its counters when it ends."""
        connection = await self.connect()
        try:
            await _until_alone(connection, database)
            wal = await connection.fetchval("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
            commits = await connection.fetchval("select xact_commit from pg_stat_database where datname = $1", database)
        finally:
            await connection.close()
        own = await self.connect(database)
        try:
            dead = await own.fetchval("select coalesce(sum(n_dead_tup), 0)::bigint from pg_stat_user_tables")
        finally:
            await own.close()
        return Counters(wal, commits, processor_seconds(family(self.pid)), dead)


async def _until_alone(connection: asyncpg.Connection, database: str) -> None:
    others = "select count(*) from pg_stat_activity where datname = $1 and backend_type = 'client backend'"
    deadline = time.monotonic() + 15
    while await connection.fetchval(others, database):
        if time.monotonic() > deadline:
            raise RuntimeError(f"somebody is still connected to {database}: a driver did not end")
        await connection.execute("select pg_sleep(0.02)")


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """Make a cluster on the cache's disk, run it, and remove it."""
    home = Path(tempfile.mkdtemp(prefix="postgres-", dir=cache()))
    cluster = settle_cluster(home)
    open_folder(cluster)
    programs = readable_programs(newest_programs(), cluster)
    cluster.data.mkdir(mode=PRIVATE)
    cluster.account.own(cluster.data)
    try:
        _run(programs, cluster, "initdb", *initdb_arguments(cluster.data, USER))
        port = free_port()
        given = {**SETTINGS, "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        log = cluster.data / "server.log"
        _run(programs, cluster, "pg_ctl", "start", "-w", "-s", "-D", str(cluster.data), "-l", str(log), "-o", options)
        try:
            yield Server(port, int(cluster.pid_file.read_text().split()[0]), log)
        finally:
            _run(programs, cluster, "pg_ctl", "stop", "-w", "-s", "-m", "fast", "-D", str(cluster.data))
    finally:
        shutil.rmtree(cluster.folder, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def _run(programs: Programs, cluster: Cluster, name: str, *arguments: str) -> None:
    # Not captured: the server would inherit the pipe, and reading it would never end.
    subprocess.run(
        [programs.program(name), *arguments], check=True, cwd="/", env=server_environment(), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **cluster.account.popen(),
    )  # fmt: skip
