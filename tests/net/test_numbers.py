"""Texts of addresses as numbers."""

from __future__ import annotations

import ipaddress

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from flowscan.net.address import parse_address
from flowscan.net.numbers import numbers

ADDRESS = st.integers(0, 2**32 - 1).map(lambda v: str(ipaddress.IPv4Address(v))) | (
    st.integers(0, 2**128 - 1) | st.integers(0xFFFF << 32, (0xFFFF << 32) + 2**32 - 1)
).map(lambda v: str(ipaddress.IPv6Address(v)))


@given(st.lists(st.none() | ADDRESS | st.text(alphabet="0123456789.:af", max_size=16), max_size=30))
def test_numbers_agree_with_parse_address(texts: list[str | None]) -> None:
    got: dict[int, tuple[int, int]] = {}
    for family, one in numbers(pa.array(texts, pa.string())).items():
        values = (
            one.values.tolist()
            if family == 4
            else [int.from_bytes(v.ljust(16, b"\0"), "big") for v in one.values.tolist()]
        )
        got |= {p: (family, v) for p, v in zip(one.positions.tolist(), values, strict=True)}
    expected = {
        i: parse_address(t) for i, t in enumerate(texts) if t is not None and parse_address(t)
    }
    assert got == expected


def test_numbers_of_a_slice() -> None:
    texts = pa.array(["1.1.1.1", "2.2.2.2", "::1", None, "3.3.3.3"])
    assert numbers(texts.slice(1, 3))[4].positions.tolist() == [0]
