"""Where the embedded server lives on disk, and whose it is.

    RUSHES_HOME/postgresql/      ours: lock files, and
        data/                    the server's: its data, 0700
        run                      its socket's folder, or a link to a short one
        programs-18.4/           only where the server's user may not read the package

As root the server runs under another user, which must be able to reach `data`. Where it cannot (a data folder under
`/root`), the whole folder lives in `/var/lib/rushes/clusters/` and a file `postgresql.at` in RUSHES_HOME points there. No
permission of a folder that we did not make is changed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rushes.database.accounts import Account, may_reach, myself, owner, service_account
from rushes.errors import DatabaseError
from rushes.locks import holding
from rushes.settings import make_home

SHARED = Path("/var/lib/rushes")
"""Root's own data folder, and where it keeps the clusters of data folders that its service user cannot reach."""
PRIVATE, PASSABLE = 0o700, 0o711
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET = 100
"""Bytes of a socket's path: the limit is 107 on Linux and 103 on macOS."""
HOW_ELSE = "Choose another data folder with RUSHES_HOME, or set RUSHES_DATABASE_URL to a PostgreSQL of your own."


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server's folder, and the user that its processes run as."""

    folder: Path
    account: Account

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def run(self) -> Path:
        """The socket's folder, with its short path."""
        path = self.folder / "run"
        return path.readlink() if path.is_symlink() else path

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def major(self) -> int | None:
        """The PostgreSQL that made it, or None before there is one."""
        try:
            return int((self.data / "PG_VERSION").read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def lock(self, name: str) -> Path:
        return self.folder / f"{name}.lock"


def find_cluster(home: Path) -> Cluster | None:
    """The cluster of a data folder, if it has one. Changes nothing."""
    folder = _existing(home)
    return Cluster(folder, _account(folder)) if folder else None


def settle_cluster(home: Path) -> Cluster:
    """The cluster of a data folder: where it is, or the place for a new one.

    Raises:
        DatabaseError: the place is not writable, or belongs to somebody else.
    """
    try:
        folder = _existing(home) or _new(home)
        _refuse_strangers(folder)
        return Cluster(folder, _account(folder))
    except OSError as error:
        raise DatabaseError(f"No database can be kept in {home}: {error}", remedy=HOW_ELSE) from error


def open_folder(cluster: Cluster) -> None:
    """Let the server's user pass through our own folder. Called under the cluster's lock."""
    if cluster.account != myself() and owner(cluster.folder) == myself():
        cluster.folder.chmod(PASSABLE)
    if not may_reach(cluster.folder, cluster.account):
        raise DatabaseError(
            f"PostgreSQL runs as the user {cluster.account.name!r}, who may not enter {cluster.folder}.",
            remedy=f"Let that user pass (chmod o+x) through each folder on the way. {HOW_ELSE}",
        )


def make_run_folder(cluster: Cluster) -> Path:
    """A private folder for the socket, with a short path. Called under the cluster's lock, while no server runs."""
    path = cluster.folder / "run"
    if len(os.fsencode(path / SOCKET)) <= LONGEST_SOCKET:
        if not path.is_dir():
            path.mkdir(mode=PRIVATE)
            cluster.account.own(path)
        return path
    if path.is_symlink():
        with contextlib.suppress(OSError):
            # Empty after a clean stop. If not, it may be in use by the folder that this one is a copy of.
            path.readlink().rmdir()
        path.unlink()
    short = Path(tempfile.mkdtemp(prefix="rushes-", dir="/tmp"))  # made afresh and private, never a known name
    cluster.account.own(short)
    path.symlink_to(short)
    return short


def _pointer(home: Path) -> Path:
    return home / "postgresql.at"


def _existing(home: Path) -> Path | None:
    if (home / "postgresql").is_dir():
        return home / "postgresql"
    try:
        folder = Path(_pointer(home).read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None
    if not folder.is_dir():
        raise DatabaseError(
            f"The database of {home} was in {folder}, which is not there.",
            remedy=f"Bring it back, or delete {_pointer(home)} to begin with an empty one.",
        )
    return folder


def _new(home: Path) -> Path:
    make_home(home)
    account = _server_of(home)
    if not may_reach(home, account):
        return _elsewhere(home)
    folder = home / "postgresql"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE)
        owner(home).own(folder)  # root at work in another user's data folder leaves that user's files behind
    return folder


def _elsewhere(home: Path) -> Path:
    """A new folder below `/var/lib/rushes`, named in `home`."""
    make_home(SHARED)
    clusters = SHARED / "clusters"
    with contextlib.suppress(FileExistsError):
        clusters.mkdir()
        clusters.chmod(PASSABLE)
    with holding(clusters / "new.lock", within=60, waiting_for="another process that makes a database"):
        if folder := _existing(home):
            return folder
        folder = Path(tempfile.mkdtemp(prefix="", dir=clusters))
        (folder / "home").write_text(f"{home}\n", encoding="utf-8")  # for whoever wonders whose it is
        part = _pointer(home).with_suffix(".part")
        part.write_text(f"{folder}\n", encoding="utf-8")
        part.rename(_pointer(home))
        return folder


def _server_of(folder: Path) -> Account:
    """Whose processes the server's are, by the owner of a folder: root's are the service user's."""
    found = owner(folder)
    if os.geteuid() != 0:
        return myself()
    return found if found.uid else service_account()


def _account(folder: Path) -> Account:
    data = folder / "data"
    return _server_of(data if os.geteuid() == 0 and data.is_dir() else folder)


def _refuse_strangers(folder: Path) -> None:
    found = owner(folder)
    if os.geteuid() not in (0, found.uid):
        raise DatabaseError(f"The database in {folder} belongs to the user {found.name!r}.", remedy=HOW_ELSE)
