"""Addresses, prefixes and ranges read a column at a time: the frequent spellings, whole arrays.

Invariant: what is read here means what `address.parse_interval` says; every other spelling is
left for it (`Read.rest`). No Python object is made for an IPv4 entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from socket import AF_INET6, inet_ntop, inet_pton
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from flowscan.net.intervals import Array, Int64

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_DOT, _SLASH, _DASH, _ZERO = (ord(c) for c in "./-0")
_MAPPED: Final = bytes(10) + b"\xff\xff"
_QUAD: Final = np.zeros(256, np.bool_)
_QUAD[np.frombuffer(b"0123456789.", np.uint8)] = True
_COLON: Final = ord(":")
_LEAST: Final = np.array([0, 0, 10, 100], np.uint32)
"""Smallest number of so many digits: fewer mean a leading zero."""


@dataclass(frozen=True, slots=True)
class Texts:
    """UTF-8 texts as slices `starts` to `ends` of one buffer."""

    data: Bytes
    starts: Int64
    ends: Int64

    @classmethod
    def of(cls, texts: Sequence[str]) -> Texts:
        """Texts of strings; what is no Unicode (a lone surrogate) becomes a question mark."""
        raw = [text.encode("utf-8", "replace") for text in texts]
        ends = np.cumsum(np.fromiter(map(len, raw), np.int64, len(raw)))
        starts = np.concatenate([[0], ends[:-1]]) if raw else ends
        return cls(np.frombuffer(b"".join(raw), np.uint8), starts.astype(np.int64), ends)

    @classmethod
    def of_arrow(cls, array: Any) -> Texts:
        """Texts of an Arrow string or large_string array; a NULL is an empty text or some text."""
        kind = np.int32 if str(array.type) == "string" else np.int64
        held = np.frombuffer(array.buffers()[1], kind)[array.offset :][: len(array) + 1]
        offsets: Int64 = held.astype(np.int64, copy=False)
        buffer = array.buffers()[2]
        data = np.frombuffer(buffer, np.uint8) if buffer else np.zeros(0, np.uint8)
        return cls(data, offsets[:-1], offsets[1:])

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.starts)

    def __getitem__(self, row: int) -> str:
        """One text."""
        return self.data[self.starts[row] : self.ends[row]].tobytes().decode("utf-8", "replace")

    def take(self, rows: Int64 | Mask) -> Texts:
        """Some of the texts."""
        return Texts(self.data, self.starts[rows], self.ends[rows])

    def arrow(self) -> Any:
        """The texts as an Arrow string array, copied out of the buffer."""
        import pyarrow as pa

        sizes = self.ends - self.starts
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        where = np.arange(offsets[-1]) + np.repeat(self.starts - offsets[:-1], sizes)
        buffers = [None, pa.py_buffer(offsets.astype("i4")), pa.py_buffer(self.data[where])]
        return pa.Array.from_buffers(pa.string(), len(sizes), buffers)


@dataclass(frozen=True, slots=True)
class Columns:
    """Intervals of one family (arrays as `intervals.pack` makes them) and the rows they are of."""

    rows: Int64
    first: Array
    last: Array


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of an array of texts; `rest` are the rows that were not."""

    four: Columns
    six: Columns
    rest: Int64


def read(texts: Texts) -> Read:
    """Read addresses, `address/length` and IPv4 `a-b`; see the module's invariant."""
    if not len(texts):
        none = np.zeros(0, np.int64)
        four = Columns(none, np.zeros(0, "u4"), np.zeros(0, "u4"))
        return Read(four, Columns(none, np.zeros(0, "S16"), np.zeros(0, "S16")), none)
    four = _four(texts)
    left = np.ones(len(texts), np.bool_)
    left[four.rows] = False
    six = _six(texts, np.flatnonzero(left))
    left[six.rows] = False
    return Read(four, six, np.flatnonzero(left))


class _Scan:
    """Places in a buffer that matter for dotted quads."""

    def __init__(self, data: Bytes) -> None:
        self.data = data
        # sentinels behind the end, so that every search finds something
        self.dots = np.append(np.flatnonzero(data == _DOT), [len(data)] * 4)
        self._other = np.append(np.flatnonzero(~_QUAD[data]), len(data))

    def run_end(self, starts: Int64, ends: Int64) -> Int64:
        """Where the digits and dots that begin at `starts` end."""
        found: Int64 = self._other[np.searchsorted(self._other, starts)]
        return np.minimum(found, ends)

    def quads(self, starts: Int64, ends: Int64) -> tuple[Array, Mask]:
        """Strict dotted quads: values, and which are valid; slices hold digits and dots only."""
        sizes = ends - starts
        valid = (sizes >= 7) & (sizes <= 15)
        at = np.searchsorted(self.dots, starts)
        at = np.minimum(at, len(self.dots) - 4)
        valid &= (self.dots[at + 2] < ends) & (self.dots[at + 3] >= ends)
        value = np.zeros(len(starts), np.uint32)
        begin = starts
        for i in range(4):
            end = np.where(valid, self.dots[at + i] if i < 3 else ends, 3)
            octet, good = self._octet(np.where(valid, begin, 0), end)
            valid &= good
            value = (value << np.uint32(8)) | octet
            begin = end + 1
        return value, valid

    def _octet(self, begin: Int64, end: Int64) -> tuple[Array, Mask]:
        """Numbers of one to three digits without a leading zero, at most 255."""
        size = end - begin
        digits = [self._digit(end - i) * (size >= i) for i in (1, 2, 3)]
        octet: Array = digits[0] + np.uint32(10) * digits[1] + np.uint32(100) * digits[2]
        good = (size >= 1) & (size <= 3) & (octet <= 255)
        good &= octet >= _LEAST[np.clip(size, 0, 3)]
        return (octet & np.uint32(255)).astype(np.uint32), good

    def _digit(self, at: Int64) -> Array:
        held = self.data[np.clip(at, 0, max(len(self.data) - 1, 0))]
        return (held - np.uint8(_ZERO)).astype(np.uint32)


