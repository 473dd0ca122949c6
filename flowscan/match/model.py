"""What a match gives back, and what the columns of `matches` mean.

One row per listed address, feed, local address, interface, protocol, port, action, direction and
UTC date. `port` is the service's port, on whichever side it is; `bytes_out` is what our side
sent. Invariant: rows are ordered by rank, then by weight, with ties broken by the address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

RANKS: Final = {
    1: "we talked to it",
    2: "it got in and was answered",
    3: "it got in, no answer seen",
    4: "listed address is our own",
    5: "we tried, refused",
    6: "refused noise",
}
"""Meaning of `rank`: 1 accepted egress to a listed address … 6 what the firewall threw away."""


@dataclass(slots=True)
class Stats:
    """Numbers of one match run; `seconds` by step."""

    addresses: int = 0
    indicators: int = 0
    intervals: int = 0
    listed: int = 0
    trusted: int = 0
    files: int = 0
    files_read: int = 0
    flows: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MatchResult:
    """Arrow table of schema "matches", and numbers about the run."""

    rows: Any
    stats: Stats
