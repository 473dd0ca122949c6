"""What a match gives back, and what the columns of `matches` mean.

One row per listed address, feed, local address, interface, protocol, port, action, direction and
UTC date. `direction` says who called: inbound, outbound, own (the listed address is ours) or
undecided. `port` is the service's; `flows` counts flow records, packets and bytes count once
whoever recorded them; `bytes_out` is what our side sent and was let through. Invariant: rows are
ordered by rank, then by weight, with ties broken by the address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

RANKS: Final = {
    1: "we talked to it",
    2: "it got in and was answered",
    3: "it got in, no service answered",
    4: "listed address is our own",
    5: "we tried, in vain",
    6: "refused noise",
}
"""Meaning of `rank`: 1 one of ours called a listed address and it answered … 6 what the firewall
threw away. A reset is no answer. Undecided who called: 2 or 3 by whether more than a reset passed
both ways, 6 when refused; never 1."""


@dataclass(slots=True)
class Stats:
    """Numbers of a match run: `days` compared, `flows` of listed addresses, `seconds` by step."""

    addresses: int = 0
    indicators: int = 0
    intervals: int = 0
    listed: int = 0
    trusted: int = 0
    days: int = 0
    flows: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MatchResult:
    """Arrow table of schema "matches", and numbers about the run."""

    rows: Any
    stats: Stats


_ORDER: Final = {
    "rank": "ascending",
    "confidence": "descending",
    "bytes_out": "descending",
    "bytes": "descending",
    "flows": "descending",
}


def ordered(rows: Any) -> Any:
    """Rows of `matches`, the worst first, then the weightiest; ties by every other column."""
    ties = [(name, "ascending") for name in rows.column_names if name not in _ORDER]
    return rows.sort_by([*_ORDER.items(), *ties])
