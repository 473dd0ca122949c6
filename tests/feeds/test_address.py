"""Addresses agree with `ipaddress`, which is slow and right."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.feeds.address import (
    format_address,
    kind_of,
    loose_interval,
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


@pytest.mark.parametrize(
    "text",
    [
        "198.51.100[.]7", "198.51.100.7:443", '"198.51.100.7"', "hxxp://198.51.100.7/x.exe",
        "https://user:word@198.51.100.7:8443/a?b", "http://198[.]51[.]100[.]7/",
    ],
)  # fmt: skip
def test_addresses_as_reports_write_them(text: str) -> None:
    assert loose_interval(text) == (4, 0xC6336407, 0xC6336407)


def test_bracketed_ipv6() -> None:
    assert loose_interval("[2001:db8::7]:443") == loose_interval("http://[2001:db8::7]/")
    assert loose_interval("[2001:db8::7]:443") == parse_interval("2001:db8::7")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("example.org", "domain"), ("*.example.org", "domain"), ("a_b.example.co.uk.", "domain"),
        ("http://example.org/x", "domain"), ("evil[.]example[.]org", "domain"),
        ("example.org:8080", "domain"), ("a" * 32, "other"), ("0" * 64, "other"),
        ("someone@example.org", "other"), ("1.2.3.999", "broken"), ("hello world", "broken"),
        ("1.2.3.4.5", "broken"), ("", "broken"), ("localhost", "broken"),
    ],
)  # fmt: skip
def test_what_is_no_address(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    parse_interval(text)
    loose_interval(text)
    assert kind_of(text) in {"domain", "other", "broken"}
