"""What passes through the proxy, and what does not: requests are read strictly and written anew, tunnels are bytes."""

from __future__ import annotations

import asyncio

import pytest

LOOPBACK = "127.0.0.1"


def lines_of(head: bytes) -> list[str]:
    return head.decode().removesuffix("\r\n\r\n").split("\r\n")


async def test_a_request_arrives_as_it_was_meant_without_what_is_between_neighbours(client, origin):
    host = await origin()
    answer = await (await client(LOOPBACK)).ask(
        f"GET {host.address}/a%20b?c=d&e=%2F",
        "User-Agent: me",
        "Authorization: Basic aGk6aGk=",
        "Range: bytes=5-",
        "Connection: keep-alive, X-Hop",
        "X-Hop: 1",
        "Keep-Alive: 5",
        "Proxy-Connection: keep-alive",
        "TE: trailers",
        "Upgrade: h2c",
        "Expect: 100-continue",
    )
    assert answer.body == b"hello"
    first, *headers = lines_of(host.asked[0])
    assert first == "GET /a%20b?c=d&e=%2F HTTP/1.1"
    assert {header.lower() for header in headers} == {
        f"host: 127.0.0.1:{host.port}",
        "user-agent: me",
        "authorization: basic agk6agk=",
        "range: bytes=5-",
        "connection: close",
    }


async def test_an_answer_comes_back_as_it_was_without_what_is_between_neighbours(client, origin):
    told = (
        b"HTTP/1.1 206 egress refused: me;\r\nContent-Length: 5\r\nX-Of: it\r\nConnection: keep-alive, X-Hop\r\n"
        b"X-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nSet-Cookie: a=b\r\n\r\nhello"
    )
    host = await origin(answer=b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + told)
    answer = await (await client(LOOPBACK)).ask(f"GET {host.address}/")
    assert (answer.status, answer.body) == (206, b"hello")
    assert answer.reason == ""  # the reason phrase is where the proxy itself speaks
    assert answer.headers == {"content-length": "5", "x-of": "it", "set-cookie": "a=b", "connection": "close"}


@pytest.mark.parametrize(
    ("told", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
            b"hello world",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nhello world", b"hello world"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_a_body_ends_where_its_host_ends_it(client, origin, told: bytes, body: bytes):
    host = await origin(answer=told)
    answer = await (await client(LOOPBACK)).ask(f"GET {host.address}/")
    received = answer.body
    if answer.headers.get("transfer-encoding") == "chunked":
        received = b"".join(received.split(b"\r\n")[1::2])
    assert received == body


async def test_a_body_is_passed_on(client, origin):
    host = await origin()
    speaker = await client(LOOPBACK)
    await speaker.ask(f"POST {host.address}/", "Content-Length: 5", body=b"query")
    assert "content-length: 5" in [line.lower() for line in lines_of(host.asked[0])]
    await speaker.ask(f"POST {host.address}/", "Transfer-Encoding: chunked", body=b"5\r\nquery\r\n0\r\n\r\n")
    assert "transfer-encoding: chunked" in [line.lower() for line in lines_of(host.asked[1])]


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Host: other.example\r\n",
        "X: a\rInjected: b\r\n",
        "X: a\x00b\r\n",
        "X\r\n",
    ],
)
async def test_a_request_that_two_servers_could_read_in_two_ways_goes_nowhere(client, origin, headers: str):
    host = await origin()
    speaker = await client(LOOPBACK)
    smuggled = b"0\r\n\r\nGET /secret HTTP/1.1\r\nHost: x\r\n\r\n"
    raw = f"POST {host.address}/ HTTP/1.1\r\nHost: x\r\n{speaker.right}{headers}\r\n".encode()
    assert (await speaker.send(raw + smuggled))[9:12] in {b"400", b"403", b"501"}
    assert host.asked == []


async def test_one_connection_carries_one_request(client, origin):
    host = await origin()
    speaker = await client(LOOPBACK)
    second = f"GET {host.address}/second HTTP/1.1\r\nHost: x\r\n{speaker.right}\r\n".encode()
    answer = await speaker.ask(f"GET {host.address}/first", body=second)
    assert answer.body == b"hello"
    assert [lines_of(asked)[0] for asked in host.asked] == ["GET /first HTTP/1.1"]


async def test_a_folded_header_arrives_as_one_line(client, origin):
    host = await origin()
    await (await client(LOOPBACK)).ask(f"GET {host.address}/", "X-Long: a\r\n  Host: other")
    assert "x-long: a host: other" in [line.lower() for line in lines_of(host.asked[0])]


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)
async def test_an_answer_that_is_not_http_is_a_broken_connection(client, origin, told: bytes):
    host = await origin(answer=told)
    answer = await (await client(LOOPBACK)).ask(f"GET {host.address}/")
    assert answer.status == 502
    assert answer.reason.startswith("egress failed: the connection to 127.0.0.1 broke: ")


@pytest.mark.parametrize("told", [b"Content-Length: 100\r\n\r\nhel", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"])
async def test_an_answer_that_breaks_off_does_not_look_whole(client, origin, told: bytes):
    host = await origin(answer=b"HTTP/1.1 200 OK\r\n" + told)
    speaker = await client(LOOPBACK)
    raw = b""
    try:
        raw = await speaker.send(f"GET {host.address}/ HTTP/1.1\r\nHost: x\r\n{speaker.right}\r\n".encode())
    except ConnectionResetError:
        return
    assert not raw.endswith(b"0\r\n\r\n")
    assert raw.count(b"hel") == 1
    assert b"content-length: 5\r\n" not in raw.lower()


async def test_a_tunnel_carries_bytes_both_ways_until_both_have_ended(client):
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())
        writer.close()

    async with await asyncio.start_server(shout, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await (await client(LOOPBACK)).tunnel(f"127.0.0.1:{port}")
        content = b"abc\r\n\x00\xff" * 200_000
        writer.write(content)
        writer.write_eof()
        assert await reader.read() == content.upper()
        writer.close()


async def test_bytes_that_follow_a_connect_at_once_are_not_lost(client, origin):
    host = await origin()
    speaker = await client(LOOPBACK)
    authority = f"127.0.0.1:{host.port}"
    raw = f"CONNECT {authority} HTTP/1.1\r\nHost: x\r\n{speaker.right}\r\nGET / HTTP/1.1\r\nHost: {authority}\r\n\r\n"
    assert (await speaker.send(raw.encode())).endswith(b"hello")
    assert host.asked == [f"GET / HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode()]


async def test_many_at_once_each_get_their_own(client):
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        body = path * 20_000
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(echo, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        speaker = await client(LOOPBACK)

        async def plain(number: int):
            return (await speaker.ask(f"GET http://127.0.0.1:{port}/{number}")).body

        async def tunnelled(number: int):
            reader, writer = await speaker.tunnel(f"127.0.0.1:{port}")
            writer.write(f"GET /{number} HTTP/1.1\r\n\r\n".encode())
            received = await reader.read()
            writer.close()
            return received.partition(b"\r\n\r\n")[2]

        bodies = await asyncio.gather(*(way(number) for number in range(40) for way in (plain, tunnelled)))
    assert bodies == [f"/{number}".encode() * 20_000 for number in range(40) for _ in range(2)]
