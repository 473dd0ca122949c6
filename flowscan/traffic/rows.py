"""Rows of the kept tables: which a part has, in which order, and how many are handled at once.

Invariant: a row's day is that of its time column, so that parts of different days share no row.
"""

from __future__ import annotations

from typing import Final

from flowscan.schema import TRAFFIC_TABLES
from flowscan.traffic.days import DAY_S

CHUNK_ROWS: Final = 12_000_000
"""Flows that are derived together, but for a single day that has more."""
MEMORY: Final = "1400MB"
"""What DuckDB may take for a chunk; a single day of more flows may take its default, 80 % of the
machine's, since its groups would no longer fit."""
WRITTEN: Final = 1 << 20
"""Rows that are written at once: a row group."""

_ORDER: Final = {
    "hosts": "address",
    "edges": "srcaddr, dstaddr, recorder",
    "sessions": "server, server_port, client, first_seen",
    "contacts": "server, port, client",
    "tallies": "hour, interface_id",
    "volumes": "hour, server, port, client",
}
_TIME: Final = {"sessions": "first_seen"}
"""The column that says which day a row is of, where it is not `day`."""


def rows_of(table: str, day: int, condition: str = "TRUE") -> str:
    """SQL of the rows that a kept table has of a UTC day, in the order in which they compress."""
    time = _TIME.get(table, "day")
    columns = ", ".join(TRAFFIC_TABLES[table])
    return (
        f"SELECT {columns} FROM {table} WHERE {time} >= {day} AND {time} < {day + DAY_S} "
        f"AND ({condition}) ORDER BY {_ORDER[table]}"
    )


def memories(flows: int) -> tuple[str | None, ...]:
    """What DuckDB may take to derive so many flows, and then when that is too little.

    None is its default. Joins of millions of different addresses cannot spill all they need.
    """
    return (MEMORY, None) if flows <= CHUNK_ROWS else (None,)
