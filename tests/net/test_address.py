"""Addresses agree with `ipaddress`, which is slow and right."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.net.address import (
    format_address,
    parse_address,
    parse_interval,
)

V4 = st.integers(0, 2**32 - 1)
V6 = st.integers(0, 2**128 - 1) | st.integers(0xFFFF << 32, (0xFFFF << 32) + 2**32 - 1)


def reference(text: str) -> tuple[int, int] | None:
    try:
        one = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(one, ipaddress.IPv6Address):
        if one.scope_id is not None:
            return None
        if one.ipv4_mapped:
            one = one.ipv4_mapped
    return one.version, int(one)


@given(V4)
def test_every_ipv4_round_trips(value: int) -> None:
    text = str(ipaddress.IPv4Address(value))
    assert parse_address(text) == (4, value)
    assert format_address(4, value) == text


@given(V6)
def test_every_ipv6_is_read_as_ipaddress_reads_it(value: int) -> None:
    one = ipaddress.IPv6Address(value)
    for text in (str(one), one.exploded, one.exploded.upper()):
        assert parse_address(text) == reference(text)
    if value >> 32 != 0xFFFF:
        assert parse_address(format_address(6, value)) == (6, value)


@given(st.text(alphabet="0123456789abcdefABCDEF:./-%x ٣", max_size=24))
def test_text_is_an_address_exactly_when_ipaddress_says_so(text: str) -> None:
    assert parse_address(text) == reference(text)


@given(V4, st.integers(0, 32))
def test_ipv4_prefixes(value: int, size: int) -> None:
    network = ipaddress.ip_network((value, size), strict=False)
    expected = (4, int(network.network_address), int(network.broadcast_address))
    text = str(ipaddress.IPv4Address(value))
    assert parse_interval(f"{text}/{size}") == expected
    assert parse_interval(f"{text}/{network.netmask}") == expected


@given(st.integers(0, 2**128 - 1), st.integers(0, 128))
def test_ipv6_prefixes(value: int, size: int) -> None:
    network = ipaddress.IPv6Network((value, size), strict=False)
    found = parse_interval(f"{ipaddress.IPv6Address(value)}/{size}")
    if value >> 32 == 0xFFFF and size >= 96:
        assert found is not None
        assert found.family == 4
    else:
        assert found == (6, int(network.network_address), int(network.broadcast_address))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::ffff:1.2.3.0/120", (4, 0x01020300, 0x010203FF)),
        ("::ffff:1.2.3.4", (4, 0x01020304, 0x01020304)),
        ("::ffff:0:0/95", (6, 0xFFFE << 32, (0xFFFF << 32) + 2**32 - 1)),
        ("1.2.3.4-1.2.3.9", (4, 0x01020304, 0x01020309)),
        ("1.2.3.4 - 1.2.3.9", (4, 0x01020304, 0x01020309)),
        ("::1-::9", (6, 1, 9)),
        ("::ffff:1.2.3.4-1.2.3.5", (4, 0x01020304, 0x01020305)),
        ("1.2.3.9-1.2.3.4", None),
        ("1.2.3.4-::9", None),
        ("1.2.3.4/33", None),
        ("1.2.3.4/-1", None),
        ("1.2.3.4/255.0.255.0", None),
        ("01.2.3.4", None),
        ("1.2.3", None),
        ("fe80::1%eth0", None),
        ("1.2.3.4\x00", None),
        ("", None),
    ],
)
def test_intervals(text: str, expected: tuple[int, int, int] | None) -> None:
    assert parse_interval(text) == expected


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    parse_interval(text)
