"""Texts of a table as numbers: one type of their own for each kind of text, in order of the texts.

Comparing, grouping and ordering by such a column costs what it costs for numbers, and Arrow gets
it as a dictionary. Invariant: a column has the same texts as before, in the same order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from flowscan.engine.views import identifier

if TYPE_CHECKING:
    import duckdb

MOST: Final = 1 << 20
"""More different texts than this stay texts: a dictionary lies in memory and cannot spill."""


def encode(con: duckdb.DuckDBPyConnection, table: str, kinds: Mapping[str, str]) -> None:
    """Give columns of a table types of their own; `kinds`: column → name of its kind of text."""
    columns: dict[str, list[str]] = defaultdict(list)
    for column, kind in kinds.items():
        columns[kind].append(identifier(column))
    for kind, names in columns.items():
        texts = " UNION ".join(f"SELECT {n} AS x FROM {identifier(table)}" for n in names)
        texts = f"SELECT x FROM ({texts}) t WHERE x IS NOT NULL"
        different = con.execute(f"SELECT count(*) FROM ({texts}) t").fetchall()[0][0]
        if different == 0 or different > MOST:  # a type of no text cannot be made
            continue
        made = identifier(f"{table}_{kind}")
        con.execute(f"DROP TYPE IF EXISTS {made}")
        con.execute(f"CREATE TEMP TYPE {made} AS ENUM ({texts} ORDER BY x)")
        for name in names:
            con.execute(f"ALTER TABLE {identifier(table)} ALTER {name} TYPE {made}")