def quads(texts: Texts) -> tuple[Array, Mask]:
    """Values of strict dotted quads (uint32), and which of the texts are such."""
    if not len(texts.data):
        return np.zeros(len(texts), np.uint32), np.zeros(len(texts), np.bool_)
    scan = _Scan(texts.data)
    whole = scan.run_end(texts.starts, texts.ends) == texts.ends
    value, valid = scan.quads(texts.starts, texts.ends)
    return value, valid & whole


def _four(texts: Texts) -> Columns:
    data, starts, ends = texts.data, texts.starts, texts.ends
    if not len(data):
        return Columns(np.zeros(0, np.int64), np.zeros(0, "u4"), np.zeros(0, "u4"))
    scan = _Scan(data)
    middle = scan.run_end(starts, ends)
    first, valid = scan.quads(starts, middle)
    mark = np.where(middle < ends, data[np.minimum(middle, len(data) - 1)], 0)
    last = first.copy()
    prefix = np.flatnonzero(valid & (mark == _SLASH))
    span = np.flatnonzero(valid & (mark == _DASH))
    valid &= middle == ends
    size, good = _lengths(data, middle[prefix] + 1, ends[prefix])
    host = (np.uint64(1) << (np.uint64(32) - np.minimum(size, 32).astype("u8"))) - np.uint64(1)
    first[prefix] &= ~host.astype("u4")
    last[prefix] |= host.astype("u4")
    valid[prefix] = good & (size <= 32)
    low, high = middle[span] + 1, ends[span]
    last[span], good = scan.quads(low, high)
    valid[span] = good & (scan.run_end(low, high) == high) & (first[span] <= last[span])
    rows = np.flatnonzero(valid)
    return Columns(rows, first[rows], last[rows])


def _lengths(data: Bytes, starts: Int64, ends: Int64) -> tuple[Array, Mask]:
    """Prefix lengths of one or two digits, and which are such."""
    size = ends - starts
    last = max(len(data) - 1, 0)
    units = data[np.clip(ends - 1, 0, last)] - np.uint8(_ZERO)
    tens = data[np.clip(ends - 2, 0, last)] - np.uint8(_ZERO)
    tens = np.where(size == 2, tens, 0)
    good = ((size == 1) | (size == 2)) & (units <= 9) & (tens <= 9)
    return np.where(good, tens * np.uint8(10) + units, 0), good


def _six(texts: Texts, rows: Int64) -> Columns:
    """IPv6 addresses and prefixes; mapped ones are left."""
    colon = np.append(np.flatnonzero(texts.data == _COLON), len(texts.data))
    starts, ends = texts.starts[rows], texts.ends[rows]
    rows = rows[(colon[np.searchsorted(colon, starts)] < ends) & (ends - starts <= 49)]
    packed: list[bytes] = []
    sizes: list[int] = []
    kept: list[int] = []
    raw = texts.data.tobytes() if len(rows) else b""
    for row, a, b in zip(
        rows.tolist(), texts.starts[rows].tolist(), texts.ends[rows].tolist(), strict=True
    ):
        base, slash, length = raw[a:b].partition(b"/")
        if slash and not (length.isdigit() and len(length) <= 3 and int(length) <= 128):
            continue
        try:
            value = inet_pton(AF_INET6, base.decode("ascii"))
        except (OSError, ValueError):
            continue
        if not value.startswith(_MAPPED):
            packed.append(value)
            sizes.append(int(length) if slash else 128)
            kept.append(row)
    first, last = masked(b"".join(packed), np.array(sizes, np.int64))
    return Columns(np.array(kept, np.int64), first, last)


def masked(addresses: bytes, sizes: Int64) -> tuple[Array, Array]:
    """First and last addresses of IPv6 prefixes, given as sixteen bytes each and lengths."""
    value = np.frombuffer(addresses, ">u8").reshape(-1, 2).astype("u8")
    wide = np.stack([np.clip(sizes, 0, 64), np.clip(sizes - 64, 0, 64)], axis=1).astype("u8")
    # a shift by 64 is undefined, so by one less and one more
    host = np.where(wide == 0, ~np.uint64(0), (np.uint64(1) << (np.uint64(64) - wide)) - 1)
    host = np.where(wide == 64, np.uint64(0), host)
    return tuple(
        np.frombuffer(part.astype(">u8").tobytes(), "S16") for part in (value & ~host, value | host)
    )  # type: ignore[return-value]


def format_four(values: Array) -> Any:
    """Dotted quads of uint32 values, as an Arrow string array."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = pa.array([str(i) for i in range(256)])
    octets = [names.take(pa.array((values >> s & 255).astype("u1"))) for s in (24, 16, 8, 0)]
    return pc.binary_join_element_wise(*octets, ".")


def format_six(values: Array) -> Any:
    """Canonical texts of packed IPv6 addresses, as an Arrow string array."""
    import pyarrow as pa

    data = np.ascontiguousarray(values).tobytes()
    texts = [inet_ntop(AF_INET6, data[i : i + 16]) for i in range(0, len(data), 16)]
    return pa.array(texts, pa.string())
