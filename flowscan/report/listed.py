"""What a report says of listed addresses that were met: plain frozen values, as in `model`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GOT_THROUGH: Final = 3
"""Highest rank of a match of which something got through, as `match` ranks them: ours talked to it,
or it got in. Behind it come our own addresses (4), our calls in vain (5) and refused noise (6)."""


@dataclass(frozen=True, slots=True)
class Match:
    """A listed address that was met: the lowest rank of its matches, and what was accepted.

    `undecided` when of all that got through nobody can tell who called.
    """

    address: str
    feed: str
    category: str
    indicator: str
    confidence: int | None
    accepted: int
    refused: int
    bytes: int
    direction: str
    local: tuple[str, ...]
    ports: tuple[int, ...]
    first_seen: int
    last_seen: int
    rank: int
    undecided: bool

    @property
    def passed(self) -> bool:
        """Whether something got through."""
        return self.rank <= GOT_THROUGH


@dataclass(frozen=True, slots=True)
class Matched:
    """How many listed addresses were met, those that are not shown included, by their rank.

    Of those that `passed` it is undecided for some who called; of the others some are our `own`,
    some were called by ours in `vain`, and the rest were `refused`.
    """

    passed: int = 0
    undecided: int = 0
    own: int = 0
    vain: int = 0
    refused: int = 0

    @property
    def others(self) -> int:
        """Those of which nothing got through."""
        return self.own + self.vain + self.refused
