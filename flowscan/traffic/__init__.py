"""Traffic: what is derived from the flows once, and read by every answer.

Whose addresses (hosts), what was recorded where (edges), connections with who called (sessions),
who called whom and how it ended (contacts), bytes by hour (volumes), records by hour (tallies):
tables of the lake by UTC day, made by the query files of these names. Invariant: nothing above
this package reads flows to find out who called, how many bytes, or whose an address is.
"""

from __future__ import annotations

from flowscan.traffic.asking import asked, due, names_traffic
from flowscan.traffic.check import Difference, differences
from flowscan.traffic.days import stale
from flowscan.traffic.fold import Folded, fold
from flowscan.traffic.reading import made, reading

__all__ = [
    "Difference",
    "Folded",
    "asked",
    "differences",
    "due",
    "fold",
    "made",
    "names_traffic",
    "reading",
    "stale",
]
