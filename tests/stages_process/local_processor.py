"""A processor on loopback that answers as it is told, and behaves as badly as it is told, address by address."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Visit:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """Parsed, if it is JSON; else as text."""
    connection: int

    @property
    def address(self) -> str:
        return str(self.body["name"]) if isinstance(self.body, dict) and "name" in self.body else ""


@dataclass
class Talk:
    """A request and the way back to whoever made it."""

    site: LocalProcessor
    visit: Visit
    writer: asyncio.StreamWriter

    async def raw(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def answer(self, body: str | bytes, status: int = 200, **headers: str) -> None:
        content = body.encode() if isinstance(body, str) else body
        told = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(content))}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        await self.raw(f"HTTP/1.1 {status} Told\r\n{head}\r\n".encode() + content)

    def cut(self) -> None:
        """Close the connection as it is."""
        self.writer.close()


Way = Callable[[Talk], Awaitable[None]]


async def usual(talk: Talk) -> None:
    await talk.answer(f"about {talk.visit.address}")


@dataclass
class LocalProcessor:
    """Runs in a thread of its own. `ways` says how to answer each address, `paths` each path; else as usual."""

    ways: dict[str, Way] = field(default_factory=dict)
    paths: dict[str, Way] = field(default_factory=dict)
    otherwise: Way = usual
    visits: list[Visit] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/process"

    def posts(self) -> Counter[str]:
        """How often each address was posted."""
        return Counter(visit.address for visit in self.visits if visit.address)

    def start(self) -> None:
        """Listen: at first anywhere, later where it was before."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()

    def stop(self) -> None:
        """Refuse connections from now on, and cut those there are."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1000, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        for writer in list(self._open):
            writer.close()
        while self._open:
            await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self._open.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while not writer.is_closing():
                    visit = await _read(reader, number)
                    self.visits.append(visit)
                    way = self.ways.get(visit.address) or self.paths.get(visit.path) or self.otherwise
                    await way(Talk(self, visit, writer))
        finally:
            writer.close()
            self._open.discard(writer)


async def _read(reader: asyncio.StreamReader, connection: int) -> Visit:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    is_json = headers.get("content-type") == "application/json"
    return Visit(method, path, headers, json.loads(body) if is_json and body else body.decode(), connection)
