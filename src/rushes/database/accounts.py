"""Whose processes the server's are. PostgreSQL refuses to run as root, so root lends it an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rushes.errors import DatabaseError

SERVICE = "rushes"


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group of this machine, by number."""

    uid: int
    gid: int

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def popen(self) -> dict[str, Any]:
        """What `subprocess` needs to run a program as this user. Nothing, if we are it."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give this user a new file or folder of ours."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def myself() -> Account:
    return Account(os.geteuid(), os.getegid())


def owner(path: Path) -> Account:
    found = path.stat()
    return Account(found.st_uid, found.st_gid)


def service_account() -> Account:
    """The user that root runs the server as: `rushes`, made if this machine has the tool, else `nobody`.

    Raises:
        DatabaseError: there is none of them.
    """
    if not _known(SERVICE) and (tool := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")):
        # Two of us may try at once, and a read-only system refuses: what counts is whether it is there afterwards.
        subprocess.run(
            [tool, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
             "--shell", "/usr/sbin/nologin", SERVICE],
            capture_output=True, check=False,
        )  # fmt: skip
    account = _known(SERVICE) or _known("nobody")
    if account is None:
        raise DatabaseError(
            "PostgreSQL does not run as root, and there is no user to run it as.",
            remedy="Add a user named 'rushes', run as an ordinary user, or set RUSHES_DATABASE_URL.",
        )
    return account


def may_reach(path: Path, account: Account) -> bool:
    """Whether the user may enter every folder on the way to `path`, and `path` too if it is one."""
    whole = path.resolve()
    folders = (whole, *whole.parents) if whole.is_dir() else whole.parents
    return all(_may(folder, account, stat.S_IXOTH) for folder in folders)


def may_read(path: Path, account: Account) -> bool:
    """Whether the user may get at a file and read it."""
    return may_reach(path, account) and _may(path, account, stat.S_IROTH)


def _may(path: Path, account: Account, wanted: int) -> bool:
    found = path.stat()
    if found.st_uid == account.uid:
        wanted <<= 6
    elif found.st_gid == account.gid:
        wanted <<= 3
    return bool(found.st_mode & wanted)


def _known(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid) if entry.pw_uid else None
