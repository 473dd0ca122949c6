"""Match feeds against the lake: which listed addresses talked to us, and did they get in.

index (indicators → intervals) ← addresses (distinct addresses of the files → numbers) ← matcher
(semi-join and roll-up in the engine) ← history (what has been matched, incremental). The cost
grows with distinct addresses and with flows, never with flows times indicators.
"""

from __future__ import annotations

from flowscan.match.history import match
from flowscan.match.index import FeedIndex
from flowscan.match.model import MatchResult, Stats

__all__ = ["FeedIndex", "MatchResult", "Stats", "match"]
