"""Proxies, hosts on loopback that answer what they are told to, names that change, and a context to fetch for others in."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rushes.egress.connection import Limits
from rushes.egress.proxy import Egress
from rushes.model import Source, Trust, VideoKey
from rushes.settings import Settings
from rushes.settings.hosts import IPAddress
from tests.stages_download.conftest import Desk, Site, ffmpeg, media, site  # noqa: F401  (fixtures)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass
class Origin:
    """A host that sends the same bytes to whoever asks, and remembers what it was asked."""

    answer: bytes = OK
    holds: bool = False
    """After its answer it says nothing more, but stays."""
    asked: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heard = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(heard)
            writer.write(self.answer)
            await writer.drain()
            if self.holds:
                await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def origin() -> AsyncIterator[Callable[..., Awaitable[Origin]]]:
    """Start a host: `await origin(answer=b"…", host="127.0.0.2")`."""
    servers: list[asyncio.Server] = []

    async def start(*, host: str = "127.0.0.1", port: int = 0, **told: Any) -> Origin:
        made = Origin(**told)
        server = await asyncio.start_server(made.serve, host, port)
        servers.append(server)
        made.port = server.sockets[0].getsockname()[1]
        return made

    yield start
    for server in servers:
        server.close()


class Names:
    """A resolver whose names change: each time one is looked up it has the next of its answers, and the last for good."""

    def __init__(self, **names: Sequence[Sequence[str]]) -> None:
        self._names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[IPAddress]:
        self.asked.append(host)
        answers = self._names.get(host)
        if not answers:
            raise OSError("no such name")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(text) for text in found]


@dataclass(frozen=True)
class Answer:
    """What a proxy answered."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def read(cls, raw: bytes) -> Answer:
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        _, status, reason = first.split(" ", 2)
        headers = dict(line.lower().split(": ", 1) for line in rest)
        return cls(int(status), reason, headers, body)


@dataclass(frozen=True)
class Client:
    """Speaks to a proxy byte by byte."""

    url: str

    @property
    def right(self) -> str:
        """The header that lets it in."""
        parts = urlsplit(self.url)
        coded = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        return f"Proxy-Authorization: Basic {coded}\r\n"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.url)
        return await asyncio.open_connection(parts.hostname, parts.port)

    async def send(self, raw: bytes) -> bytes:
        """Send these bytes, and read to the end."""
        reader, writer = await self.connect()
        try:
            writer.write(raw)
            return await reader.read()
        finally:
            writer.close()

    async def ask(self, line: str, *headers: str, body: bytes = b"") -> Answer:
        """Send one request: `ask("GET http://…")`."""
        lines = "".join(f"{header}\r\n" for header in headers)
        return Answer.read(await self.send(f"{line} HTTP/1.1\r\nHost: x\r\n{self.right}{lines}\r\n".encode() + body))

    async def tunnel(self, authority: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A tunnel, open."""
        reader, writer = await self.connect()
        writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{self.right}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        return reader, writer


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Callable[..., Egress]]:
    """Make a proxy: `proxy(allowed="127.0.0.1", resolve=Names(…), silence=0.2)`."""
    made: list[Egress] = []

    def make(allowed: str = "", **given: Any) -> Egress:
        resolve = {"resolve": given.pop("resolve")} if "resolve" in given else {}
        home = Settings(home=tmp_path / "home", allowed_hosts=allowed)
        made.append(Egress(home, limits=Limits(**given), **resolve))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture
async def client(proxy: Callable[..., Egress]) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """A client that is let into a proxy of its own: `await client(allowed="127.0.0.1")`."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(allowed: str = "", **given: Any) -> Client:
            return Client(await stack.enter_async_context(proxy(allowed, **given).admitted()))

        yield make


@dataclass
class OthersDesk(Desk):
    """A context for a run on a stranger's item."""

    trust: Trust = Trust.UNTRUSTED
    egress: Egress | None = None

    def service(self, make: Any) -> Any:
        assert make is Egress
        self.egress = self.egress or Egress(self.settings)
        return self.egress


@pytest.fixture
async def others(tmp_path: Path, site: Site) -> AsyncIterator[Callable[..., OthersDesk]]:  # noqa: F811  (a fixture)
    """Make a context: `others(address, wanted={"audio"}, allowed="")`. By default the site is allowed, and nothing else."""
    made: list[OthersDesk] = []

    def make(location: str, *, allowed: str | None = None, wanted: Any = ("audio",), **given: Any) -> OthersDesk:
        settings = Settings(
            home=tmp_path / "home",
            allowed_hosts=f"127.0.0.1:{site.server_port}" if allowed is None else allowed,
            cookies=given.pop("cookies", None),
        )
        source = Source(VideoKey("url:test"), location, given.pop("collection", False))
        scratch = tmp_path / f"scratch-{len(made)}"
        made.append(OthersDesk(source, scratch, settings, wanted=frozenset(wanted), **given))
        return made[-1]

    yield make
    for one in made:
        if one.egress:
            await one.egress.close()
