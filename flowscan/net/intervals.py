"""Sorted, non-overlapping integer intervals over numpy arrays, with vectorised look-up.

Invariant: within one index no two intervals overlap; where the inputs did, the narrowest won
(ties: the earlier one). IPv4 are 32-bit integers, IPv6 are 16 big-endian bytes, whose order as
bytes is their order as numbers. IPv4-mapped IPv6 has been IPv4 before it gets here; an IPv6
interval that reaches over the mapped block also covers the IPv4 addresses in it.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from flowscan.net.address import MAPPED, Interval

Int64 = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

_MAPPED_LAST = MAPPED + 0xFFFFFFFF
DTYPE: dict[int, np.dtype[Any]] = {4: np.dtype("u4"), 6: np.dtype("S16")}


def pack(family: int, values: Iterable[int]) -> Array:
    """Integers → the array type of their family."""
    if family == 4:
        return np.fromiter(values, dtype="u4")
    data = b"".join(value.to_bytes(16, "big") for value in values)
    return np.frombuffer(data, dtype="S16")


def unpack(family: int, values: Array) -> list[int]:
    """Array of a family → integers."""
    if family == 4:
        return [int(v) for v in values.tolist()]
    data = np.ascontiguousarray(values).tobytes()
    return [int.from_bytes(data[i : i + 16], "big") for i in range(0, len(data), 16)]


@dataclass(frozen=True, slots=True)
class Block:
    """Intervals of one family: `first` and `last` (both inside), sorted, and whose they are."""

    first: Array
    last: Array
    owner: Int64

    def find(self, values: Array) -> Int64:
        """Position in `owner`'s numbering for every value, -1 where no interval holds it."""
        if not len(self.first) or not len(values):
            return np.full(len(values), -1, dtype=np.int64)
        at = np.searchsorted(self.first, values, side="right") - 1
        inside = (at >= 0) & (values <= self.last[at])
        return np.where(inside, self.owner[at], -1)


class IntervalIndex:
    """Intervals of both families; `find` says which input interval holds an address."""

    def __init__(self, blocks: dict[int, Block]) -> None:
        self.blocks = blocks
        self._numbers: dict[int, tuple[list[int], list[int], list[int]]] = {}

    @classmethod
    def build(cls, intervals: Sequence[Interval]) -> IntervalIndex:
        """Index of intervals; owners are positions in the sequence."""
        columns: dict[int, tuple[list[int], list[int], list[int]]] = {
            4: ([], [], []),
            6: ([], [], []),
        }
        for i, (family, first, last) in enumerate(intervals):
            low, high, owner = columns[family]
            low.append(first)
            high.append(last)
            owner.append(i)
        arrays = {
            family: (pack(family, low), pack(family, high), np.array(owner, dtype=np.int64))
            for family, (low, high, owner) in columns.items()
        }
        return cls.from_arrays(arrays)

    @classmethod
    def from_arrays(cls, arrays: dict[int, tuple[Array, Array, Int64]]) -> IntervalIndex:
        """Index of `{family: (first, last, owner)}`, arrays as `pack` makes them."""
        four = arrays.get(4, (pack(4, ()), pack(4, ()), np.zeros(0, np.int64)))
        six = arrays.get(6, (pack(6, ()), pack(6, ()), np.zeros(0, np.int64)))
        four = with_mapped(four, six)
        return cls({4: flatten(4, *four), 6: flatten(6, *six)})

    def find(self, family: int, values: Array) -> Int64:
        """Owner of every value of a family, -1 for none."""
        return self.blocks[family].find(values)

    def find_one(self, family: int, value: int) -> int:
        """Owner of one address, -1 for none; for small indexes, whose numbers it keeps."""
        if family not in self._numbers:
            block = self.blocks[family]
            ends = unpack(family, block.first), unpack(family, block.last)
            self._numbers[family] = (*ends, block.owner.tolist())
        first, last, owner = self._numbers[family]
        at = bisect_right(first, value) - 1
        return owner[at] if at >= 0 and value <= last[at] else -1

    def __len__(self) -> int:
        """Count the intervals."""
        return sum(len(block.first) for block in self.blocks.values())


def with_mapped(
    four: tuple[Array, Array, Int64], six: tuple[Array, Array, Int64]
) -> tuple[Array, Array, Int64]:
    """Add to IPv4 what IPv6 intervals hold of the IPv4-mapped block (rare: only wide ones do)."""
    low, high = pack(6, [MAPPED])[0], pack(6, [_MAPPED_LAST])[0]
    rows = np.flatnonzero((six[0] <= high) & (six[1] >= low))
    if not len(rows):
        return four
    first = [max(v, MAPPED) - MAPPED for v in unpack(6, six[0][rows])]
    last = [min(v, _MAPPED_LAST) - MAPPED for v in unpack(6, six[1][rows])]
    return (
        np.concatenate([four[0], pack(4, first)]),
        np.concatenate([four[1], pack(4, last)]),
        np.concatenate([four[2], six[2][rows]]),
    )


