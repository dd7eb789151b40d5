"""Which addresses are public: by the registries of special addresses (IANA, RFC 6890), and by what clouds add to them.

The tables are ours because those of Python's `ipaddress` differ from version to version.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, ip_network

from rushes.settings.hosts import IPAddress, IPNetwork


def _networks(*texts: str) -> tuple[IPNetwork, ...]:
    return tuple(map(ip_network, texts))


# fmt: off
PRIVATE = _networks(
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15",
    "::1/128", "fc00::/7",
)
"""Where an operator may have hosts of their own: private, shared by a carrier, loopback, benchmarks."""
METADATA = _networks(
    "168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128", "fd20:ce::254/128",
)
"""Where Azure, Alibaba, Amazon and Google tell a machine its secrets, beside the link-local 169.254.169.254 of them all."""
RESERVED = _networks(
    "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)
"""Where no host is: this network, link-local, protocols (Teredo among them), documentation, 6to4, multicast, the future."""
# fmt: on
_HOSTS = ip_network("2000::/3")
"""All of IPv6 that is given to hosts so far."""
_MAPPED, _TRANSLATED = _networks("::ffff:0:0/96", "64:ff9b::/96")
"""IPv6 forms of IPv4 addresses that lead to these: of the socket interface, and of NAT64 (RFC 6052)."""
_ANY_PORT = 9


def unmapped(address: IPAddress) -> IPAddress:
    """The same address, not in the form in which a socket of IPv6 speaks IPv4."""
    return _last_four_bytes(address) if address in _MAPPED else address


def judged(address: IPAddress) -> IPAddress:
    """The address that it leads to in the end, which is the one to judge."""
    return _last_four_bytes(address) if address in _MAPPED or address in _TRANSLATED else address


def is_private(address: IPAddress) -> bool:
    """Whether an operator may have hosts of their own there. `address` is a judged one, as for all of these."""
    return _within(address, PRIVATE) and not _within(address, METADATA)


def is_public(address: IPAddress) -> bool:
    """Whether everybody reaches the same host there."""
    assigned = isinstance(address, IPv4Address) or address in _HOSTS
    return assigned and not any(_within(address, special) for special in (PRIVATE, METADATA, RESERVED))


def is_own(address: IPAddress) -> bool:
    """Whether it is an address of this machine: what listens here behind a firewall is not for strangers.

    Asks the routing table from which address it would be reached; nothing is sent.
    """
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((str(address), _ANY_PORT))
            return bool(asking.getsockname()[0] == str(address))
    except OSError:
        return False  # no way leads there


def _last_four_bytes(address: IPAddress) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)


def _within(address: IPAddress, networks: tuple[IPNetwork, ...]) -> bool:
    return any(address in network for network in networks)
