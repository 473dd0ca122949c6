"""What is read by columns is what is read text by text, and that is what `ipaddress` says."""

from __future__ import annotations

import ipaddress

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowscan.net.address import Interval, parse_interval
from flowscan.net.columns import Texts, format_four, masked, quads, read
from flowscan.net.intervals import pack, unpack

NUMBER = st.integers(0, 300).map(str) | st.sampled_from(["", "00", "01", "255", "256", "1e1", "٣"])
QUAD = st.lists(NUMBER, min_size=3, max_size=5).map(".".join)
V4 = st.integers(0, 2**32 - 1).map(lambda v: str(ipaddress.IPv4Address(v)))
V6 = (st.integers(0, 2**128 - 1) | st.integers(0xFFFF << 32, (1 << 48) - 1)).map(
    lambda v: str(ipaddress.IPv6Address(v))
)
SIZE = st.integers(0, 130).map(str) | st.sampled_from(["08", "032", "", "255.255.0.0", "²"])
ONE = V4 | V6 | QUAD
SPELLINGS = (
    ONE
    | st.tuples(ONE, SIZE).map("/".join)
    | st.tuples(ONE, ONE).map("-".join)
    | st.tuples(ONE, SIZE).map(":".join)
    | st.text("0123456789abcdefABCDEF:./- [%]x", max_size=20)
    | st.sampled_from(["", "example.org", "hxxp://1.2.3[.]4/x", "\ud800", "1.2.3.4\0"])
)


def by_columns(texts: list[str]) -> list[Interval | None]:
    got = read(Texts.of(texts))
    result: list[Interval | None] = [None] * len(texts)
    for family, one in ((4, got.four), (6, got.six)):
        spans = zip(unpack(family, one.first), unpack(family, one.last), strict=True)
        for row, (first, last) in zip(one.rows.tolist(), spans, strict=True):
            result[row] = Interval(family, first, last)
    assert [row for row, one in enumerate(result) if one is None] == got.rest.tolist()
    return result


@settings(max_examples=150)
@given(st.lists(SPELLINGS, max_size=12))
@example(["1.2.3.4", "1.2.3.4"])
@example(["1.2.3.4/0", "0.0.0.0/32", "255.255.255.255/1", "1.2.3.4/33"])
@example(["1", ".", "1.2.3.4", "...", "1...4567", "01.2.3.4", "1.2.3.256"])
def test_columns_read_what_the_slow_way_reads(texts: list[str]) -> None:
    for text, got in zip(texts, by_columns(texts), strict=True):
        if got is not None:
            assert got == parse_interval(text)


@given(st.lists(V4 | V6 | st.tuples(V4, st.integers(0, 32).map(str)).map("/".join), min_size=1))
def test_the_frequent_spellings_are_not_left_to_the_slow_way(texts: list[str]) -> None:
    for text, got in zip(texts, by_columns(texts), strict=True):
        address = ipaddress.ip_network(text, strict=False)
        if not (address.version == 6 and address.network_address.ipv4_mapped):
            span = int(address.network_address), int(address.broadcast_address)
            assert got == (address.version, *span)


@given(st.lists(SPELLINGS | st.none(), max_size=12), st.integers(0, 3))
def test_quads_of_an_arrow_array(texts: list[str | None], skipped: int) -> None:
    clean = [None if t is None else t.encode("utf-8", "replace").decode() for t in texts]
    array = pa.array(clean, pa.large_string()).slice(skipped)
    values, valid = quads(Texts.of_arrow(array))
    for text, value, good in zip(clean[skipped:], values.tolist(), valid.tolist(), strict=True):
        expected = None
        if text is not None:
            try:
                expected = int(ipaddress.IPv4Address(text))
            except ValueError:
                expected = None
            assert (value if good else None) == expected


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_numbers_are_written_as_ipaddress_writes_them(values: list[int]) -> None:
    texts = [str(ipaddress.IPv4Address(v)) for v in values]
    assert format_four(pack(4, values)).to_pylist() == texts


@given(st.lists(st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128))))
def test_prefixes_of_ipv6(prefixes: list[tuple[int, int]]) -> None:
    data = b"".join(value.to_bytes(16, "big") for value, _ in prefixes)
    first, last = masked(data, np.array([size for _, size in prefixes], np.int64))
    networks = [ipaddress.IPv6Network((value, size), strict=False) for value, size in prefixes]
    assert unpack(6, first) == [int(n.network_address) for n in networks]
    assert unpack(6, last) == [int(n.broadcast_address) for n in networks]
