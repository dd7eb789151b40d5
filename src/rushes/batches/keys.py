"""Canonical keys: under which name a video is known, however it is written and wherever it lies.

`youtube:ID` by our own rule, `url:SHA1` of the normal form of any other address, `file:SHA256` of a file's content.
No network and no yt-dlp: the extractor's own id joins as an alias once the video is fetched.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from typing import NoReturn, Protocol

from rushes.batches import youtube
from rushes.batches.addresses import Address, BadAddress, masked, normalized, parse
from rushes.errors import UsageError
from rushes.model import Source, VideoKey

__all__ = [
    "BadAddress",
    "FileKeys",
    "FileKeysInMemory",
    "FileKeysOnDisk",
    "file_source",
    "is_address",
    "masked",
    "url_source",
]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PREFIX = re.compile(r"(?:feed|list):(?=\S)", re.IGNORECASE)
_LISTING_NAMES = (".rss", ".atom", ".xml")
_LISTING_STEPS = frozenset({"feed", "rss"})


def is_address(text: str) -> bool:
    """Whether a text is meant as an address rather than as a path. A bare YouTube id is neither for certain."""
    return bool(_SCHEME.match(text) or _PREFIX.match(text))


def url_source(text: str) -> Source:
    """What an address points at.

    Args:
        text: an `http` or `https` address; a YouTube address also without its scheme; a YouTube video's id; or an address
            after `feed:` or `list:`, which says that it stands for many videos where that cannot be seen.

    Raises:
        BadAddress: it is none of these, or of a form that cannot be right; the message says which.
    """
    known = youtube.quick(text)
    if known:
        return known
    if text.startswith(("https://", "http://")):
        return _read(text, as_list=False)
    if youtube.is_id(text):
        return youtube.video(text)
    location, as_list = _without_prefix(text)
    return _read(f"https://{location}" if youtube.is_schemeless(location) else location, as_list=as_list)


def _read(location: str, *, as_list: bool) -> Source:
    address = parse(location)
    if not youtube.is_host(address.host):
        return _plain(address, location, as_list=as_list)
    found = youtube.read(address, as_list=as_list)
    if isinstance(found, Source):
        return _refuse_single(found) if as_list else found
    return _listed(normalized(parse(found))) if found else _plain(address, location, as_list=as_list)


def _without_prefix(text: str) -> tuple[str, bool]:
    found = _PREFIX.match(text)
    if not found:
        return text, False
    rest = text[found.end() :]
    return (f"https:{rest}" if rest.startswith("//") else rest), True


def _refuse_single(source: Source) -> NoReturn:
    raise BadAddress(f"one video, not a list of them: {source.location}")


def _listed(location: str) -> Source:
    return Source(_url_key(location), location, collection=True)


def _plain(address: Address, location: str, *, as_list: bool) -> Source:
    """Fetched as it was written, since a signature may cover every character; known by its normal form."""
    return Source(_url_key(normalized(address)), location, collection=as_list or _is_listing(address.path))


def _url_key(normal: str) -> VideoKey:
    return VideoKey("url:" + hashlib.sha1(normal.encode(), usedforsecurity=False).hexdigest())


def _is_listing(path: str) -> bool:
    steps = path.lower().split("/")
    return steps[-1].endswith(_LISTING_NAMES) or not _LISTING_STEPS.isdisjoint(steps)


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
        return noted[2] if noted[:2] == [str(size), str(mtime_ns)] and len(noted) == 3 else None  # noqa: PLR2004

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
