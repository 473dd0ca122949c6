"""The indicators of a lake as one interval index per feed, and a union to pass over misses.

Invariant: an address that a trusted feed holds is held by no other; of several indicators of one
feed that hold an address, the narrowest is named. Expired indicators and those of feeds not asked
for are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from socket import AF_INET6, inet_pton
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flowscan.net.intervals import Array, Block, Int64, IntervalIndex, merged, with_mapped
from flowscan.net.numbers import numbers


@dataclass(frozen=True, slots=True)
class Found:
    """Addresses that are listed: position of the text, row of the indicator."""

    position: Int64
    row: Int64


class FeedIndex:
    """Interval indexes over a table of indicators."""

    def __init__(self, table: Any, *, now: int, feeds: Iterable[str] | None = None) -> None:
        """Index the rows of `table` (schema "indicators") that count at `now` (epoch seconds)."""
        alive = pc.or_kleene(pc.is_null(table["expires"]), pc.greater(table["expires"], now))
        if not pc.all(alive).as_py():
            table = table.filter(alive)
        if feeds is not None:
            named = pc.is_in(table["feed"], value_set=pa.array(list(feeds), pa.string()))
            table = table.filter(pc.or_kleene(named, table["trusted"]))
        self.table = table.combine_chunks()
        spans = _spans(self.table)
        trusted = np.asarray(self.table["trusted"].fill_null(False), dtype=bool)
        codes = self.table["feed"].combine_chunks().dictionary_encode()
        feed = np.asarray(codes.indices, dtype=np.int64)
        self._trusted = _union(spans, trusted)
        self._union = _union(spans, ~trusted)
        self._feeds = [
            IntervalIndex.from_arrays(_select(spans, (feed == code) & ~trusted))
            for code in range(len(codes.dictionary))
            if bool(((feed == code) & ~trusted).any())
        ]

    def __len__(self) -> int:
        """Count the indicators of threats."""
        return int(pc.sum(pc.invert(self.table["trusted"])).as_py() or 0)

    @property
    def intervals(self) -> int:
        """Number of intervals after merging, over all threat feeds."""
        return len(self._union)

    def find(self, texts: Any) -> tuple[Found, int]:
        """Which of these addresses (Arrow strings) are listed, once per feed that lists them.

        Also gives the number of addresses that would be listed, were they not trusted.
        """
        positions, rows, spared = [], [], 0
        for family, one in numbers(texts).items():
            at = np.flatnonzero(self._union.find(family, one.values) >= 0)
            safe = self._trusted.find(family, one.values[at]) >= 0
            spared += int(safe.sum())
            at = at[~safe]
            for index in self._feeds:
                owner = index.find(family, one.values[at])
                mine = owner >= 0
                positions.append(one.positions[at[mine]])
                rows.append(owner[mine])
        none = np.zeros(0, np.int64)
        return Found(np.concatenate([none, *positions]), np.concatenate([none, *rows])), spared


_Spans = dict[int, tuple[Array, Array, Int64]]


def _spans(table: Any) -> _Spans:
    """First, last and row number of every indicator, by family."""
    four = np.asarray(pc.equal(table["family"], 4), dtype=bool)
    rows4, rows6 = np.flatnonzero(four), np.flatnonzero(~four)
    picked = table.select(["first_number", "last_number"]).take(pa.array(rows4))
    low, high = (np.asarray(picked[n], dtype=np.uint32) for n in ("first_number", "last_number"))
    wide = table.select(["first", "last"]).take(pa.array(rows6))
    first = last = _sixteen(wide["first"].to_pylist())
    ranges = np.flatnonzero(np.asarray(pc.not_equal(wide["first"], wide["last"]), dtype=bool))
    if len(ranges):
        last = first.copy()
        last[ranges] = _sixteen(wide["last"].take(pa.array(ranges)).to_pylist())
    return {4: (low, high, rows4), 6: (first, last, rows6)}


def _sixteen(texts: list[str]) -> Array:
    """Sixteen bytes of every address; one that reads as IPv4 lies in the mapped block."""
    data = [inet_pton(AF_INET6, text if ":" in text else f"::ffff:{text}") for text in texts]
    return np.frombuffer(b"".join(data), dtype="S16")


def _select(spans: _Spans, mask: Array) -> _Spans:
    chosen: _Spans = {}
    for family, (first, last, rows) in spans.items():
        mine = mask[rows]
        chosen[family] = (first[mine], last[mine], rows[mine])
    return chosen


def _union(spans: _Spans, mask: Array) -> IntervalIndex:
    """Build the merged union of the chosen rows; its owners mean nothing."""
    chosen = _select(spans, mask)
    chosen[4] = with_mapped(chosen[4], chosen[6])
    result = {}
    for family, (low, high, _) in chosen.items():
        first, last = merged(family, low, high)
        result[family] = Block(first, last, np.zeros(len(first), np.int64))
    return IntervalIndex(result)
