"""Web addresses, checked, and the normal form under which two spellings are known as one.

No network and no extractor: this runs once for each line of lists with a million of them. What it takes away from an
address is only what says who shared it or who signed it, never what says which video it is.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import parse_qsl, quote, urlencode

from rushes.errors import UsageError

LIMIT = 8192
"""Characters in an address: long enough for signed ones, short enough for every server."""

_PARTS = re.compile(r"(?:([a-z][a-z0-9+.-]*):)?//([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.IGNORECASE)
"""RFC 3986, appendix B. Our own since `urlsplit` takes most of the time of a long list."""
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_UNWRITTEN = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# fmt: off
_TRACKING = frozenset(
    {
        "_ga", "_gl", "_hsenc", "_hsmi", "dclid", "fbclid", "gbraid", "gclid", "gclsrc", "igsh", "igshid",
        "li_fat_id", "mc_cid", "mc_eid", "mkt_tok", "msclkid", "oly_anon_id", "oly_enc_id", "ref_src", "si",
        "srsltid", "ttclid", "twclid", "vero_id", "wbraid", "wickedid", "yclid",
    }
)
# fmt: on
# A signature made anew is still the same file: S3 and Google Cloud Storage name theirs by these prefixes.
_TRACKING_PREFIXES = ("utm_", "x-amz-", "x-goog-")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN = re.compile(r"[A-Za-z0-9_/~-]*(?:\.[A-Za-z0-9_~-][A-Za-z0-9_/~-]*)*")
"""A path that is in normal form as it stands."""
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")


class BadAddress(UsageError, ValueError):
    """A text is no address that videos come from; the message says why, without repeating it."""


@dataclass(frozen=True, slots=True)
class Address:
    """A checked web address in parts. The origin (scheme, host, port) is in normal form, the others as written."""

    host: str
    origin: str
    path: str
    query: str
    fragment: str

    @property
    def parameters(self) -> dict[str, str]:
        """The query's names with their first values."""
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True))) if self.query else {}


def parse(text: str) -> Address:
    """Take a web address apart.

    Raises:
        BadAddress: it is no `http` or `https` address, or one that nothing could be fetched from.
    """
    _refuse_unwritten(text)
    found = _PARTS.fullmatch(text)
    if not found:
        raise BadAddress("not a web address: it does not start with https://")
    scheme, authority, path, query, fragment = found.groups(default="")
    host, origin = _origin(scheme.lower(), authority.rpartition("@")[2])
    if "\\" in authority:
        _refuse_host(authority.rpartition("@")[2])
    return Address(host, origin, path, query, fragment)


def normalized(address: Address) -> str:
    """The one spelling of an address: no user info, no default port, no tracking, names of the query in order.

    Escapes follow RFC 3986, section 6.2.2. A fragment is dropped unless it is a route (`#/…`, `#!…`), which on a page
    made by scripts says what is shown.
    """
    query = _query(address.query) if address.query else ""
    fragment = _escaped(address.fragment) if address.fragment.startswith(("/", "!")) else ""
    return f"{address.origin}{normal_path(address)}{'?' if query else ''}{query}{'#' if fragment else ''}{fragment}"


def normal_path(address: Address) -> str:
    """The path with escapes and dots resolved."""
    path = address.path or "/"
    return path if _PLAIN.fullmatch(path) else _without_dots(_escaped(path))


def _refuse_unwritten(text: str) -> None:
    if len(text) > LIMIT:
        raise BadAddress(f"an address of {len(text):,} characters; the limit is {LIMIT:,}")
    odd = _UNWRITTEN.search(text)
    if odd and odd[0] == " ":
        raise BadAddress("an address has no spaces: write one address a line, and %20 for a space in it")
    if odd:
        raise BadAddress(f"an address has no such character: U+{ord(odd[0]):04X}")


@functools.lru_cache(maxsize=4096)
def _origin(scheme: str, authority: str) -> tuple[str, str]:
    """The host, and the origin in normal form. Lists name few hosts many times."""
    if scheme not in _DEFAULT_PORTS:
        raise BadAddress(_wrong_scheme(scheme))
    found = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?", authority)
    if not found:
        _refuse_host(authority)
    host, port = _host(found[1]), (found[2] or "").lstrip("0")
    if found[2] and not 0 < int(port or 0) < 65536:  # noqa: PLR2004  (ports have 16 bits)
        raise BadAddress(f"not a web address: there is no port {found[2]}")
    return host, f"{scheme}://{host}" if port in {"", _DEFAULT_PORTS[scheme]} else f"{scheme}://{host}:{port}"


def _wrong_scheme(scheme: str) -> str:
    if scheme == "file":
        return "not a web address: give a file by its path, without file:"
    return f"not a web address: only http and https are fetched, not {scheme or 'nothing'}"


def _host(host: str) -> str:
    if host.startswith("["):
        return f"[{_ipv6(host)}]"
    name = (host.lower() if host.isascii() else _international(host)).removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):  # noqa: PLR2004  (RFC 1035, section 3.1)
        _refuse_host(host)
    # What ends in a number is an IPv4 address or nothing (WHATWG URL, 3.5): 0x7f.1 must not pass for a name.
    return _ipv4(name) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name


def _ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host[1:-1])
    except ValueError:
        _refuse_host(host)
    return address.compressed if address.scope_id is None else _refuse_host(host)


def _ipv4(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        _refuse_host(host)


def _refuse_host(host: str) -> NoReturn:
    raise BadAddress(f"not a web address: {host!r} is no host" if host else "not a web address: it names no host")


def _international(host: str) -> str:
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        _refuse_host(host)


def _escaped(text: str) -> str:
    if "%" in text:
        text = _ESCAPE.sub(_escape, text)
    return quote(text, safe="%/:@!$&'()*+,;=~-._?")


def _escape(found: re.Match[str]) -> str:
    if not found[1]:
        return "%25"
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4."""
    if "/." not in path:
        return path
    kept: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    if parts[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _query(query: str) -> str:
    # Read and written as latin-1, escaped bytes that are no UTF-8 stay the bytes they were.
    plain = query if query.isascii() else quote(query, safe="%&=+")
    pairs = parse_qsl(plain, keep_blank_values=True, encoding="latin-1")
    kept = [pair for pair in pairs if not _is_tracking(pair[0].lower())]
    # By name alone: the order of values under one name may matter.
    return urlencode(sorted(kept, key=lambda pair: pair[0]), encoding="latin-1")


@functools.lru_cache(maxsize=4096)
def _is_tracking(name: str) -> bool:
    return name in _TRACKING or name.startswith(_TRACKING_PREFIXES)
