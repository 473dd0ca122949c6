"""The interval index agrees with a double loop over `ipaddress` networks and ranges."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscan.net.address import Interval
from flowscan.net.intervals import IntervalIndex, merged, pack, unpack

TOP = {4: 2**32 - 1, 6: 2**128 - 1}
MAPPED = 0xFFFF << 32


@st.composite
def close_intervals(draw: st.DrawFn) -> list[Interval]:
    """Intervals that nest, touch and overlap: small numbers around a few anchors."""
    anchors = {4: [0, 1000, TOP[4] - 40], 6: [0, 2**64 - 20, MAPPED - 30, MAPPED, TOP[6] - 40]}
    result = []
    for _ in range(draw(st.integers(0, 12))):
        family = draw(st.sampled_from([4, 6]))
        anchor = draw(st.sampled_from(anchors[family]))
        first = anchor + draw(st.integers(0, 40))
        last = min(first + draw(st.sampled_from([0, 0, 1, 3, 7, 20, 2**20, 2**100])), TOP[family])
        result.append(Interval(family, first, last))
    return result


def slow_find(intervals: list[Interval], family: int, value: int) -> int:
    """The narrowest interval that holds an address, the earliest of equals; mapped counts."""
    best = -1
    for i, (kind, first, last) in enumerate(intervals):
        holds = kind == family and first <= value <= last
        width = last - first
        if kind == 6 and family == 4:
            holds = first <= value + MAPPED <= last
        if holds:
            if best >= 0:
                old = intervals[best]
                clipped = _width(old, family)
                if _width(intervals[i], family) >= clipped:
                    continue
            best = i
        del width
    return best


def _width(interval: Interval, family: int) -> int:
    first, last = interval.first, interval.last
    if interval.family == 6 and family == 4:
        first, last = max(first, MAPPED), min(last, MAPPED + TOP[4])
    return last - first


@settings(max_examples=300)
@given(close_intervals(), st.data())
def test_index_equals_the_double_loop(intervals: list[Interval], data: st.DataObject) -> None:
    index = IntervalIndex.build(intervals)
    for family in (4, 6):
        edges = {0, TOP[family]}
        for kind, first, last in intervals:
            if kind == family:
                edges |= {first, last, max(first - 1, 0), min(last + 1, TOP[family])}
            elif kind == 6:
                edges |= {
                    max(min(e - MAPPED, TOP[4]), 0) for e in (first - 1, first, last, last + 1)
                }
        edges |= {data.draw(st.integers(0, TOP[family]))}
        values = sorted(edges)
        if family == 6:  # mapped addresses have become IPv4 before they get to an index
            values = [v for v in values if v >> 32 != 0xFFFF]
        found = index.find(family, pack(family, values)).tolist()
        assert found == [slow_find(intervals, family, v) for v in values]


@given(close_intervals())
def test_blocks_are_sorted_and_do_not_overlap(intervals: list[Interval]) -> None:
    for family, block in IntervalIndex.build(intervals).blocks.items():
        first, last = unpack(family, block.first), unpack(family, block.last)
        assert all(a <= b for a, b in zip(first, last, strict=True))
        assert all(b < a for b, a in zip(last, first[1:], strict=False))


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), max_size=30))
def test_merging_equals_collapse_addresses(pairs: list[tuple[int, int]]) -> None:
    networks = [ipaddress.IPv4Network(pair, strict=False) for pair in pairs]
    low = pack(4, [int(n.network_address) for n in networks])
    high = pack(4, [int(n.broadcast_address) for n in networks])
    first, last = merged(4, low, high)
    covered = list(ipaddress.collapse_addresses(networks))
    joined: list[list[int]] = []
    for network in covered:
        a, b = int(network.network_address), int(network.broadcast_address)
        if joined and joined[-1][1] + 1 == a:
            joined[-1][1] = b
        else:
            joined.append([a, b])
    assert [list(p) for p in zip(first.tolist(), last.tolist(), strict=True)] == joined


@given(st.lists(st.integers(0, 2**128 - 1)))
def test_bytes_order_is_number_order(values: list[int]) -> None:
    assert unpack(6, np.sort(pack(6, values))) == sorted(values)
    assert unpack(6, pack(6, values)) == values


def test_deep_nesting_is_swept_in_time() -> None:
    """10,000 nested ranges: a list that wants to be slow."""
    depth = 10_000
    intervals = [Interval(4, i, 2**31 - i) for i in range(depth)]
    index = IntervalIndex.build(intervals)
    assert index.find_one(4, 2**30) == depth - 1
    assert index.find_one(4, 5) == 5


@pytest.mark.parametrize("family", [4, 6])
def test_empty(family: int) -> None:
    index = IntervalIndex.build([])
    assert index.find_one(family, 1) == -1
    assert len(index) == 0
