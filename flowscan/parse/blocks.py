"""Finds the lines of a block that a CSV reader reads exactly as flowscan means them.

Invariant: a line is only called regular when it is clean: printable, single delimiters, no blanks
at its ends, no comment, no signs before digits, not too long. Every other line is a suspect, for
`lines.LineParser` to judge. Whole-array operations only; they cost a fraction of the reading.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from flowscan.parse.model import Plan

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_STEP = 256 << 10  # what is scanned at once stays in the second-level cache
_LF, _BLANK, _HASH, _QUOTE, _TAB = 10, 32, 35, 34, 9
_SIGNS = (ord("+"), ord("-"))


class Regular(NamedTuple):
    """Text of the regular lines, and their numbers within the block (None: all lines)."""

    text: bytes
    lines: Ints | None


class Block:
    """A block of whole lines."""

    def __init__(self, text: bytes, plan: Plan, max_line: int) -> None:
        self.text = text
        self.plan = plan
        self.max_line = max_line
        self.ends = _ends(text)

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.ends)

    def start(self, index: int) -> int:
        """Offset of a line."""
        return int(self.ends[index - 1]) if index else 0

    def raw(self, index: int) -> bytes:
        """A line as it came, with its line end."""
        return self.text[self.start(index) : int(self.ends[index])]

    def regular(self, *, exact: bool) -> Regular:
        """The regular lines.

        Without `exact` a line with a field too few may pass if another has one too many (a CSV
        reader refuses the latter); with it, each line has the right number of delimiters.
        """
        text, ends = self.text, self.ends
        suspects = self._too_long()
        if not self._clean(text, ends):
            text = _tidied(text, spaced=self.plan.delimiter == b" ")
            ends = _ends(text)
            suspects |= self._unclean(text, ends)
            exact = True
        data = _bytes(text)
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
        suspects |= (data[starts] == _HASH) | (data[starts] == _LF)
        delimiters = len(self.plan.columns) - 1
        mark = self.plan.delimiter[0]
        if not exact:
            exact = int(np.count_nonzero(data == mark)) != delimiters * len(ends)
        if exact:
            at = np.searchsorted(np.flatnonzero(data == mark), ends)
            suspects |= np.diff(at, prepend=0) != delimiters
        if not suspects.any():
            return Regular(text, None)
        return Regular(_kept(text, starts, ends, ~suspects), np.flatnonzero(~suspects))

    def _too_long(self) -> Mask:
        # with the line end; at most two bytes more than the limit may still be in order
        long: Mask = np.diff(self.ends, prepend=0) > self.max_line
        return long

    def _clean(self, text: bytes, ends: Ints) -> bool:
        """True when no line can be a suspect for its bytes."""
        data = _bytes(text)
        if data[0] <= _BLANK or data[0] in _SIGNS or data[-1] == _BLANK:
            return False
        lines = len(ends) - (data[-1] != _LF)
        spaced = self.plan.delimiter == b" "
        if not spaced and (_QUOTE in text or _BLANK in text):
            return False
        odd = 0
        for at in range(0, len(data), _STEP):
            piece = data[at : at + _STEP + 2]
            odd += int(np.count_nonzero(piece[:_STEP] - np.uint8(_BLANK) > 0x5E))
            gap = piece <= _BLANK
            if not spaced:
                gap |= piece == self.plan.delimiter[0]
            if spaced and (gap[1:] & gap[:-1]).any():
                return False
            if _signed(piece, gap).any():
                return False
        return bool(odd == lines)

    def _unclean(self, text: bytes, ends: Ints) -> Mask:
        """Lines that are suspects for their bytes."""
        data = _bytes(text)
        bad = (data - np.uint8(_BLANK) > 0x5E) & (data != _LF)
        if self.plan.delimiter == b" ":
            gap = data <= _BLANK
            bad[1:] |= gap[1:] & gap[:-1]
        else:
            bad |= (data == _QUOTE) | (data == _BLANK)
            gap = (data == self.plan.delimiter[0]) | (data == _LF)
        bad[2:] |= _signed(data, gap)
        bad[:1] |= np.isin(data[:1], (*_SIGNS, _BLANK))
        bad[-1:] |= data[-1:] == _BLANK
        mask = np.zeros(len(ends), np.bool_)
        mask[np.searchsorted(ends, np.flatnonzero(bad), side="right")] = True
        return mask


def _bytes(text: bytes) -> Bytes:
    return np.frombuffer(text, np.uint8)


def _ends(text: bytes) -> Ints:
    """Offsets behind the lines; the last line may lack its LF."""
    ends: Ints = np.flatnonzero(_bytes(text) == _LF) + 1
    if not len(ends) or ends[-1] != len(text):
        ends = np.append(ends, len(text))
    return ends


def _signed(data: Bytes, gap: Mask) -> Any:
    """Where a token starts with a sign and goes on: CSV readers take it as a number."""
    sign = (data == _SIGNS[0]) | (data == _SIGNS[1])
    return gap[:-2] & sign[1:-1] & ~gap[2:]


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
