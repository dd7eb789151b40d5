"""Where a video can be watched, and at which second: the links of every export.

Addresses come from strangers, so only web addresses and local files become links; whatever else an address says
(`javascript:`, `data:`) is shown as text.
"""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from rushes.batches.export.values import ExportedItem
from rushes.documents import VideoDocument
from rushes.masking import masked

_YOUTUBE = "https://www.youtube.com/watch?v="


def watch(item: ExportedItem, video: VideoDocument | None) -> str | None:
    """Where a person would watch it: its page, its address as given, or its file. None: nowhere that can be linked."""
    site, _, name = item.key.partition(":")
    if site == "youtube" and name:
        return _YOUTUBE + urlencode({"": name})[1:]
    page = web(video.url) if video and video.url else None
    return page or _file(video.path if video else None) or web(item.given)


def web(address: str) -> str | None:
    """The address, if it may become a link: `http` and `https` alone."""
    return masked(address) if _is_link(address) else None


def at(url: str, seconds: float) -> str:
    """The same, from that second on: `&t=83s` at YouTube, elsewhere `#t=83` (W3C Media Fragments, 4.2.1)."""
    second = int(seconds)
    parts = urlsplit(url)
    if (parts.hostname or "") in {"www.youtube.com", "youtube.com", "m.youtube.com", "youtu.be"}:
        query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "t"]
        return urlunsplit(parts._replace(query=urlencode([*query, ("t", f"{second}s")]), fragment=""))
    return urlunsplit(parts._replace(fragment=f"t={second}"))


def _file(path: str | None) -> str | None:
    """A local file's address; it may have been another machine's file, so the path is taken as text."""
    for kind in (PurePosixPath, PureWindowsPath):
        if path and kind(path).is_absolute():
            return kind(path).as_uri()
    return None


def _is_link(address: str) -> bool:
    if any(char.isspace() or ord(char) < 32 for char in address):  # noqa: PLR2004  (control characters)
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
