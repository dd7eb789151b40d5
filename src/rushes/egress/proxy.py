"""The proxy of one worker: who may use it, for how long, and how many connections there are at once."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import h11

from rushes.egress.connection import Connection, Limits
from rushes.egress.gate import Gate, Resolve, resolve
from rushes.egress.wire import Wire
from rushes.egress.words import Unreachable
from rushes.errors import NeedsInput, Scope
from rushes.settings import Settings
from rushes.settings.hosts import AllowedHosts

Task = asyncio.Task[None]
LIMITS = Limits()


@dataclass(slots=True)
class _Pass:
    """A right to use the proxy: that of one fetch."""

    secret: str
    connections: set[Task] = field(default_factory=set)


class Egress:
    """A service of the worker's (`Context.service`). It listens on loopback from when it is first needed.

    Each fetch has a secret of its own, which is no longer good when the fetch has ended: others on this machine can
    find the port, but what they may reach is none of this worker's business.
    """

    def __init__(self, settings: Settings, *, resolve: Resolve = resolve, limits: Limits = LIMITS) -> None:
        """Raises: NeedsInput: downloads are to go through a proxy of the operator's, which would look up names itself."""
        if settings.proxy:
            raise NeedsInput(
                "fetching for others does not go through RUSHES_PROXY: a proxy looks up names itself, past what is checked",
                remedy="Unset RUSHES_PROXY for this worker.",
                scope=Scope.ENVIRONMENT,
            )
        self._limits = limits
        self._gate = Gate(AllowedHosts.parse(settings.allowed_hosts), resolve, within=limits.connect)
        self._server: asyncio.Server | None = None
        self._starting = asyncio.Lock()
        self._passes: dict[str, _Pass] = {}
        self._connections: set[Task] = set()

    @contextlib.asynccontextmanager
    async def admitted(self) -> AsyncIterator[str]:
        """The proxy's address with the right to use it. When the context ends, what still goes through it is cut off."""
        port = await self._port()
        name, entry = secrets.token_hex(8), _Pass(secrets.token_urlsafe(32))
        self._passes[name] = entry
        try:
            yield f"http://{name}:{entry.secret}@127.0.0.1:{port}"
        finally:
            del self._passes[name]
            await _cut_off(entry.connections)

    async def close(self) -> None:
        """Listen no more, and cut off what is open."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await _cut_off(self._connections)

    async def _port(self) -> int:
        async with self._starting:
            if self._server is None:
                self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="egress")
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        client = Wire(h11.SERVER, reader, writer, self._limits.silence)
        connection = Connection(client, self._gate, self._limits, lambda name, secret: self._claim(task, name, secret))
        try:
            if len(self._connections) > self._limits.connections:
                await connection.refuse(Unreachable("there are too many connections at once"))
            else:
                await connection.serve()
            await client.take_leave()
        except (h11.ProtocolError, OSError):
            await client.break_off()
        except BaseException:
            client.abort()
            raise

    def _claim(self, task: Task, name: str, secret: str) -> bool:
        entry = self._passes.get(name)
        if not hmac.compare_digest(secret, entry.secret if entry else "") or entry is None:
            return False
        entry.connections.add(task)
        task.add_done_callback(entry.connections.discard)
        return True


async def _cut_off(connections: set[Task]) -> None:
    tasks = list(connections)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
