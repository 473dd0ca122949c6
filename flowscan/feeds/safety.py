"""What a feed may not do: list everything, list private or reserved space, or change absurdly.

Invariant: a poisoned feed can at worst be useless. One that lists 0.0.0.0/0 must not turn every
flow into a match, and one that lists 10.0.0.0/8 must not accuse the user's own network.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

import numpy as np
import numpy.typing as npt

from flowscan.feeds.model import Policy
from flowscan.net.address import BITS, format_address, parse_interval
from flowscan.net.intervals import Array, pack, unpack
from flowscan.net.ranges import DOCUMENTATION, RANGES

Mask = npt.NDArray[np.bool_]

# Documentation prefixes are let in: no packet carries them, and every vendor's sample lists do.
_BARRED: Final = tuple(one for one in RANGES if one.name != DOCUMENTATION)


def _table(family: int) -> tuple[list[int], list[int], list[str]]:
    rows = []
    for one in _BARRED:
        interval = parse_interval(one.network)
        assert interval is not None
        if interval.family == family:
            rows.append((interval.first, interval.last, one.name))
    rows.sort()
    return [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]


_TABLES = {4: _table(4), 6: _table(6)}


def reserved_name(family: int, first: int, last: int) -> str | None:
    """Name of the private or reserved range that an interval touches, or None."""
    firsts, lasts, names = _TABLES[family]
    at = bisect_right(firsts, last) - 1
    return names[at] if at >= 0 and lasts[at] >= first else None


def refusal(family: int, first: int, last: int, policy: Policy) -> str | None:
    """Why an interval may not be an indicator, or None when it may."""
    if first != last and not policy.broad:
        widest = policy.widest_v4 if family == 4 else policy.widest_v6
        if last - first >= 1 << (BITS[family] - widest):
            return f"wider than /{widest}"
    if not policy.private:
        name = reserved_name(family, first, last)
        if name:
            return f"{name} address" if first == last else f"touches {name} addresses"
    return None


def refused(family: int, first: Array, last: Array, policy: Policy) -> Mask:
    """Which of many intervals (arrays as `intervals.pack` makes them) `refusal` refuses."""
    found = np.zeros(len(first), np.bool_)
    if not policy.broad:
        widest = policy.widest_v4 if family == 4 else policy.widest_v6
        if family == 4:
            found |= last - first >= np.uint32(1 << (32 - widest))
        else:  # the width of an IPv6 interval is more than a number of numpy holds
            suspect = np.flatnonzero(_top(last) - _top(first) >= 1 << (64 - widest - 1))
            spans = zip(unpack(6, first[suspect]), unpack(6, last[suspect]), strict=True)
            broad = [b - a >= 1 << (128 - widest) for a, b in spans]
            found[suspect[np.array(broad, np.bool_)]] = True
    if not policy.private:
        firsts, lasts, _ = _TABLES[family]
        low, high = pack(family, firsts), pack(family, lasts)
        at = np.searchsorted(low, last, side="right") - 1
        found |= (at >= 0) & (high[at] >= first)
    return found


def _top(values: Array) -> Array:
    return np.ascontiguousarray(values).view(">u8")[::2].astype("u8")


def held_back(before: int, now: int) -> str | None:
    """Why a new version of a feed is not taken over, comparing numbers of indicators, or None.

    A list that loses four fifths or grows fivefold from one update to the next is broken or
    poisoned more often than it is right; small lists may do what they like, except vanish.
    """
    if before and not now:
        return f"the new version holds no indicators, the last good one {before}"
    if before >= 20 and now * 5 < before:
        return f"shrank from {before} to {now} indicators"
    if before >= 20 and now > before * 5 + 1000:
        return f"grew from {before} to {now} indicators"
    return None


def describe(family: int, first: int, last: int) -> str:
    """Text of an interval for messages: an address, or first-last."""
    low = format_address(family, first)
    return low if first == last else f"{low}-{format_address(family, last)}"
