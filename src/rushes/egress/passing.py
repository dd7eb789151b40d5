"""Passing on what was let through: one plain request with its answer, or the bytes of a tunnel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import h11

from rushes.egress.gate import Target
from rushes.egress.wire import Wire, end_to_end
from rushes.egress.words import Unreachable

BLOCK = 256 * 1024
"""Bytes of a tunnel that are read at once."""


async def forward(request: h11.Request, target: Target, client: Wire, upstream: Wire) -> None:
    """Ask the target what the client asked, and hand back its answer. Neither connection is of use after that.

    Raises:
        Unreachable: there was no answer, or none in HTTP. The client has been told nothing yet.
        h11.ProtocolError, OSError: the answer broke off.
    """
    try:
        answer = await _answer(request, target, client, upstream)
    except (OSError, h11.RemoteProtocolError) as error:
        raise _broken(target, error) from error
    # The reason phrase is ours alone: see `words`.
    headers = [*end_to_end(answer.headers.raw_items()), (b"Connection", b"close")]
    await client.say(h11.Response(status_code=answer.status_code, headers=headers, reason=b""))
    await upstream.pass_body(client)


async def tunnel(client: Wire, upstream: Wire) -> None:
    """Pass bytes in both directions until both have ended, one breaks, or nothing comes for too long."""
    early, _ = client.rules.trailing_data
    await client.say(h11.Response(status_code=200, headers=[], reason=b"Connection established"))
    upstream.writer.write(early)
    clock = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(client.silence) as limit, asyncio.TaskGroup() as both:

            def heard() -> None:
                if not limit.expired():
                    limit.reschedule(clock.time() + client.silence)

            both.create_task(_pump(client.reader, upstream.writer, heard), name="egress, out")
            both.create_task(_pump(upstream.reader, client.writer, heard), name="egress, in")
    except* OSError:
        client.abort()
        upstream.abort()
    await upstream.close()


async def _answer(request: h11.Request, target: Target, client: Wire, upstream: Wire) -> h11.Response:
    host = f"[{target.host}]" if ":" in target.host else target.host
    framing = [(name, value) for name, value in request.headers if name == b"transfer-encoding"]
    headers = [
        (b"Host", f"{host}:{target.port}".removesuffix(":80").encode()),
        *end_to_end(request.headers.raw_items(), b"host", b"expect"),
        *framing,
        (b"Connection", b"close"),
    ]
    await upstream.say(h11.Request(method=request.method, target=target.path, headers=headers))
    await client.pass_body(upstream)
    async with asyncio.timeout(upstream.silence):  # also for one that never comes to its point
        while not isinstance(event := await upstream.hear(), h11.Response):
            if isinstance(event, h11.ConnectionClosed):
                raise h11.RemoteProtocolError("it closed the connection without an answer")
    return event


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Callable[[], None]) -> None:
    while block := await reader.read(BLOCK):
        heard()
        writer.write(block)
        await writer.drain()
    writer.write_eof()


def _broken(target: Target, error: Exception) -> Unreachable:
    if isinstance(error, TimeoutError):
        return Unreachable(f"{target.host} did not answer in time")
    return Unreachable(f"the connection to {target.host} broke: {error}")
