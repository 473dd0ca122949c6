"""Ranges that mean something by themselves, against `ipaddress`."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.net.address import parse_address, parse_interval
from flowscan.net.ranges import DOCUMENTATION, RANGES, kind_of, touched


def kind(text: str) -> str:
    address = parse_address(text)
    assert address is not None
    return kind_of(*address)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.0", "private"), ("10.255.255.255", "private"), ("11.0.0.0", "public"),
        ("172.15.255.255", "public"), ("172.16.0.0", "private"), ("172.31.255.255", "private"),
        ("172.32.0.0", "public"), ("192.168.1.1", "private"), ("100.63.255.255", "public"),
        ("100.64.0.0", "private"), ("100.127.255.255", "private"), ("100.128.0.0", "public"),
        ("fc00::1", "private"), ("fd12:3456::1", "private"), ("fe00::1", "public"),
        ("169.254.169.254", "special"), ("127.0.0.1", "special"), ("0.0.0.0", "special"),
        ("224.0.0.251", "special"), ("255.255.255.255", "special"), ("::", "special"),
        ("::1", "special"), ("::2", "public"), ("fe80::1", "special"), ("ff02::1", "special"),
        ("203.0.113.1", "reserved"), ("2001:db8::1", "reserved"), ("198.18.0.1", "reserved"),
        ("2600:1f18::1", "public"), ("8.8.8.8", "public"), ("::ffff:10.0.0.1", "private"),
    ],
)  # fmt: skip
def test_kinds(text: str, expected: str) -> None:
    assert kind(text) == expected


def test_ranges_are_networks_that_do_not_overlap() -> None:
    networks = [ipaddress.ip_network(one.network) for one in RANGES]
    for i, one in enumerate(networks):
        assert not any(one.version == o.version and one.overlaps(o) for o in networks[:i])
    assert all(one.rfc and one.name for one in RANGES)


def test_an_interval_touches_what_it_reaches() -> None:
    for text, name in (("172.0.0.0/10", "private"), ("198.0.0.0/8", DOCUMENTATION)):
        interval = parse_interval(text)
        assert interval is not None
        found = touched(*interval)
        assert found is not None
        assert found.name == name
    assert touched(4, 0x01000000, 0x01FFFFFF) is None


@given(st.integers(0, 2**32 - 1))
def test_public_ipv4_agrees_with_ipaddress(value: int) -> None:
    one = ipaddress.IPv4Address(value)
    if kind_of(4, value) != "public":
        special = not one.is_global or one.is_multicast
        assert special or one in ipaddress.ip_network("192.0.0.0/24")
    elif not one.is_global:  # blocks of the registry that real traffic does have
        assert one in ipaddress.ip_network("192.0.0.0/16") or one.is_reserved
