"""Our own supervisor of the embedded PostgreSQL: make it, start it, share it, stop it with its last user.

Four locks in the cluster's folder carry all of it, and each is given back by the kernel however its holder ended:

    users    shared, by every process that uses the server; alone, by the keeper that stops it (keeper.py)
    start    alone, by the one process that looks whether the server runs, and starts it
    keeper   alone, by the keeper: there is one
    server   alone, inherited by every process of the server: it is free exactly if none of them lives

So a `postmaster.pid` left behind by a crash, or naming a pid that is another process by now, never misleads us.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from rushes.database import keeper
from rushes.database.accounts import may_read, myself
from rushes.database.binaries import Programs, copy_programs, find_programs
from rushes.database.cluster import PRIVATE, SOCKET, Cluster, make_run_folder, open_folder, settle_cluster
from rushes.database.startup import essence, explain_failure, initdb_arguments, server_environment, sync_arguments
from rushes.errors import DatabaseError
from rushes.locks import POLL, holding, open_lock, try_lock, wait_lock

USER = DATABASE = "rushes"
READY_WITHIN = 120.0
"""Seconds for a start, with recovery after a crash. A clean start takes a twentieth of one."""
LOG_LIMIT = 4 * 1024 * 1024
"""Bytes of the server's log beyond which the next start begins a new one, keeping the last."""


@dataclass(slots=True)
class EmbeddedServer:
    """The server of one data folder, used by this process from `join` to `leave`. The methods block."""

    cluster: Cluster
    programs: Programs
    _users: int | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where it listens, for psql as well."""
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self.cluster.run), safe='/')}&port=5432"

    def join(self) -> None:
        """Become a user of the server, and start it if nobody has.

        Raises:
            DatabaseError: it cannot be made or started.
        """
        waiting = "the embedded PostgreSQL to finish stopping"
        try:
            self._users = wait_lock(self.cluster.lock("users"), shared=True, within=READY_WITHIN, waiting_for=waiting)
            self.ensure_running()
        except OSError as error:
            self.leave()
            raise self._cannot(error) from error
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Stop using it. The keeper stops the server if this was the last user."""
        if self._users is not None:
            with contextlib.suppress(OSError):  # the folder was deleted: PostgreSQL notices, and ends by itself
                self._ensure_kept()  # had somebody killed the keeper, the server would stay for ever
            os.close(self._users)
            self._users = None

    def ensure_running(self) -> None:
        """Start the server unless it answers: it may never have run, or may have died since. Raises: DatabaseError."""
        try:
            with holding(
                self.cluster.lock("start"), within=READY_WITHIN, waiting_for="another process starting PostgreSQL"
            ):
                self._ensure_kept()
                self._ensure_answers()
        except OSError as error:
            raise self._cannot(error) from error

    def _ensure_answers(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        started = False
        while True:
            lives = self._start_unless_alive(again=started)
            started = started or not lives
            if lives and answers(self.cluster):
                return
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"The embedded PostgreSQL in {self.cluster.folder} runs, but gave no answer in {READY_WITHIN:.0f} s.",
                    remedy=f"Its log is {self.cluster.log}. If another machine runs it on this folder, stop it there.",
                )
            time.sleep(POLL)

    def _start_unless_alive(self, *, again: bool) -> bool:
        server = open_lock(self.cluster.lock("server"))
        try:
            if not try_lock(server):
                return True
            if again:
                raise self._failure("ended as soon as it had started", tail(self.cluster.log))
            self._start(server)
            return False
        finally:
            os.close(server)

    def _start(self, server: int) -> None:
        """Start PostgreSQL in a session of its own, with the lock that says it lives."""
        open_folder(self.cluster)
        self.programs = readable_programs(self.programs, self.cluster)
        if self.cluster.major is None:
            self._create()
        run = make_run_folder(self.cluster)
        _clear_stale_locks(self.cluster)
        _begin_log(self.cluster.log)
        options = f"-c listen_addresses='' -c unix_socket_directories={shlex.quote(str(run))}"
        self._run("pg_ctl", "start", "--no-wait", "--silent", "--pgdata", str(self.cluster.data),
                  "--log", str(self.cluster.log), "--options", options, inherit=(server,))  # fmt: skip

    def _create(self) -> None:
        """Make the cluster beside its place and move it there whole, so that a killed start leaves nothing half-made."""
        part = self.cluster.folder / "data.part"
        if part.exists():
            shutil.rmtree(part)
        part.mkdir(mode=PRIVATE)
        try:
            self.cluster.account.own(part)
            self._run("initdb", *initdb_arguments(part, USER))
            self._run("postgres", "--single", "-F", "-D", str(part), "postgres", say=f"create database {DATABASE}\n")
            self._run("initdb", *sync_arguments(part))
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)  # the disk may be full: leave it no fuller
            raise
        part.rename(self.cluster.data)

    def _run(self, name: str, *arguments: str, inherit: tuple[int, ...] = (), say: str = "") -> None:
        result = subprocess.run(
            [self.programs.program(name), *arguments], input=say, capture_output=True, text=True, check=False,
            cwd="/", env=server_environment(), pass_fds=inherit, start_new_session=True, **self.cluster.account.popen(),
        )  # fmt: skip
        if result.returncode != 0:
            raise self._failure(f"{name} failed with {result.returncode}", result.stderr or result.stdout)

    def _cannot(self, error: OSError) -> DatabaseError:
        return DatabaseError(
            f"The embedded PostgreSQL in {self.cluster.folder} cannot start: {error}",
            remedy=explain_failure(str(error)),
        )

    def _failure(self, what: str, words: str) -> DatabaseError:
        return DatabaseError(
            f"The embedded PostgreSQL in {self.cluster.folder} cannot start: {what}. {essence(words)}",
            remedy=explain_failure(words),
        )

    def _ensure_kept(self) -> None:
        """Start the keeper unless there is one. It is handed its lock, so two of us never start two."""
        lock = open_lock(self.cluster.lock("keeper"))
        if try_lock(lock):
            self._start_keeper(lock)
        os.close(lock)

    def _start_keeper(self, lock: int) -> None:
        users, server = open_lock(self.cluster.lock("users")), open_lock(self.cluster.lock("server"))
        account = self.cluster.account
        arguments = [users, lock, server, self.cluster.pid_file, account.uid, account.gid]
        # The shell puts it into the background and ends, so that it is no child of ours to be waited for.
        subprocess.run(
            ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "-I", "-S", keeper.__file__, *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
            cwd="/", env=server_environment(), pass_fds=(users, lock, server), start_new_session=True,
        )  # fmt: skip
        os.close(users)
        os.close(server)


