"""How a failed fetch is told: in plain words, on one line, without yt-dlp's advice for its own command line or secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rushes.masking import masked
from rushes.shortening import shortened

_READ = 4000
"""Characters of them that are looked at."""
_ADVICE = re.compile(r"\s*(;?\s*please report this issue|\(?caused by |Use --|See\s+https?:|You might want to use a VPN|"
    r"For more information|Confirm you are on the latest).*", re.IGNORECASE | re.DOTALL)  # fmt: skip
_PREFIX = re.compile(r"^(\x1b\[[0-9;]*m|\s|ERROR:|\[[\w:+.-]+\]|Got error:)*")
_PEER = re.compile(r"host='(?P<host>[^']+)', port=(?P<port>\d+)")


def plain(message: str) -> str:
    """A message of yt-dlp's without its prefixes, its advice for its own command line, and secrets; one line."""
    text = _ADVICE.sub("", _PREFIX.sub("", message[:_READ]))
    text = " ".join(masked(text).split()).rstrip(". ;,")
    return shortened(text)


def broken(text: str, host: str) -> str:
    """A broken connection in words. The peer may be another host than the page's."""
    peer = _PEER.search(text)
    host = peer["host"] if peer else host
    if re.search(
        r"failed to resolve|name or service not known|name resolution|nodename nor servname", text, re.IGNORECASE
    ):
        return f"{host} was not found (DNS)"
    if re.search(r"refused", text, re.IGNORECASE):
        return f"{host}{':' + peer['port'] if peer else ''} refuses connections"
    if re.search(r"unreachable|no route", text, re.IGNORECASE):
        return f"{host} cannot be reached"
    if re.search(r"timed out|timeout", text, re.IGNORECASE):
        return f"{host} did not answer in time"
    return f"the connection to {host} broke: {plain(text)}"


def elsewhere(countries: Iterable[str]) -> str:
    """That a video is not for this country, and for which it is (ISO 3166 codes)."""
    from yt_dlp.utils import ISO3166Utils

    named = ", ".join(ISO3166Utils.short2full(code) or code for code in countries)
    return f"it is not available from this country{f'; it is in {named}' if named else ''}"
