"""The processor that all ask: it answers each address after the same time, as cheaply as it can, and counts.

python -m bench.process.server SECONDS    prints its port; a GET tells how many addresses were posted, and starts anew
"""

from __future__ import annotations

import asyncio
import gc
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
SAID = b"A sentence of a chapter about the video. " * 5
TEXT = HEAD % len(SAID) + SAID
LENGTH = b"content-length:"


class Processor(asyncio.Protocol):
    """One connection. Requests come one after the other."""

    seconds = 0.0
    posted = 0

    def __init__(self) -> None:
        self._read = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not found:
            return
        if head.startswith(b"GET"):
            self._tell()
            return
        at = head.lower().find(LENGTH) + len(LENGTH)
        if len(body) >= int(head[at:].partition(b"\r\n")[0]):
            assert b'"name"' in body
            self._read = b""
            Processor.posted += 1
            self._loop.call_later(Processor.seconds, self._transport.write, TEXT)

    def _tell(self) -> None:
        self._read = b""
        count = str(Processor.posted).encode()
        self._transport.write(HEAD % len(count) + count)
        Processor.posted = 0


async def main() -> None:
    Processor.seconds = float(sys.argv[1])
    server = await asyncio.get_running_loop().create_server(Processor, "127.0.0.1", 0, backlog=5000)
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    gc.disable()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
