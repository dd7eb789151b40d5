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
    return _lane_of_host(urlsplit(source.location).hostname)


def lane_named(text: str) -> str | None:
    """The lane that a person means by an address, a host or a name of their own; None if it is none of these."""
    if "://" in text:
        return _lane_of_host(urlsplit(text).hostname)
    name = text.strip()
    return _lane_of_host(name.lower()) if "." in name else name or None


def _lane_of_host(host: str | None) -> str | None:
    host = (host or "").removeprefix("www.")
    for service, others in _SERVICES.items():
        if any(host == name or host.endswith("." + name) for name in (service, *others)):
            return service
    return host or None
