"""Adding up: rows of one table of traffic that stand for parts of the same thing.

Invariant: adding the tables of two sets of flows that share no connection gives the table of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowscan.schema import TRAFFIC_TABLES

KEYS: Final = {
    "edges": ("day", "recorder", "srcaddr", "dstaddr", "pkt_src", "pkt_dst", "src", "dst", "way",
              "path"),
    "contacts": ("day", "client", "server", "port", "protocol"),
    "tallies": ("day", "hour", "interface_id"),
    "volumes": ("day", "hour", "interface_id", "account_id", "client", "server", "client_side",
                "server_side", "port", "protocol", "path"),
}  # fmt: skip
"""What rows have in common that are added."""
MOST: Final = 9_000_000_000_000_000
"""Packets and bytes end here, as in the query files."""


def added(table: str, sources: Sequence[str], least: int = 0) -> str:
    """SELECT of the rows of a table (see `KEYS`) that several tables of its columns add up to.

    `least` bounds sums from below: parts of an hour's volumes may be below 0, all of it is not.
    """
    columns = TRAFFIC_TABLES[table]
    keys = KEYS[table]
    rows = " UNION ALL ".join(f"SELECT {', '.join(columns)} FROM {name}" for name in sources)
    chosen = ", ".join(
        name if name in keys else f"{_sum(name, kind, least)} AS {name}"
        for name, kind in columns.items()
    )
    return f"SELECT {chosen} FROM ({rows}) added GROUP BY {', '.join(keys)}"


def _sum(name: str, kind: str, least: int) -> str:
    if name == "first_seen":
        return f"min({name})"
    if kind in {"string", "address", "time"} or name == "duration":
        return f"max({name})"
    if kind == "float64":
        return f"sum({name})"
    return f"CAST(greatest(least(sum({name}), {MOST}), {least}) AS BIGINT)"
