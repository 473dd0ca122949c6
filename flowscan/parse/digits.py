"""Decimal digits → integers, whole columns at a time.

Invariant: a value that is neither NULL nor bad is the number that its digits mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flowscan.parse.tokens import Ints, Mask, Tokens, Words

MOST_DIGITS = 16
"""Numbers of more digits are called bad here, for the parser of single lines to judge."""

_ZEROS = np.uint64(0x3030303030303030)
_OVER_NINE, _HIGH = np.uint64(0x7676767676767676), np.uint64(0x8080808080808080)
_MINUS = np.uint64(0x2D ^ 0x30)
_LAST: Words = np.array([(1 << 64) - (1 << 8 * (8 - n)) for n in range(9)], np.uint64)
"""By a number of characters: the mask that keeps so many of the last ones."""


class Integers(NamedTuple):
    """Columns of integers, a row of the arrays each; `null` and `bad` are None where none is."""

    values: Ints
    null: Mask | None
    bad: Mask | None


def integers(tokens: Tokens, columns: Ints) -> Integers:
    """Decode columns. A minus alone is NULL, and so is an empty token."""
    lengths = tokens.lengths[columns]
    high, low = tokens.ends(columns)
    low = _digits(low, lengths)
    odd = _not_digits(low)
    values = _eight(low)
    longest = int(lengths.max())
    if longest > 8:
        for row in np.flatnonzero(lengths.max(axis=1) > 8).tolist():
            long = np.flatnonzero(lengths[row] > 8)
            more = _digits(high[row, long], lengths[row, long] - 8)
            odd[row, long] |= _not_digits(more)
            if (more == more[0]).all():
                more = more[:1]  # times of one block begin alike
            values[row, long] += _eight(more) * np.uint64(100_000_000)
    null = bad = None
    if np.bitwise_or.reduce(odd, axis=None):
        bad = odd != 0
        null = bad & (lengths == 1) & ((low >> np.uint64(56)) == _MINUS)
        bad &= ~null
    if longest > MOST_DIGITS:
        more_digits = lengths > MOST_DIGITS
        bad = more_digits if bad is None else bad | more_digits
    if not lengths.all():
        empty = lengths == 0
        null = empty if null is None else null | empty
    return Integers(values.view(np.int64), null, bad)


def _digits(words: Words, lengths: Ints) -> Words:
    """Values of the last `lengths` (at most eight) characters, the others zero."""
    digits: Words = (words ^ _ZEROS) & _LAST.take(lengths, mode="clip")
    return digits


def _not_digits(words: Words) -> Words:
    """Nonzero where a character is no digit: only up to nine does a byte stay below 0x80."""
    return ((words + _OVER_NINE) | words) & _HIGH


def _eight(words: Words) -> Words:
    """Numbers of eight digits each, by pairs, fours and eights (Lemire's SWAR method)."""
    pairs = words * np.uint64(10) + (words >> np.uint64(8))
    even = pairs & np.uint64(0x000000FF000000FF)
    odd = (pairs >> np.uint64(16)) & np.uint64(0x000000FF000000FF)
    total: Words = (
        even * np.uint64(100 + (1_000_000 << 32)) + odd * np.uint64(1 + (10_000 << 32))
    ) >> np.uint64(32)
    return total
