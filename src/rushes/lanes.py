"""Lanes: which limits a source shares with others. A lane is a host, and the many names of one service are one lane."""

from __future__ import annotations

from urllib.parse import urlsplit

from rushes.model import Source

_SERVICES = {
    "youtube.com": ("youtu.be", "youtube-nocookie.com", "googlevideo.com"),
    "vimeo.com": ("vimeocdn.com",),
}


def lane_of(source: Source) -> str | None:
    """The host whose limits this source shares, in lower case without `www.`; None for a file of this machine."""
    host = (urlsplit(source.location).hostname or "").removeprefix("www.")
    for service, others in _SERVICES.items():
        if any(host == name or host.endswith("." + name) for name in (service, *others)):
            return service
    return host or None
