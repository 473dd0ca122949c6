"""Finds the lines of a block that are read in bulk exactly as flowscan means them.

Invariant: a line is only called regular when it is clean: printable, single delimiters, the right
number of them, no blanks at its ends, no comment, not too long. Every other line is a suspect, for
`lines.LineParser` to judge. Whole-array operations only; they cost a fraction of the reading.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flowscan.parse.model import Plan
from flowscan.parse.tokens import BLANK, HASH, LF, QUOTE, Bytes, Ints, Mask, Tokens, find


class Regular(NamedTuple):
    """The regular lines (None: there are none), and their numbers within the block (None: all)."""

    tokens: Tokens | None
    lines: Ints | None


class Block:
    """A block of whole lines; the last may lack its LF."""

    def __init__(self, text: bytes | memoryview, plan: Plan, max_line: int) -> None:
        self.text = text
        self.plan = plan
        self.max_line = max_line
        self._tokens = find(text, plan, max_line)
        self.ends = self._tokens.line_ends if self._tokens else _ends(np.frombuffer(text, np.uint8))

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.ends)

    def start(self, index: int) -> int:
        """Offset of a line."""
        return int(self.ends[index - 1]) if index else 0

    def raw(self, index: int) -> bytes:
        """A line as it came, with its line end."""
        return bytes(self.text[self.start(index) : int(self.ends[index])])

    def regular(self) -> Regular:
        """The regular lines."""
        if self._tokens is not None:
            return Regular(self._tokens, None)
        text = _tidied(bytes(self.text), spaced=self.plan.delimiter[0] == BLANK)
        data = np.frombuffer(text, np.uint8)
        ends = _ends(data)
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
        keep = ~self._suspects(data, starts, ends)
        kept = _kept(text, starts, ends, keep)
        tokens = find(kept, self.plan, self.max_line)
        if tokens is None:
            assert not kept
            return Regular(None, np.zeros(0, np.int64))
        return Regular(tokens, np.flatnonzero(keep))

    def _suspects(self, data: Bytes, starts: Ints, ends: Ints) -> Mask:
        # with the line end; at most two bytes more than the limit may still be in order
        suspects: Mask = np.diff(self.ends, prepend=0) > self.max_line
        suspects |= (data[starts] == HASH) | (data[starts] == LF)
        mark = self.plan.delimiter[0]
        at = np.searchsorted(np.flatnonzero(data == mark), ends)
        suspects |= np.diff(at, prepend=0) != len(self.plan.columns) - 1
        odd = (data - np.uint8(BLANK) > 0x5E) & (data != LF)
        if mark == BLANK:
            gap = data <= BLANK
            odd[1:] |= gap[1:] & gap[:-1]
            odd[:1] |= data[:1] == BLANK
        else:
            odd |= (data == QUOTE) | (data == BLANK)
        suspects[np.searchsorted(ends, np.flatnonzero(odd), side="right")] = True
        return suspects


def _ends(data: Bytes) -> Ints:
    """Offsets behind the lines; the last line may lack its LF."""
    ends: Ints = np.flatnonzero(data == LF) + 1
    if not len(ends) or ends[-1] != len(data):
        ends = np.append(ends, len(data))
    return ends


def _tidied(text: bytes, *, spaced: bool) -> bytes:
    """The same lines without CR before LF; spaced ones with single spaces, none at the ends."""
    if not text.endswith(b"\n"):
        text += b"\n"
    text = text.replace(b"\r\n", b"\n")
    if not spaced:
        return text
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text.replace(b" \n", b"\n").replace(b"\n ", b"\n").lstrip(b" ")


def _kept(text: bytes, starts: Ints, ends: Ints, keep: Mask) -> bytes:
    """Text of the lines to keep, joined from runs of them."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], keep, [False])).astype(np.int8)))
    view = memoryview(text)
    runs = zip(starts[edges[::2]].tolist(), ends[edges[1::2] - 1].tolist(), strict=True)
    return b"".join(view[a:b] for a, b in runs)
