"""Entries of a list in blocks of some ten thousand, as columns.

Invariant: `of_plain` gives the entries that `formats.plain.parse_plain` gives, in their order;
lines of regular shape never become Python objects, all others go through it one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np

from flowscan.feeds.formats.plain import plain_entry, significant
from flowscan.feeds.model import Entry
from flowscan.net.columns import Bytes, Mask, Texts
from flowscan.net.intervals import Int64

_PIECE: Final = 1 << 20
"""Bytes of text per block: what is worked on stays in the cache, more or less."""
_ENTRIES: Final = 1 << 16
_TRIM: Final = " \t,;#"
_LF, _DASH = 10, ord("-")

_TOKEN: Final = np.zeros(256, np.bool_)
_TOKEN[np.frombuffer(b"0123456789abcdefABCDEF.:/-", np.uint8)] = True
_FIRST: Final = _TOKEN.copy()
_FIRST[np.frombuffer(b"./-", np.uint8)] = False
_AFTER: Final = np.zeros(256, np.bool_)
_AFTER[np.frombuffer(b"\n \t,;#", np.uint8)] = True
_ODD: Final = np.ones(256, np.bool_)
_ODD[0x20:0x7F] = False
_ODD[[9, 10]] = False


@dataclass(frozen=True, slots=True)
class Block:
    """Some entries: line numbers, texts, descriptions (None: none has any), expiry (likewise)."""

    lines: Int64
    texts: Texts
    about: Any = None
    expires: Any = None


def of_entries(entries: Iterator[Entry]) -> Iterator[Block]:
    """Blocks of the entries that a format yields one by one."""
    import pyarrow as pa

    while held := list(islice(entries, _ENTRIES)):
        about = [e.description.encode("utf-8", "replace") if e.description else None for e in held]
        yield Block(
            np.array([e.line for e in held], np.int64),
            Texts.of([e.text for e in held]),
            pa.array(about, pa.binary()).cast(pa.string()),
            pa.array([e.expires for e in held], pa.int64()),
        )


def of_plain(text: str) -> Iterator[Block]:
    """Blocks of a plain list, see `formats.plain.parse_plain`."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    raw = text.encode("utf-8", "replace")
    at, number = 0, 1
    while at < len(raw):
        end = raw.find(b"\n", at + _PIECE) + 1 or len(raw)
        piece = raw[at:end] if raw[end - 1] == _LF else raw[at:end] + b"\n"
        data = np.frombuffer(piece, np.uint8)
        ends = np.flatnonzero(data == _LF)
        yield _block(data, np.concatenate([[0], ends[:-1] + 1]), ends, number)
        at, number = end, number + len(ends)


def _block(data: Bytes, starts: Int64, ends: Int64, number: int) -> Block:
    """The block of some whole lines; `number` is that of the first."""
    stops = np.flatnonzero(~_TOKEN[data])
    stop = stops[np.searchsorted(stops, starts)]
    regular = _FIRST[data[starts]] & _AFTER[data[stop]] & ~_odd_lines(data, ends)
    rows = np.flatnonzero(regular)
    lines, texts = rows + number, Texts(data, starts[rows], stop[rows])
    rests = Texts(data, stop[rows], ends[rows])
    entries = list(_one_by_one(data, starts, ends, np.flatnonzero(~regular), number))
    if not entries:
        return Block(lines, texts, _about(rests))
    lines = np.concatenate([lines, np.array([e.line for e in entries], np.int64)])
    texts = _joined(texts, Texts.of([e.text for e in entries]))
    rests = _joined(rests, Texts.of([e.description for e in entries]))
    order = np.argsort(lines, kind="stable")
    return Block(lines[order], texts.take(order), _about(rests.take(order)))


def _odd_lines(data: Bytes, ends: Int64) -> Mask:
    """Lines with bytes that are not printable ASCII, or with a dash between blanks."""
    odd = np.flatnonzero(_ODD[data])
    dash = np.flatnonzero(data[1:-1] == _DASH) + 1
    dash = dash[np.isin(data[dash - 1], (32, 9)) & np.isin(data[dash + 1], (32, 9))]
    lines = np.zeros(len(ends), np.bool_)
    lines[np.searchsorted(ends, np.concatenate([odd, dash]))] = True
    return lines


def _one_by_one(
    data: Bytes, starts: Int64, ends: Int64, rows: Int64, number: int
) -> Iterator[Entry]:
    for row, a, b in zip(rows.tolist(), starts[rows].tolist(), ends[rows].tolist(), strict=True):
        line = significant(data[a:b].tobytes().decode("utf-8", "replace"))
        if line:
            yield plain_entry(row + number, line)


def _joined(one: Texts, other: Texts) -> Texts:
    moved = len(one.data)
    return Texts(
        np.concatenate([one.data, other.data]),
        np.concatenate([one.starts, other.starts + moved]),
        np.concatenate([one.ends, other.ends + moved]),
    )


def _about(rests: Texts) -> Any:
    """Descriptions: what follows the entries, without separators around it; None for none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (rests.ends > rests.starts).any():
        return None
    trimmed = pc.utf8_slice_codeunits(pc.utf8_trim(rests.arrow(), _TRIM), 0, 200)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
