"""Hosts that items of strangers may be fetched from although they are private or at an unusual port."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Self

from rushes.keys import BadAddress
from rushes.keys.addresses import parse

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Port = int | None
"""None: any."""

_ENTRY = re.compile(r"(?P<host>\[[^\[\]/]+\]|[^:\[\]/?#@\s]+)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """What `RUSHES_ALLOWED_HOSTS` names: hosts by name, and addresses singly or as networks."""

    names: frozenset[tuple[str, Port]] = frozenset()
    networks: tuple[tuple[IPNetwork, Port], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `HOST`, `HOST:PORT` and networks (`10.0.0.0/8`, `fd12::/16`), separated by commas.

        Raises:
            ValueError: an entry is none of these; the message names it.
        """
        names: set[tuple[str, Port]] = set()
        networks: list[tuple[IPNetwork, Port]] = []
        for entry in filter(None, (part.strip() for part in text.split(","))):
            found = _network(entry) or _host(entry)
            if isinstance(found[0], str):
                names.add((found[0], found[1]))
            else:
                networks.append((found[0], found[1]))
        return cls(frozenset(names), tuple(networks))

    def lets(self, host: str, port: int, address: IPAddress) -> bool:
        """Whether that port of a host is allowed, by its name or by the address that it was found at."""
        if not self.names.isdisjoint({(host, port), (host, None)}):
            return True
        return any(address in network and allowed in {port, None} for network, allowed in self.networks)


def _network(entry: str) -> tuple[IPNetwork, Port] | None:
    """An entry that is a network, or an address without a port."""
    try:
        return ipaddress.ip_network(entry), None
    except ValueError as error:
        if "/" in entry:
            raise ValueError(f"{entry!r}: {error}") from None
        return None


def _host(entry: str) -> tuple[str | IPNetwork, Port]:
    found = _ENTRY.fullmatch(entry)
    port = int(found["port"]) if found and found["port"] else None
    try:
        host = parse(f"http://{entry}").host.strip("[]") if found else ""
    except BadAddress:
        host = ""
    if not host:
        raise ValueError(f"{entry!r} is no HOST, HOST:PORT or network")
    try:
        return ipaddress.ip_network(host), port
    except ValueError:
        return host, port
