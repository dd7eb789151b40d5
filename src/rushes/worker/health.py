"""Whether a worker lives and whether it is ready, for a platform's probes.

`/health` answers 200 as long as the process lives. `/health/ready` answers 503 with the reason while it takes no work: it
starts or stops, or its source cannot be reached. Nothing that is told here is anybody's secret, for anybody may ask.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any

from rushes.errors import SettingsError

HOST = "0.0.0.0"  # noqa: S104  (a platform's probe comes from outside the container)
HEAD_BYTES = 8192
WITHIN = 5.0
"""Seconds that a prober has for its request and for taking the answer."""


@contextlib.asynccontextmanager
async def answering_probes(port: int | None, unready: Callable[[], str | None]) -> AsyncIterator[None]:
    """Answer probes at that port while the context lasts; None: at none. `unready` says why the worker takes no work.

    Raises:
        SettingsError: the port cannot be listened at.
    """
    if port is None:
        yield
        return

    asking: set[asyncio.Task[None]] = set()

    def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_serve(reader, writer, unready), name="probe")
        asking.add(task)
        task.add_done_callback(asking.discard)

    try:
        server = await asyncio.start_server(asked, HOST, port, limit=HEAD_BYTES)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SettingsError(f"RUSHES_HEALTH_PORT (or HEALTH_CHECK_PORT): {port} cannot be used: {reason}") from error
    try:
        yield
    finally:
        server.close()
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, unready: Callable[[], str | None]) -> None:
    """Answer one request, and hang up."""
    nonsense = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
    try:
        with contextlib.suppress(*nonsense):
            async with asyncio.timeout(WITHIN):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, unready()))
                await writer.drain()
    finally:
        writer.close()


def _answer(head: bytes, unready: str | None) -> bytes:
    method, _, rest = head.partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0]
    if method not in (b"GET", b"HEAD"):
        return _response(HTTPStatus.METHOD_NOT_ALLOWED, {"status": "wrong method"}, body=True)
    return _response(*_state(path, unready), body=method == b"GET")


def _state(path: bytes, unready: str | None) -> tuple[HTTPStatus, dict[str, Any]]:
    if path == b"/health":
        return HTTPStatus.OK, {"status": "alive"}
    if path != b"/health/ready":
        return HTTPStatus.NOT_FOUND, {"status": "unknown", "known": ["/health", "/health/ready"]}
    if unready:
        return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "not_ready", "reason": unready}
    return HTTPStatus.OK, {"status": "ready"}


def _response(status: HTTPStatus, told: dict[str, Any], *, body: bool) -> bytes:
    content = json.dumps(told).encode()
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (content if body else b"")
