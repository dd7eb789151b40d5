"""Keys of local files: `file:SHA256` of the content, so that a file is the same video wherever it lies.

Reading a large file takes seconds, so its hash is remembered under its path, size and time of change.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Protocol

from rushes.errors import UsageError
from rushes.model import Source, VideoKey


class FileKeys(Protocol):
    """Remembers files' hashes, so that a file is read through only once while it stays as it is."""

    def get(self, path: Path, size: int, mtime_ns: int) -> str | None:
        """The SHA-256 of that file as it was with this size (bytes) and time of change (nanoseconds)."""

    def put(self, path: Path, size: int, mtime_ns: int, sha256: str) -> None: ...


class FileKeysInMemory:
    """For as long as this object lives."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int, int], str] = {}

    def get(self, path: Path, size: int, mtime_ns: int) -> str | None:
        return self._known.get((path, size, mtime_ns))

    def put(self, path: Path, size: int, mtime_ns: int, sha256: str) -> None:
        self._known[path, size, mtime_ns] = sha256


class FileKeysOnDisk:
    """For every later run too: one small file for each hashed one, so nothing is loaded and nobody needs a lock."""

    def __init__(self, folder: Path, *, writable: bool = True) -> None:
        self._folder = folder
        self._writable = writable

    def get(self, path: Path, size: int, mtime_ns: int) -> str | None:
        try:
            noted = self._note(path).read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            return None
        return noted[2] if noted[:2] == [str(size), str(mtime_ns)] and len(noted) == 3 else None  # noqa: PLR2004  (size, time, key)

    def put(self, path: Path, size: int, mtime_ns: int, sha256: str) -> None:
        if not self._writable:
            return
        note = self._note(path)
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = note.with_name(f"{note.name}.{os.getpid()}")
        partial.write_text(f"{size} {mtime_ns} {sha256}\n", encoding="ascii")
        partial.replace(note)

    def _note(self, path: Path) -> Path:
        name = hashlib.sha256(os.fsencode(path)).hexdigest()
        return self._folder / name[:2] / name[2:]


def file_source(path: Path, files: FileKeys) -> Source:
    """What a local file is: its content's hash, and its absolute path.

    Raises:
        UsageError: it is missing, empty, unreadable or no file; the message says which, without naming it.
    """
    place = Path(os.path.abspath(path))  # noqa: PTH100  (symlinks and their names are the user's)
    try:
        str(place).encode()
    except UnicodeEncodeError:
        raise UsageError("its name is not UTF-8: rename it") from None
    try:
        return Source(VideoKey("file:" + _content(place, files)), str(place))
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror or error}") from None


def _content(path: Path, files: FileKeys) -> str:
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):
        raise UsageError("a folder, not a file" if stat.S_ISDIR(state.st_mode) else "not a regular file")
    if state.st_size == 0:
        raise UsageError("the file is empty")
    known = files.get(path, state.st_size, state.st_mtime_ns)
    if known and os.access(path, os.R_OK):
        return known
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        after = os.fstat(stream.fileno())
    if (after.st_size, after.st_mtime_ns) != (state.st_size, state.st_mtime_ns):
        raise UsageError("the file is still being written")
    files.put(path, state.st_size, state.st_mtime_ns, digest)
    return digest