def embedded_server(home: Path) -> EmbeddedServer:
    """The server of a data folder, not yet running.

    Raises:
        UsageError: the package with PostgreSQL is not installed.
        DatabaseError: the folder cannot be used, or its data were made by a PostgreSQL that is not installed.
    """
    available = find_programs()
    cluster = settle_cluster(home)
    made_by = cluster.major or max(available)
    if made_by not in available:
        raise DatabaseError(
            f"The database in {cluster.folder} was made by PostgreSQL {made_by}; installed is {max(available)}.",
            remedy=f"With the version of Rushes that made it: `rushes db backup FILE`. Then move {cluster.folder} away, "
            "and with this version: `rushes db restore FILE`.",
        )
    return EmbeddedServer(cluster, available[made_by])


def readable_programs(programs: Programs, cluster: Cluster) -> Programs:
    """The programs where the server's user can run them. Called under the cluster's lock, while no server runs."""
    samples = (programs.root / "bin" / "postgres", programs.root / "share" / "postgresql" / "postgres.bki")
    if cluster.account == myself() or all(may_read(sample, cluster.account) for sample in samples):
        return programs
    return copy_programs(programs, cluster.folder)


def answers(cluster: Cluster) -> bool:
    """Whether a server says it is ready, and accepts a connection."""
    try:
        said = cluster.pid_file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    if len(said) < 8 or said[7].strip() != "ready":  # noqa: PLR2004  (the eighth line: server/utils/pidfile.h)
        return False
    with socket.socket(socket.AF_UNIX) as trial:
        return trial.connect_ex(str(cluster.run / SOCKET)) == 0


def tail(log: Path, size: int = 4096) -> str:
    """The end of the server's log."""
    try:
        return log.read_bytes()[-size:].decode(errors="replace")
    except OSError:
        return ""


def _clear_stale_locks(cluster: Cluster) -> None:
    """Remove the lock files of a server of ours that is dead, unless a server started by hand uses this folder.

    Left alone, PostgreSQL refuses to start while any process, even a zombie, has the pid they name; in a container, whose
    pids begin anew with each start, that is the rule.
    """
    if os.fsencode(cluster.data) in _command_line(_pid_in(cluster.pid_file)):
        return
    for path in (cluster.pid_file, cluster.run / SOCKET, cluster.run / f"{SOCKET}.lock"):
        path.unlink(missing_ok=True)


def _pid_in(file: Path) -> int:
    try:
        return int(file.read_text(encoding="utf-8").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def _begin_log(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
