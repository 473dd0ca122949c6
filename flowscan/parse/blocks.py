"""Finds the lines of a block that a CSV reader reads exactly as flowscan means them.

Invariant: a line is only called regular when it is clean: printable, single delimiters, no blanks
at its ends, no comment, not too long. Every other line is a suspect, for `lines.LineParser` to
judge. Whole-array operations only; they cost a fraction of the reading.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from flowscan.arrays import Ints, Mask
from flowscan.parse.model import Data, Plan

Bytes: TypeAlias = npt.NDArray[np.uint8]

_LF, _BLANK, _HASH, _QUOTE = b'\n #"'
_PART = 256 << 10
_PADDED = 20
_PADDED_NUMBER = re.compile(rb"0{7}[0-9]{13}")
_FOUR_ZEROS = int.from_bytes(b"0000", "little")


class Regular(NamedTuple):
    """Text of the regular lines, and their numbers within the block (None: all lines)."""

    text: Data
    lines: Ints | None


class Block:
    """A block of whole lines; the last may lack its LF.

    `odd_numbers`: some token may be a number for a CSV reader that is none for flowscan.
    """

    def __init__(self, text: memoryview, plan: Plan, max_line: int) -> None:
        self.text = text
        self.plan = plan
        self.max_line = max_line
        self.odd_numbers = False
        self._clean = True
        feeds = 0
        for at in range(0, len(text), _PART):
            part = bytes(text[at : at + _PART + _PADDED])
            data = _bytes(part)[:_PART]
            lines = int(np.count_nonzero(data == _LF))
            feeds += lines
            self._clean = self._clean and self._is_clean(part, data, lines)
            self.odd_numbers = self.odd_numbers or _has_odd_numbers(part)
        self._lines = feeds + (text[-1] != _LF)

    def __len__(self) -> int:
        """Number of lines."""
        return self._lines

    @cached_property
    def _ends(self) -> Ints:
        return _ends(_bytes(self.text))

    def start(self, index: int) -> int:
        """Offset of a line."""
        return int(self._ends[index - 1]) if index else 0

    def raw(self, index: int) -> bytes:
        """A line as it came, with its line end."""
        return bytes(self.text[self.start(index) : int(self._ends[index])])

    def regular(self, *, exact: bool) -> Regular:
        """The regular lines.

        Without `exact` there may be empty lines among them, and lines with too few or too many
        fields, which the reader finds by itself.
        """
        if not exact and self._clean:
            return Regular(self.text, None)
        # with the line end; at most two bytes more than the limit may still be in order
        suspects: Mask = np.diff(self._ends, prepend=0) > self.max_line
        text = _tidied(bytes(self.text), spaced=self.plan.delimiter[0] == _BLANK)
        data = _bytes(text)
        ends = _ends(data)
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
        suspects |= (data[starts] == _HASH) | (data[starts] == _LF)
        suspects |= self._irregular(data, ends)
        if not suspects.any():
            return Regular(text, None)
        return Regular(_kept(text, starts, ends, ~suspects), np.flatnonzero(~suspects))

    def _is_clean(self, part: bytes, data: Bytes, lines: int) -> bool:
        """True when no byte makes a suspect of its line or asks for tidying, nor any length."""
        if np.count_nonzero(data < _BLANK) != lines or data.max() >= 0x7F:
            return False
        if b"#" in part or (self.plan.delimiter[0] != _BLANK and (b'"' in part or b" " in part)):
            return False
        step = max(
            self.max_line // 2, 1
        )  # a line of more than max_line bytes would fill one of these
        return all(part.find(b"\n", at, at + step) >= 0 for at in range(0, len(data), step))

    def _irregular(self, data: Bytes, ends: Ints) -> Mask:
        """Lines that are suspects for their bytes or the number of their delimiters."""
        mark = self.plan.delimiter[0]
        at = np.searchsorted(np.flatnonzero(data == mark), ends)
        suspects: Mask = np.diff(at, prepend=0) != len(self.plan.columns) - 1
        odd = (data - np.uint8(_BLANK) > 0x5E) & (data != _LF)
        if mark == _BLANK:
            gap = data <= _BLANK
            odd[1:] |= gap[1:] & gap[:-1]
            odd[:1] |= data[:1] == _BLANK
        else:
            odd |= (data == _QUOTE) | (data == _BLANK)
        suspects[np.searchsorted(ends, np.flatnonzero(odd), side="right")] = True
        return suspects


def _has_odd_numbers(part: bytes) -> bool:
    """Whether there may be 0x1f, or a number of more than 19 digits that begins with 7 zeros.

    (Any other one of so many digits is large.) A run of 7 zeros has 4 of them in an aligned word.
    """
    if (b"x" in part or b"X" in part) and (b"0x" in part or b"0X" in part):
        return True
    words = np.frombuffer(part, np.uint32, len(part) // 4) == _FOUR_ZEROS
    return bool(words.any()) and any(
        _PADDED_NUMBER.search(part, max(0, 4 * word - 3), 4 * word + _PADDED)
        for word in np.flatnonzero(words).tolist()
    )


def _bytes(text: Data) -> Bytes:
    return np.frombuffer(text, np.uint8)


def _ends(data: Bytes) -> Ints:
    """Offsets behind the lines; the last line may lack its LF."""
    ends: Ints = np.flatnonzero(data == _LF) + 1
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
