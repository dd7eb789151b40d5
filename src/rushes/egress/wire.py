"""One side of an exchange in HTTP/1.1: h11's rules over a connection, with limits on its size and its silences.

h11 reads strictly and writes anew what it has read, so that nothing passes that two servers could read in two ways.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import h11

HEAD = 64 * 1024
"""Bytes of a request's or an answer's head, and what is read at once, so that none is longer."""
LINGER = 2.0
"""Seconds in which a client may take an answer and go."""
_OF_ONE_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
        b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
"""Fields that are between neighbours (RFC 9110, section 7.6.1)."""

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Wire:
    """A connection, and which side of it this is: `h11.SERVER` or `h11.CLIENT`."""

    role: type[h11.CLIENT | h11.SERVER]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    silence: float
    """Seconds in which the other side must send, or take what it is sent."""
    rules: h11.Connection = field(init=False)

    def __post_init__(self) -> None:
        self.rules = h11.Connection(self.role, max_incomplete_event_size=HEAD)

    async def hear(self) -> Any:
        """The next event.

        Raises:
            h11.RemoteProtocolError: what came is not HTTP/1.1, or too large.
            OSError: the connection broke, or was silent for too long.
        """
        while (event := self.rules.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(self.silence):
                self.rules.receive_data(await self.reader.read(HEAD))
        return event

    async def say(self, *events: Any) -> None:
        """Send events. Raises: OSError."""
        for event in events:
            self.writer.write(self.rules.send(event) or b"")
        async with asyncio.timeout(self.silence):
            await self.writer.drain()

    async def pass_body(self, other: Wire) -> None:
        """Hear the rest of a message, and say it to the other side."""
        while isinstance(event := await self.hear(), h11.Data):
            await other.say(h11.Data(event.data))
        await other.say(h11.EndOfMessage())

    def abort(self) -> None:
        """End it at once."""
        self.writer.transport.abort()

    async def close(self) -> None:
        """End it when all that was said is sent."""
        self.writer.close()
        try:
            async with asyncio.timeout(self.silence):
                await self.writer.wait_closed()
        except OSError:
            self.abort()

    async def break_off(self) -> None:
        """End it in the middle of an answer: what came is kept by who can tell that it is not all, and lost to others."""
        if self.rules.their_http_version == b"1.1":
            await self.close()
        else:
            self.abort()

    async def take_leave(self) -> None:
        """End it when all that was said is taken: what still comes in would undo that (RFC 9112, section 9.6)."""
        with contextlib.suppress(OSError):
            async with asyncio.timeout(LINGER):
                self.writer.write_eof()
                while await self.reader.read(HEAD):
                    pass
        await self.close()


def end_to_end(headers: Iterable[tuple[bytes, bytes]], *beside: bytes) -> Headers:
    """The fields that go on to the next hop, spelt as they came, without those in `beside`."""
    headers = list(headers)
    named = {name.strip().lower() for value in values(headers, b"connection") for name in value.split(b",")}
    dropped = _OF_ONE_HOP | named | set(beside)
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """A field's values, as often as it is there. The name is in lower case."""
    return [value for field, value in headers if field.lower() == name]
