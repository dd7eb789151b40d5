"""Where a request to a proxy wants to go: `CONNECT host:port`, or a whole address (RFC 9112, sections 3.2.2 and 3.2.3)."""

from __future__ import annotations

import re

import h11

from rushes.egress.gate import Target
from rushes.egress.wire import values
from rushes.egress.words import Refused
from rushes.keys import BadAddress
from rushes.keys.addresses import parse

METHODS = frozenset({b"GET", b"HEAD", b"POST"})
"""What a fetch asks of a host over plain HTTP."""
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]/?#@]+\]|[^:\[\]/?#@]+):(?P<port>[0-9]{1,5})")
_ABSOLUTE = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^#]*)")


def target_of(request: h11.Request) -> Target:
    """Read it strictly: what could be understood in two ways is refused.

    Raises:
        Refused: it is no address that a proxy can fetch from.
    """
    wanted = request.target.decode("ascii", "replace")
    if request.method == b"CONNECT":
        return _target("https", wanted)
    if request.method not in METHODS:
        raise Refused(f"{request.method.decode('ascii', 'replace')} is not a way to fetch")
    found = _ABSOLUTE.fullmatch(wanted)
    if not found:
        raise Refused("a proxy is asked for a whole address")
    if len(values(request.headers, b"content-length") + values(request.headers, b"transfer-encoding")) > 1:
        raise Refused("a request has one length")
    scheme, authority, path = found["scheme"].lower(), found["authority"], found["path"]
    if scheme != "http":
        raise Refused(f"only http and https are fetched, not {scheme}")
    ported = authority if _AUTHORITY.fullmatch(authority) else f"{authority}:80"
    return _target(scheme, ported, path if path.startswith("/") else f"/{path}")


def _target(scheme: str, authority: str, path: str = "/") -> Target:
    found = _AUTHORITY.fullmatch(authority)
    if not found:
        raise Refused(f"{authority!r} is no HOST:PORT")
    try:
        host = parse(f"{scheme}://{authority}").host
    except BadAddress as error:
        raise Refused(f"{found['host']}: {error}") from None
    return Target(host.strip("[]"), int(found["port"]), path)
