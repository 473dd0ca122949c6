"""What a feed is: its settings, the entries a format yields, and the counts of a load.

Invariant: `entries == indicators + domains + other + broken + refused`, for every load.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

CATEGORIES: tuple[str, ...] = (
    "scanner",
    "c2",
    "tor",
    "mining",
    "brute-force",
    "spam",
    "malware",
    "phishing",
    "botnet",
    "proxy",
    "sinkhole",
    "blackhole",
    "drop-point",
    "custom",
)
"""Categories of feeds. Detections look for these names; "custom" is a list of the user's own."""


class Entry(NamedTuple):
    """One entry of a list as its format names it; `text` may be an address, prefix or range."""

    line: int
    text: str
    description: str = ""
    expires: int | None = None


@dataclass(slots=True)
class Counts:
    """What became of the entries of one load."""

    entries: int = 0
    indicators: int = 0
    domains: int = 0
    other: int = 0
    broken: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that did not become an indicator: where, why, and its text (cut)."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What a feed may contain.

    Prefixes wider than /`widest_v4` or /`widest_v6` are refused unless `broad`; private and
    reserved addresses unless `private`.
    """

    private: bool = False
    broad: bool = False
    widest_v4: int = 8
    widest_v6: int = 19


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a list: `format` None means told by content; `column` names that of a CSV."""

    format: str | None = None
    column: str | None = None


State = Literal["never", "ok", "held", "failed"]


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed as the lake keeps it. Times are epoch seconds, ages in seconds.

    `lifetime`: indicators not seen in the feed's latest version are gone at once; `lifetime`
    says after how long without a successful update the whole feed no longer counts.
    """

    name: str
    location: str
    category: str = "custom"
    confidence: int = 50
    trusted: bool = False
    enabled: bool = True
    format: str | None = None
    column: str | None = None
    private: bool = False
    broad: bool = False
    lifetime: int | None = None
    added: int = 0
    checked: int | None = None
    updated: int | None = None
    digest: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    read_as: str | None = None
    state: State = "never"
    problem: str | None = None
    counts: Counts = field(default_factory=Counts)
    intervals: int = 0
