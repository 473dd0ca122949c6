"""How many threads the questions to an engine are worth.

Each thread groups rows of its own, and the groups are put together in the end: over few rows that
costs more CPU than it saves time.
"""

from __future__ import annotations

from typing import Final

FEW: Final = 4_000_000
"""So many rows one thread sums by pairs of addresses in about a second."""


def threads_for(rows: int) -> int | None:
    """Threads for tables of so many rows between them: one, or None for all cores."""
    return 1 if rows <= FEW else None
