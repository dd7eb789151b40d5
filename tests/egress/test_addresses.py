"""Which addresses are public, in whatever form they come."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis.strategies import DrawFn, composite, integers, ip_addresses, one_of, sampled_from

from rushes.egress.addresses import METADATA, PRIVATE, RESERVED, is_own, is_private, is_public, judged, unmapped
from rushes.settings.hosts import IPAddress

# fmt: off
PUBLIC = [
    "1.1.1.1", "93.184.215.14", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "169.253.0.1",
    "192.0.3.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:1.1.1.1", "64:ff9b::101:101",
]
OPERATORS = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "198.18.0.1", "::1", "fc00::1", "fd12:3456::1", "::ffff:127.0.0.1", "64:ff9b::a00:1",
]
NOBODYS = [
    "0.1.2.3", "169.254.169.254", "169.254.0.1", "192.0.0.192", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "100.100.100.200", "168.63.129.16", "::",
    "::7f00:1", "fe80::1", "fec0::1", "ff02::1", "fd00:ec2::254", "fd20:ce::254", "2001:db8::1", "2002:7f00:1::",
    "2001::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "3fff::1", "64:ff9b:1::1", "::ffff:169.254.169.254",
    "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe", "100::1", "5f00::1",
]
# fmt: on
TABLES = [*PRIVATE, *METADATA, *RESERVED]


@composite
def edges(draw: DrawFn) -> IPAddress:
    """An address at an edge of a network of the tables, or just beyond it."""
    network = draw(sampled_from(TABLES))
    edge = draw(sampled_from([network[0], network[-1]]))
    number = int(edge) + draw(integers(-2, 2))
    return type(edge)(min(max(number, 0), 2**network.max_prefixlen - 1))


addresses = one_of(ip_addresses(), edges())


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text: str):
    assert is_public(judged(ip_address(text)))


@pytest.mark.parametrize("text", OPERATORS)
def test_what_an_operator_may_allow(text: str):
    assert not is_public(judged(ip_address(text)))
    assert is_private(judged(ip_address(text)))


@pytest.mark.parametrize("text", NOBODYS)
def test_what_nobody_may_allow(text: str):
    assert not is_public(judged(ip_address(text)))
    assert not is_private(judged(ip_address(text)))


@given(addresses)
@example(IPv4Address("192.0.0.9"))
def test_nothing_is_public_that_python_knows_to_be_special(address: IPAddress):
    end = judged(address)
    if is_public(end):
        assert end.is_global
        signs = ("private", "loopback", "link_local", "multicast", "reserved", "unspecified")
        assert [sign for sign in signs if getattr(end, f"is_{sign}")] == []


@given(addresses)
def test_nothing_is_both_public_and_private(address: IPAddress):
    assert not (is_public(judged(address)) and is_private(judged(address)))


@given(ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_the_forms_that_lead_to_it(address: IPv4Address):
    mapped, translated = (IPv6Address(prefix | int(address)) for prefix in (0xFFFF << 32, 0x64FF9B << 96))
    assert {judged(mapped), judged(translated), judged(address)} == {address}
    assert unmapped(mapped) == address
    assert unmapped(translated) == translated  # where there is NAT64, it is the way


@given(ip_addresses(v=4), integers(0, 2**80 - 1))
def test_the_forms_that_lead_through_somebody_elses_relay_are_never_public(address: IPv4Address, rest: int):
    six_to_four = IPv6Address(0x2002 << 112 | int(address) << 80 | rest)
    teredo = IPv6Address(0x20010000 << 96 | rest << 16 | int(address) ^ 0xFFFFFFFF)
    compatible = IPv6Address(int(address))
    assert not any(is_public(judged(one)) for one in (six_to_four, teredo, compatible))


def test_the_addresses_of_this_machine_are_known():
    assert is_own(ip_address("127.0.0.1"))
    assert not is_own(ip_address("192.0.2.1"))
