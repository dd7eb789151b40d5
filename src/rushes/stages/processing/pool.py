"""The connections that a worker has to its processors. They have no bound of their own: the worker's slots are one."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.tracing import Trace

CONNECT_SECONDS = 30.0
"""For a connection and its encryption: thousands that begin at once wait for each other."""
MANY_FILES = 65_536
"""Open files that a worker asks for, as far as it may: a connection is one, and the usual limit is 1,024."""
_KEEP_ALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""An answer may take minutes in which nothing is sent: a dead peer is noticed, and what lies between does not forget us."""


class Pool:
    """Connections, in two generations where the process was moved: answers under way are still waited for on the old."""

    def __init__(self) -> None:
        self._current: Generation | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def enter(self) -> Generation:
        """The connections to ask through; to be left."""
        generation = self._current
        if generation is None:
            generation = self._current = Generation()
        generation.users += 1
        return generation

    def leave(self, generation: Generation) -> None:
        generation.users -= 1
        if not generation.users and generation is not self._current:
            self._retire(generation)

    def renew(self) -> None:
        """Use none of the connections that lie idle now: they may lead nowhere."""
        generation, self._current = self._current, None
        if generation and not generation.users:
            self._retire(generation)

    async def close(self) -> None:
        self.renew()
        await asyncio.gather(*self._closing)

    def _retire(self, generation: Generation) -> None:
        task = asyncio.create_task(generation.session.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class Generation:
    """Connections, and how many use them."""

    def __init__(self) -> None:
        _allow_many_files()
        self._connector = _Connector()
        self.users = 0
        self.session = aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),  # a processor has nothing to remember of us
            # The time of an answer is for whoever asks to limit, with `Deadlines`.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        )

    def is_new_to_me(self) -> bool:
        """Whether this task was given a new connection: only an old one can have been closed because it was idle."""
        return asyncio.current_task() in self._connector.given_new


class _Connector(aiohttp.TCPConnector):
    """Remembers which tasks were given a new connection."""

    def __init__(self) -> None:
        super().__init__(limit=0, socket_factory=_socket)
        self.given_new: WeakSet[asyncio.Task[Any]] = WeakSet()

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        if task := asyncio.current_task():
            self.given_new.add(task)
        return await super()._create_connection(req, traces, timeout)


def _socket(address: Any) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        if hasattr(socket, name):  # not every system has them
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(MANY_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
