"""Who may use the proxy, for how long, and how much of it."""

from __future__ import annotations

import asyncio
import base64

import pytest

from rushes.egress.proxy import Egress
from rushes.errors import NeedsInput, Scope
from rushes.settings import Settings

from .conftest import Client

LOOPBACK = "127.0.0.1"


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize("way", ["GET http://127.0.0.1:{}/", "CONNECT 127.0.0.1:{}"])
@pytest.mark.parametrize(
    "right",
    ["", basic("name:wrong"), basic(":"), basic("name"), basic("nobody:secret"), "Bearer secret", "Basic ***",
     "Basic /w==", "Basic"],
)  # fmt: skip
async def test_nobody_uses_it_without_a_secret_of_its_own(client, origin, way: str, right: str):
    host = await origin()
    speaker = await client(LOOPBACK)
    name = speaker.url.split("//")[1].split(":")[0]
    given = right.replace(basic("name:wrong"), basic(f"{name}:wrong")).replace(basic("name"), basic(name))
    header = f"Proxy-Authorization: {given}\r\n" if given else ""
    raw = await speaker.send(f"{way.format(host.port)} HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode())
    assert raw.startswith(b"HTTP/1.1 407 ")
    assert host.asked == []


async def test_two_rights_at_once_are_none(client, origin):
    host = await origin()
    speaker = await client(LOOPBACK)
    assert (await speaker.ask(f"GET {host.address}/", f"Proxy-Authorization: {basic('a:b')}")).status == 407


async def test_each_fetch_has_a_secret_that_ends_with_it(proxy, origin):
    host = await origin(holds=True)
    egress = proxy(LOOPBACK)
    async with egress.admitted() as longer:
        async with egress.admitted() as url:
            assert url != longer
            ended = Client(url)
            reader, writer = await ended.tunnel(f"127.0.0.1:{host.port}")
        assert await _rest(reader) == b""  # what still went through it was cut off
        writer.close()
        assert (await ended.ask(f"GET {host.address}/")).status == 407
        reader, writer = await Client(longer).tunnel(f"127.0.0.1:{host.port}")
        writer.close()


async def test_it_ends_with_its_worker(proxy, origin):
    host = await origin(holds=True)
    egress = proxy(LOOPBACK)
    async with egress.admitted() as url:
        reader, writer = await Client(url).tunnel(f"127.0.0.1:{host.port}")
        await egress.close()
        assert await _rest(reader) == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await Client(url).connect()


async def test_a_head_that_comes_too_slowly_is_given_up(client):
    speaker = await client(LOOPBACK, head=0.1)
    assert b"the proxy was asked too slowly" in await speaker.send(b"GET http://127.0.0.1/ HTTP/1.1\r\nX: ")


async def test_a_head_that_is_too_large_is_refused(client):
    speaker = await client(LOOPBACK)
    raw = f"GET http://127.0.0.1/ HTTP/1.1\r\n{speaker.right}X: {'x' * 200_000}"
    assert (await speaker.send(raw.encode())).startswith(b"HTTP/1.1 431 ")


async def test_a_host_that_says_nothing_is_given_up(client, origin):
    host = await origin(answer=b"", holds=True)
    answer = await (await client(LOOPBACK, silence=0.5)).ask(f"GET {host.address}/")
    assert answer.reason == "egress failed: 127.0.0.1 did not answer in time;"


async def test_a_host_that_never_comes_to_its_point_is_given_up(client):
    async def hint(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            while True:
                writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0)
        except OSError:
            writer.close()

    async with await asyncio.start_server(hint, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await (await client(LOOPBACK, silence=0.5)).ask(f"GET http://127.0.0.1:{port}/")
    assert answer.reason == "egress failed: 127.0.0.1 did not answer in time;"


async def test_a_tunnel_without_a_word_is_closed(client, origin):
    host = await origin(answer=b"", holds=True)
    reader, writer = await (await client(LOOPBACK, silence=0.1)).tunnel(f"127.0.0.1:{host.port}")
    assert await _rest(reader) == b""
    writer.close()


async def test_a_tunnel_with_words_in_one_direction_stays(client):
    async def tick(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(12):
            writer.write(b".")
            await asyncio.sleep(0.1)
        writer.close()

    async with await asyncio.start_server(tick, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await (await client(LOOPBACK, silence=1)).tunnel(f"127.0.0.1:{port}")
        assert await reader.read(1) == b"."
        writer.write_eof()
        assert await _rest(reader) == b"..........."
        writer.close()


async def test_more_connections_than_it_may_have_are_told_so(client, origin):
    host = await origin(holds=True)
    speaker = await client(LOOPBACK, connections=2)
    first, second = [await speaker.tunnel(f"127.0.0.1:{host.port}") for _ in range(2)]
    assert (await speaker.send(b"")).startswith(b"HTTP/1.1 502 egress failed: there are too many connections at once;")
    for _, writer in (first, second):
        writer.close()


def test_a_proxy_of_the_operators_would_look_up_names_itself(tmp_path):
    with pytest.raises(NeedsInput, match="RUSHES_PROXY") as lack:
        Egress(Settings(home=tmp_path, proxy="http://proxy.example:3128"))
    assert lack.value.scope is Scope.ENVIRONMENT


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
