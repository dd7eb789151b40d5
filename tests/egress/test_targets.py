"""Where the proxy goes for whom: names and addresses in every form, ports, and names that change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from rushes.egress import gate as gates
from rushes.settings.hosts import IPAddress

from .conftest import Names

LOOPBACK = "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "127.0.0.1: this address is not public (127.0.0.1)"),
        ("169.254.169.254", "169.254.169.254: this address is not public (169.254.169.254)"),
        ("[::1]", "::1: this address is not public (::1)"),
        ("[64:ff9b::7f00:1]", "64:ff9b::7f00:1: this address is not public (64:ff9b::7f00:1)"),
        ("[2002:7f00:1::]", "2002:7f00:1::: this address is not public (2002:7f00:1::)"),
        ("[fd00:ec2::254]", "fd00:ec2::254: this address is not public (fd00:ec2::254)"),
        ("metadata.google.internal", "metadata.google.internal: this address is not public (metadata.google.internal)"),
        ("Localhost.", "localhost: this address is not public (127.0.0.1)"),
        ("0.1.2.3", "0.1.2.3: this address is not public (0.1.2.3)"),
        ("127.1", "127.1: not a web address: '127.1' is no host"),
        ("2130706433", "2130706433: not a web address: '2130706433' is no host"),
        ("0x7f000001", "0x7f000001: not a web address: '0x7f000001' is no host"),
        ("0177.0.0.1", "0177.0.0.1: not a web address: '0177.0.0.1' is no host"),
        ("[fe80::1%25lo]", "[fe80::1%25lo]: not a web address: '[fe80::1%25lo]' is no host"),
        ("a..b", "a..b: not a web address: 'a..b' is no host"),
    ],
)
@pytest.mark.parametrize("way", ["GET http://{}/", "CONNECT {}:443"])
async def test_nothing_but_public_hosts(client, way: str, host: str, words: str):
    speaker = await client(resolve=Names(localhost=[[LOOPBACK]]))
    answer = await speaker.ask(way.format(host))
    assert (answer.status, answer.reason) == (403, f"egress refused: {words};")
    assert answer.body.decode().strip() == answer.reason


async def test_the_address_in_the_clothes_of_ipv6_is_the_one_that_is_told(client):
    answer = await (await client()).ask("GET http://[::ffff:10.0.0.1]/")
    assert answer.reason.endswith(": this address is not public (10.0.0.1);")


@pytest.mark.parametrize(
    "line",
    [
        "GET http://127.0.0.1:{port}@10.0.0.1/",
        "GET http://10.0.0.1@127.0.0.1:{port}/",
        "GET http://127.0.0.1:{port}\\@10.0.0.1/",
        "GET http:///x",
        "GET http://127.0.0.1:{port}:80/",
        "GET http://127.0.0.1:/",
        "GET http://127.0.0.1:{port}#@10.0.0.1/",
        "GET /",
        "GET *",
        "GET https://127.0.0.1:{port}/",
        "GET ftp://127.0.0.1:{port}/",
        "GET file:///etc/passwd",
        "GET gopher://127.0.0.1:{port}/",
        "GET ws://127.0.0.1:{port}/",
        "PUT http://127.0.0.1:{port}/",
        "TRACE http://127.0.0.1:{port}/",
        "CONNECT 127.0.0.1",
        "CONNECT user@127.0.0.1:{port}",
        "CONNECT 127.0.0.1:{port}/x",
        "CONNECT http://127.0.0.1:{port}",
        "CONNECT 127.0.0.1:{port}@10.0.0.1:80",
        "CONNECT 127.0.0.1:99999",
        "CONNECT 127.0.0.1:0",
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(client, origin, line: str):
    host = await origin()
    answer = await (await client(allowed=LOOPBACK)).ask(line.format(port=host.port))
    assert answer.status == 403
    assert answer.reason.startswith("egress refused: ")
    assert host.asked == []


@pytest.mark.parametrize("port", [22, 25, 53, 110, 3306, 5432, 6379, 11211, 27017])
@pytest.mark.parametrize("way", ["GET http://public.example:{}/", "CONNECT public.example:{}"])
async def test_public_hosts_are_talked_to_at_the_ports_of_the_web_alone(client, way: str, port: int):
    speaker = await client(resolve=Names(public_example=[["1.1.1.1"]]))
    answer = await speaker.ask(way.format(port))
    assert answer.reason == f"egress refused: public.example: nothing is fetched from port {port} for others;"


async def test_one_private_address_among_public_ones_refuses_them_all(client):
    speaker = await client(resolve=Names(mixed_example=[["1.1.1.1", "2606:4700::1111", "10.0.0.1"]]))
    answer = await speaker.ask("CONNECT mixed.example:443")
    assert answer.reason == "egress refused: mixed.example: this address is not public (10.0.0.1);"


async def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(client, origin):
    names = Names(changing_example=[["127.0.0.2"], [LOOPBACK]])
    good = await origin(host="127.0.0.2")
    bad = await origin(host=LOOPBACK, port=good.port)
    speaker = await client(allowed="127.0.0.2", resolve=names)
    first = await speaker.ask(f"GET http://changing.example:{good.port}/")
    assert (first.status, first.body) == (200, b"hello")
    assert names.asked == ["changing.example"]

    second = await speaker.ask(f"GET http://changing.example:{good.port}/")
    assert second.reason == "egress refused: changing.example: this address is not public (127.0.0.1);"
    assert (len(good.asked), bad.asked) == (1, [])


@pytest.mark.parametrize("way", ["GET http://{}/", "CONNECT {}"])
@pytest.mark.parametrize(
    ("allowed", "asked", "status"),
    [
        ("127.0.0.1:{port}", "127.0.0.1:{port}", 200),
        ("127.0.0.1", "127.0.0.1:{port}", 200),
        ("127.0.0.0/8", "studio.example:{port}", 200),
        ("studio.example", "studio.example:{port}", 200),
        ("studio.example:{port}", "STUDIO.example:{port}", 200),
        ("studio.example:1", "studio.example:{port}", 403),
        ("other.example", "studio.example:{port}", 403),
        ("10.0.0.0/8", "127.0.0.1:{port}", 403),
    ],
)
async def test_an_operator_may_allow_hosts_of_their_own(client, origin, way, allowed, asked, status):
    host = await origin()
    speaker = await client(allowed.format(port=host.port), resolve=Names(studio_example=[[LOOPBACK]]))
    if status == 200 and way.startswith("CONNECT"):
        _, writer = await speaker.tunnel(asked.format(port=host.port))
        writer.close()
    else:
        assert (await speaker.ask(way.format(asked.format(port=host.port)))).status == status


@pytest.mark.parametrize("allowed", ["metadata.google.internal", "169.254.0.0/16", "0.0.0.0/0", "studio.example"])
async def test_no_setting_opens_what_serves_this_machine_its_secrets(client, allowed: str):
    names = Names(studio_example=[["169.254.169.254"]], metadata_google_internal=[["10.0.0.1"]])
    speaker = await client(allowed, resolve=names)
    for host in ("169.254.169.254", "studio.example", "metadata.google.internal"):
        assert (await speaker.ask(f"GET http://{host}/")).status == 403


async def test_what_listens_on_a_public_address_of_this_machine_is_not_for_others(client, monkeypatch):
    monkeypatch.setattr(gates, "is_own", lambda address: address == ip_address("1.1.1.1"))
    speaker = await client(resolve=Names(here_example=[["1.1.1.1"]]))
    answer = await speaker.ask("GET http://here.example/")
    assert answer.reason == "egress refused: here.example: this address is this machine's own (1.1.1.1);"


async def test_a_host_out_of_reach_is_told_as_without_a_proxy(client):
    async def never(_host: str, _port: int) -> Sequence[IPAddress]:
        await asyncio.Event().wait()
        return []

    speaker = await client(allowed=LOOPBACK)
    assert (await speaker.ask("GET http://nowhere.invalid/")).reason == (
        "egress failed: nowhere.invalid was not found (DNS);"
    )
    refusing = await speaker.ask("CONNECT 127.0.0.1:1")
    assert (refusing.status, refusing.reason) == (502, "egress failed: 127.0.0.1:1 refuses connections;")
    silent = await client(resolve=never, connect=0.1)
    assert (await silent.ask("CONNECT slow.example:443")).reason == "egress failed: slow.example was not found (DNS);"


async def test_the_next_address_is_tried_where_one_refuses(client, origin):
    host = await origin(host="127.0.0.3")
    speaker = await client("127.0.0.0/8", resolve=Names(two_example=[["127.0.0.4", "127.0.0.3"]]))
    assert (await speaker.ask(f"GET http://two.example:{host.port}/")).body == b"hello"
