"""One client's connection: its request is read, its right checked, its target let through or refused, and served."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import h11

from rushes.egress.gate import Gate, Target
from rushes.egress.passing import forward, tunnel
from rushes.egress.targets import target_of
from rushes.egress.wire import Wire, values
from rushes.egress.words import Refused, Unreachable, phrase
from rushes.settings.hosts import IPAddress

MOST_ADDRESSES = 4
"""Of one target that are tried."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, or all together, may take. Seconds, but for the last."""

    head: float = 10
    """For a whole request to come."""
    connect: float = 9
    """To find a target, and again to reach it: together less than the 20 that yt-dlp waits."""
    silence: float = 60
    """Without a byte in either direction."""
    connections: int = 256


Claim = Callable[[str, str], bool]
"""Whether a name and a secret let somebody in. Who is let in is cut off when their right ends."""


class Connection:
    """Serves one request."""

    def __init__(self, client: Wire, gate: Gate, limits: Limits, claim: Claim) -> None:
        self._client = client
        self._gate = gate
        self._limits = limits
        self._claim = claim

    async def serve(self) -> None:
        """Serve it to its end. Raises: h11.ProtocolError, OSError: the connection broke."""
        request = await self._request()
        if request is None:
            return
        if not self._claim(*_credentials(request)):
            await self._answer(407, "", (b"Proxy-Authenticate", b'Basic realm="rushes"'))
            return
        try:
            target = target_of(request)
            upstream = await self._connected(target, await self._gate.addresses(target))
            try:
                await self._serve(request, target, upstream)
            finally:
                upstream.abort()
        except (Refused, Unreachable) as error:
            await self.refuse(error)

    async def refuse(self, error: Refused | Unreachable) -> None:
        """Say why not."""
        await self._answer(error.status, phrase(error))

    async def _request(self) -> h11.Request | None:
        """The request; None if there is none."""
        try:
            async with asyncio.timeout(self._limits.head):
                event = await self._client.hear()
        except h11.RemoteProtocolError as error:
            await self._answer(error.error_status_hint, phrase(Refused(f"no request of HTTP/1.1: {error}")))
            return None
        except TimeoutError:
            await self.refuse(Unreachable("the proxy was asked too slowly"))
            return None
        return event if isinstance(event, h11.Request) else None

    async def _serve(self, request: h11.Request, target: Target, upstream: Wire) -> None:
        if request.method == b"CONNECT":
            await tunnel(self._client, upstream)
        else:
            await forward(request, target, self._client, upstream)

    async def _connected(self, target: Target, addresses: Sequence[IPAddress]) -> Wire:
        """A connection to the first of these addresses that takes one. Raises: Unreachable."""
        tried = addresses[:MOST_ADDRESSES]
        refusals: list[OSError] = []
        for address in tried:
            try:
                async with asyncio.timeout(self._limits.connect / len(tried)):
                    reader, writer = await asyncio.open_connection(str(address), target.port)
            except OSError as error:
                refusals.append(error)
            else:
                return Wire(h11.CLIENT, reader, writer, self._limits.silence)
        raise _out_of_reach(target, refusals[0]) from refusals[0]

    async def _answer(self, status: int, reason: str, *headers: tuple[bytes, bytes]) -> None:
        content = f"{reason}\n".encode()
        framing = [(b"Connection", b"close"), (b"Content-Length", str(len(content)).encode())]
        answer = h11.Response(status_code=status, headers=[*headers, *framing], reason=reason.encode())
        await self._client.say(answer, h11.Data(content), h11.EndOfMessage())


def _out_of_reach(target: Target, error: OSError) -> Unreachable:
    match error:
        case TimeoutError():
            return Unreachable(f"{target.host} did not answer in time")
        case ConnectionRefusedError():
            return Unreachable(f"{target.host}:{target.port} refuses connections")
        case _:
            return Unreachable(f"{target.host} cannot be reached")


def _credentials(request: h11.Request) -> tuple[str, str]:
    """A name and a secret; empty where they are missing or cannot be read (RFC 7617)."""
    given = values(request.headers, b"proxy-authorization")
    scheme, _, coded = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
    if scheme.lower() != b"basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(coded.strip(), validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret
