"""What may be fetched from: a target's name is resolved once, and every address that it has must be one that may be."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from rushes.egress.addresses import is_own, is_private, is_public, judged, unmapped
from rushes.egress.words import Refused, Unreachable
from rushes.settings.hosts import AllowedHosts, IPAddress

PORTS = frozenset({80, 443, 8080, 8443})
"""Where web servers listen. At others there are mail, databases and consoles, which are not for strangers to talk to."""
METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
"""Names under which clouds tell a machine its secrets."""

Resolve = Callable[[str, int], Awaitable[Sequence[IPAddress]]]
"""From a host's name to its addresses. Raises: OSError."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes."""

    host: str
    """A name in lower case, or an address without brackets."""
    port: int
    path: str = "/"
    """What the host is asked for."""


class Gate:
    """Turns targets into addresses to connect to."""

    def __init__(self, allowed: AllowedHosts, resolve: Resolve, *, within: float) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._within = within

    async def addresses(self, target: Target) -> Sequence[IPAddress]:
        """Where the target may be reached, in the order to try.

        One address that may not be refuses all: who mixes them means the one that is not for strangers.

        Raises:
            Refused: nothing is fetched from there.
            Unreachable: the name has no address.
        """
        if target.host in METADATA_NAMES:
            raise _not_public(target, target.host)
        found = [unmapped(address) for address in await self._found(target)]
        for address in found:
            self._check(target, address)
        return found

    async def _found(self, target: Target) -> Sequence[IPAddress]:
        try:
            return [ip_address(target.host)]
        except ValueError:
            pass
        try:
            async with asyncio.timeout(self._within):
                found = await self._resolve(target.host, target.port)
        except OSError as error:
            raise Unreachable(f"{target.host} was not found (DNS)") from error
        if not found:
            raise Unreachable(f"{target.host} was not found (DNS)")
        return found

    def _check(self, target: Target, address: IPAddress) -> None:
        end = judged(address)
        allowed = self._allowed.lets(target.host, target.port, end)
        if not is_public(end) and not (allowed and is_private(end)):
            raise _not_public(target, str(address))
        if allowed:
            return
        if is_own(address):
            raise Refused(f"{target.host}: this address is this machine's own ({address})")
        if target.port not in PORTS:
            raise Refused(f"{target.host}: nothing is fetched from port {target.port} for others")


async def resolve(host: str, port: int) -> Sequence[IPAddress]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(one[4][0]) for one in found))


def _not_public(target: Target, where: str) -> Refused:
    return Refused(f"{target.host}: this address is not public ({where})")
