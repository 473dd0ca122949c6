"""Traffic: what is derived from the flows once, and read by every answer.

Whose addresses (hosts), what was recorded where (edges), connections with who called (sessions),
who called whom and how it ended (contacts), bytes by hour (volumes), records by hour (tallies):
tables of the lake by UTC day, made by the query files of these names. Invariant: nothing above
this package reads flows to find out who called, how many bytes, or whose an address is.
"""

from flowscan.traffic.fold import Folded, fold, stale
from flowscan.traffic.reading import reading

__all__ = ["Folded", "fold", "reading", "stale"]
