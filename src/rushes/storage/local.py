"""Artifacts in a folder.

A name is never written twice: it contains the job and the attempt that made it, so whoever lost their lease cannot
overwrite what another made. A file counts from the moment a settled row names it; until then nobody looks at it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from rushes.errors import UsageError
from rushes.model import Artifact


def digest(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class LocalStorage:
    """Artifacts below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, file: Path, name: str) -> tuple[int, str]:
        """Move a file in under `name`, durably. Returns its size in bytes and its SHA-256.

        Raises: OSError, such as a full disk; then nothing stands under that name.
        """
        target = self._locate(name)
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.parent.mkdir(parents=True, exist_ok=True)
        size, sha256 = file.stat().st_size, digest(file)
        partial = target.with_name(target.name + ".part")
        try:
            _move(file, partial)
            _sync(partial)
            partial.replace(target)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        _sync(target.parent)
        return size, sha256

    def path(self, artifact: Artifact) -> Path:
        """Where an artifact lies on this machine."""
        if artifact.metadata.get("in_place"):
            return Path(artifact.name)
        return self._locate(artifact.name)

    def intact(self, artifact: Artifact) -> bool:
        """Whether an artifact is there and is what it was when it was made.

        A file of the user's own, which stays where it lies, is known by size and time of change; everything else by
        its hash.
        """
        path = self.path(artifact)
        try:
            facts = path.stat()
            if facts.st_size != artifact.size:
                return False
            if artifact.metadata.get("in_place"):
                return bool(facts.st_mtime_ns == artifact.metadata.get("mtime_ns"))
            return digest(path) == artifact.sha256
        except OSError:
            return False

    def _locate(self, name: str) -> Path:
        path = self._root / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise UsageError(f"{name!r} is no name in storage")
        return path


def _move(file: Path, target: Path) -> None:
    try:
        file.replace(target)
    except OSError:
        shutil.copyfile(file, target)  # another file system
        file.unlink()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
