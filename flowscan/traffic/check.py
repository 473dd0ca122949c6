"""Check the kept tables of traffic against the flows that they were made from.

Invariant: reads only. A day that is not current is no fault: the next reader folds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flowscan.engine import Engine
from flowscan.engine.views import Kept
from flowscan.lake import Snapshot
from flowscan.schema import TRAFFIC_TABLES
from flowscan.traffic import derive
from flowscan.traffic.days import DAY_S, all_of, stale
from flowscan.traffic.fold import derived
from flowscan.traffic.rows import rows_of


@dataclass(frozen=True, slots=True)
class Difference:
    """A kept table of a UTC day (epoch seconds) that is not what its flows give.

    `missing` rows are derived and not kept, `strange` ones kept and not derived.
    """

    table: str
    day: int
    missing: int
    strange: int


def differences(snapshot: Snapshot) -> Iterator[Difference]:
    """Derive every current day again and tell where the kept tables differ.

    Raises:
        EngineError: deriving failed.
    """
    due = stale(snapshot)
    for day, flows in all_of(snapshot).items():
        if day in due:
            continue
        with derived(snapshot, [day], flows) as made:
            for table in derive.KEPT:
                rows = made.execute(rows_of(table, day))
                yield from _compare(snapshot.narrowed(day, day + DAY_S), table, day, rows)


def _compare(snapshot: Snapshot, table: str, day: int, rows: object) -> Iterator[Difference]:
    kept = {table: Kept(tuple(snapshot.uris(table)), day, day + DAY_S)}
    columns = ", ".join(TRAFFIC_TABLES[table])
    here, there = f"SELECT {columns} FROM {table}", f"SELECT {columns} FROM again"
    with Engine(snapshot, tables={"again": rows}, kept=kept, derived=False) as engine:
        missing, strange = (
            engine.execute(f"SELECT count(*) AS n FROM ({a} EXCEPT ALL {b}) d")["n"][0].as_py()
            for a, b in ((there, here), (here, there))
        )
    if missing or strange:
        yield Difference(table, day, missing, strange)
