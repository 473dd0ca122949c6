"""What a lake holds, in numbers that a plain glob over its files agrees with.

Invariant: every number is the ledger's; no Parquet file is opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowscan.lake import layout
from flowscan.lake.state import Totals
from flowscan.schema import DERIVED_TABLES

if TYPE_CHECKING:
    from flowscan.lake.lake import Lake


@dataclass(slots=True)
class DateStatus:
    """Flows of one UTC date; `first` and `last` are the least and greatest `start`.

    `unattributed` flows do not know their source object: a lake of format 1 did not keep it.
    """

    date: str
    files: int = 0
    flows: int = 0
    bytes: int = 0
    first: int | None = None
    last: int | None = None
    unattributed: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """A lake in numbers.

    `totals` are sums over all sources ever committed; `flows` is what is live, `unattributed`
    those of them that do not know their source object, `expired` what `lake expire` took out,
    `unpublished` the commits that the next writer has to finish. `bytes` are those of all tables,
    `traffic_bytes` what the rows of `traffic` take, by table, which are derived from the flows;
    `tables` are the rest.
    """

    where: str
    format: int
    version: int
    unpublished: int
    flows: int
    unattributed: int
    bytes: int
    expired: int
    totals: Totals
    dates: tuple[DateStatus, ...] = ()
    traffic: dict[str, int] = field(default_factory=dict)
    traffic_bytes: int = 0
    tables: dict[str, int] = field(default_factory=dict)


def status(lake: Lake) -> Status:
    """Sum up the lake as it is now."""
    state, snapshot = lake.state(), lake.snapshot()
    dates: dict[str, DateStatus] = {}
    for entry in snapshot.files(layout.FLOWS):
        day = layout.day_of_path(entry.path)
        assert day is not None
        at = dates.setdefault(layout.date_of(day), DateStatus(layout.date_of(day)))
        at.files += 1
        at.flows += entry.rows
        at.bytes += entry.bytes
        at.unattributed += 0 if entry.attributed else entry.rows
        if entry.min_start is not None and entry.max_start is not None:
            low, high = entry.min_start, entry.max_start
            at.first = low if at.first is None else min(at.first, low)
            at.last = high if at.last is None else max(at.last, high)
    rows = {table: snapshot.rows(table) for table in layout.TABLES if table != layout.FLOWS}
    size = {table: sum(e.bytes for e in snapshot.files(table)) for table in layout.TABLES}
    return Status(
        where=lake.store.where,
        format=lake.format,
        version=snapshot.version,
        unpublished=state.version - state.published,
        flows=snapshot.rows(layout.FLOWS),
        unattributed=sum(at.unattributed for at in dates.values()),
        bytes=sum(size.values()),
        expired=state.expired,
        totals=snapshot.totals,
        dates=tuple(dates[date] for date in sorted(dates)),
        traffic={table: n for table, n in rows.items() if n and table in DERIVED_TABLES},
        traffic_bytes=sum(n for table, n in size.items() if table in DERIVED_TABLES),
        tables={table: n for table, n in rows.items() if n and table not in DERIVED_TABLES},
    )