def flatten(family: int, first: Array, last: Array, owner: Int64) -> Block:
    """Sort intervals and cut overlapping ones so that each address belongs to the narrowest.

    Vectorised where nothing overlaps; only clusters of overlapping intervals are swept one by
    one, O(n log n) in their size.
    """
    order = _order(first, last, owner)
    first, last, owner = first[order], last[order], owner[order]
    if len(first) > 1:  # the same interval twice: the earlier one stands
        same = np.concatenate([[False], (first[1:] == first[:-1]) & (last[1:] == last[:-1])])
        first, last, owner = first[~same], last[~same], owner[~same]
    starts = _clusters(first, last)
    sizes = np.diff(np.append(starts, len(first)))
    if not (sizes > 1).any():
        return Block(first, last, owner)
    single = np.repeat(sizes, sizes) == 1
    lows, highs = unpack(family, first[~single]), unpack(family, last[~single])
    owners = owner[~single].tolist()
    cut: list[tuple[int, int, int]] = []
    at = 0
    for size in sizes[sizes > 1].tolist():
        part = slice(at, at + size)
        cut += _sweep(lows[part], highs[part], owners[part])
        at += size
    first = np.concatenate([first[single], pack(family, [c[0] for c in cut])])
    last = np.concatenate([last[single], pack(family, [c[1] for c in cut])])
    owner = np.concatenate([owner[single], np.array([c[2] for c in cut], dtype=np.int64)])
    order = _order(first)
    return Block(first[order], last[order], owner[order])


def _clusters(first: Array, last: Array) -> Int64:
    """Positions where a group of mutually reaching intervals begins (inputs sorted by first)."""
    if len(first) < 2:
        return np.zeros(min(len(first), 1), dtype=np.int64)
    apart = first[1:] > running_maximum(last)[:-1]
    return np.concatenate([[0], np.flatnonzero(apart) + 1]).astype(np.int64)


def _halves(values: Array) -> Array:
    """IPv6 values as rows of two 64-bit numbers, which sort far faster than bytes."""
    return np.ascontiguousarray(values).view(">u8").reshape(-1, 2).astype("u8")


def _order(first: Array, last: Array | None = None, owner: Int64 | None = None) -> Int64:
    """Positions in the order of first, and where given of last, and of owner."""
    if owner is not None and (owner[1:] >= owner[:-1]).all():
        owner = None  # they are in order, and the sort is stable
    keys: list[Array] = [] if owner is None else [owner]
    if first.dtype.kind != "S":
        keys.append(first if last is None else first.astype("u8") << np.uint64(32) | last)
    else:
        for values in (first,) if last is None else (last, first):
            halves = _halves(values)
            keys += [halves[:, 1], halves[:, 0]]
    return np.lexsort(keys) if len(keys) > 1 else np.argsort(keys[0], kind="stable")


def running_maximum(values: Array) -> Array:
    """Cumulative maximum; numpy has none for bytes, so those go by their sorted positions."""
    if values.dtype.kind != "S":
        return np.maximum.accumulate(values)
    order = _order(values)
    ranks = np.empty(len(values), np.int64)
    ranks[order] = np.arange(len(values))
    return values[order][np.maximum.accumulate(ranks)]


def _sweep(first: list[int], last: list[int], owner: list[int]) -> list[tuple[int, int, int]]:
    """Cut overlapping intervals at every border; each piece goes to the narrowest open one."""
    borders = sorted({*first, *(value + 1 for value in last)})
    pieces: list[tuple[int, int, int]] = []
    open_: list[tuple[int, int, int]] = []  # (width, owner, last)
    coming = 0
    for here, after in pairwise(borders):
        while coming < len(first) and first[coming] == here:
            width = last[coming] - first[coming]
            heapq.heappush(open_, (width, owner[coming], last[coming]))
            coming += 1
        while open_ and open_[0][2] < here:
            heapq.heappop(open_)
        if open_:
            whose = open_[0][1]
            if pieces and pieces[-1][2] == whose and pieces[-1][1] == here - 1:
                pieces[-1] = (pieces[-1][0], after - 1, whose)
            else:
                pieces.append((here, after - 1, whose))
    return pieces


def merged(family: int, first: Array, last: Array) -> tuple[Array, Array]:
    """Union of intervals: overlapping and touching ones become one."""
    if not len(first):
        return first, last
    order = _order(first)
    first, last = first[order], last[order]
    highest = running_maximum(last)
    following = _successors(family, highest[:-1])
    apart = first[1:] > following
    starts = np.concatenate([[0], np.flatnonzero(apart) + 1])
    ends = np.append(starts[1:], len(first)) - 1
    return first[starts], highest[ends]


def _successors(family: int, values: Array) -> Array:
    """Value + 1, saturating at the last address."""
    if family == 4:
        top = np.uint32(0xFFFFFFFF)
        return np.where(values == top, top, values + np.uint32(1))
    halves = _halves(values)
    highest = ~np.uint64(0)
    full = halves[:, 1] == highest
    last = full & (halves[:, 0] == highest)
    following = halves + np.stack([full, np.ones(len(full), bool)], axis=1).astype("u8")
    following[last] = highest
    return np.frombuffer(following.astype(">u8").tobytes(), "S16")
