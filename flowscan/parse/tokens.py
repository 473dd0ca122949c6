"""Where the tokens of regular lines lie, found for a whole block at once.

Invariant: `find` only answers for text in which every line is regular: printable, single
delimiters, the right number of them, no blanks at its ends, no comment, not too long.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from flowscan.parse.model import Plan

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Words: TypeAlias = npt.NDArray[np.uint64]
"""Eight characters each, the first one in the lowest byte."""

LF, BLANK, HASH, QUOTE = 10, 32, 35, 34
CONTINUED = np.uint64(1 << 63)
LONGEST = 128
"""Longer tokens than this are not encoded in bulk; AWS has none."""

BEHIND = LONGEST + 16
"""Bytes that a text goes on for behind its last token, so that words may reach over its end."""

_BEFORE = 16
_WORD = np.dtype("<u8")
_KEPT: Words = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
"""By a number of characters: the mask that keeps so many and clears what follows them."""


class Texts(NamedTuple):
    """Texts as words, zeros behind their ends.

    `second` has its highest bit set where the text goes on: those rows are `long`, and `more`
    holds all their further words. No character has that bit, nor is any zero.
    """

    first: Words
    second: Words
    long: Ints
    more: list[Words]


class Tokens:
    """The tokens of a block of regular lines, one row of `starts` and `lengths` per column."""

    def __init__(self, text: Bytes, separators: Ints, columns: int) -> None:
        self._text = text  # with room before and behind
        ends = np.ascontiguousarray(separators.reshape(-1, columns).T)
        starts = np.empty_like(ends)
        starts[1:] = ends[:-1] + 1
        starts[0, :1] = 0
        starts[0, 1:] = ends[-1, :-1] + 1
        self.starts = starts
        self.lengths: Ints = ends - starts
        self.line_ends: Ints = ends[-1] + 1

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.line_ends)

    @property
    def first_characters(self) -> Bytes:
        """First character of each line."""
        first: Bytes = self._text[self.starts[0] + _BEFORE]
        return first

    def texts(self, columns: Ints) -> Texts:
        """The tokens of some columns, one column after the other."""
        at = self.starts[columns] + _BEFORE
        return texts_at(self._text, at.ravel(), self.lengths[columns].ravel())

    def ends(self, columns: Ints) -> tuple[Words, Words]:
        """Sixteen characters before the end of the tokens of some columns: first and last eight."""
        at = self.starts[columns] + self.lengths[columns]
        return _pairs(self._text, at + (_BEFORE - 16))


def texts_at(text: Bytes, at: Ints, lengths: Ints) -> Texts:
    """Texts of up to LONGEST characters; `text` goes on for BEHIND bytes behind the last."""
    first, second = _pairs(text, at)
    first = first & _KEPT.take(lengths, mode="clip")
    second = second & _KEPT.take(lengths - 8, mode="clip")  # the mode also takes negative ones
    long = np.flatnonzero(lengths > 16)
    if not len(long):
        return Texts(first, second, long, [])
    second[long] |= CONTINUED
    at, lengths, words = at[long], lengths[long], []
    for done in range(16, min(int(lengths.max()), LONGEST), 16):
        for i, word in enumerate(_pairs(text, at + done)):
            words.append(word & _KEPT.take(lengths - (done + 8 * i), mode="clip"))
    return Texts(first, second, long, words)


def _pairs(text: Bytes, at: Ints) -> tuple[Words, Words]:
    """Two words each that begin at any byte: 16 bytes are gathered in the time of 8."""
    room = np.ndarray((len(text) - 15,), np.complex128, text, 0, (1,))
    words: Words = room[at].view(_WORD).astype(np.uint64, copy=False)
    return words[..., ::2], words[..., 1::2]


def find(text: bytes | memoryview, plan: Plan, max_line: int) -> Tokens | None:
    """The tokens of a text, None unless every line of it is regular (the last may lack its LF)."""
    if not text:
        return None
    size = len(text) + (text[-1] != LF)
    room = np.zeros(_BEFORE + size + BEHIND, np.uint8)
    data = room[_BEFORE : _BEFORE + size]
    data[-1] = LF
    data[: len(text)] = np.frombuffer(text, np.uint8)
    columns = len(plan.columns)
    separators = _separators(data, plan.delimiter[0])
    if separators is None or len(separators) % columns:
        return None
    lines = data[separators].reshape(-1, columns)
    if (lines[:, -1] != LF).any() or (lines[:, :-1] == LF).any():
        return None
    tokens = Tokens(room, separators, columns)
    return tokens if _plain(tokens, plan, max_line) else None


def _separators(data: Bytes, delimiter: int) -> Ints | None:
    """Offsets of delimiters and line ends, None if there are bytes that make no regular line."""
    if data.max() >= 0x7F:
        return None
    low = data <= BLANK
    if delimiter == BLANK:
        found = np.flatnonzero(low)
        kinds = data[found]
        odd = (kinds != BLANK) & (kinds != LF)
    else:
        odd = (data[low] != LF) | (data == QUOTE).any()
        found = np.flatnonzero(low | (data == delimiter))
    return None if odd.any() else found


def _plain(tokens: Tokens, plan: Plan, max_line: int) -> bool:
    """No token is missing, no line is a comment or too long."""
    if plan.delimiter[0] == BLANK:
        if not tokens.lengths.min():
            return False
    elif len(plan.columns) == 1 and not tokens.lengths.all():
        return False  # an empty line
    if (tokens.first_characters == HASH).any():
        return False
    ends = tokens.line_ends
    longest = max(int(ends[0]), int(np.diff(ends).max(initial=0))) - 1
    return longest <= max_line
