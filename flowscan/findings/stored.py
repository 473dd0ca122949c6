"""Findings as the lake keeps them: chosen and ordered by their short columns, then read in parts.

The texts of actors, evidence and days are a hundred times longer than the rest. Invariant: of
these no more than a few hundred rows are in memory at once while findings come in the order of
the table, which is that of `ORDER`, and no more than a few thousand otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flowscan.arrays import integer_array
from flowscan.findings.model import Finding
from flowscan.findings.row import from_row
from flowscan.lake import Lake, Snapshot
from flowscan.lake.small import batches, read
from flowscan.schema import SMALL_TABLES

TABLE: Final = "findings"
LONG: Final = ("actors", "evidence", "details", "days")
SHORT: Final = tuple(name for name in SMALL_TABLES[TABLE] if name not in LONG)
ORDER: Final = (("severity", "descending"), ("last_seen", "descending"), ("id", "ascending"))
"""Most severe and latest first: the order of the table and of all lists."""

_AT_ONCE: Final = 256
_GATHERED: Final = 2048


@dataclass(frozen=True, slots=True)
class Choice:
    """Which findings: of a status, from a severity on, with activity in `since <= t < until`."""

    status: str | None = None
    severity: float = 0.0
    detections: frozenset[str] | None = None
    since: int = 0
    until: int = 1 << 62

    def of(self, table: Any) -> Any:
        """A mask of the rows of `SHORT` columns."""
        mask = pc.and_(
            pc.greater_equal(table["last_seen"].fill_null(0), self.since),
            pc.less(table["first_seen"].fill_null(0), self.until),
        )
        mask = pc.and_(mask, pc.greater_equal(table["severity"].fill_null(0), self.severity))
        if self.status is not None:
            mask = pc.and_(mask, pc.equal(table["status"].fill_null("active"), self.status))
        if self.detections is not None:
            names = pa.array(sorted(self.detections), pa.string())
            mask = pc.and_(mask, pc.is_in(table["detection"], value_set=names))
        return mask


class Stored:
    """Findings of a snapshot: `table` has the `SHORT` columns of the chosen ones, in order."""

    def __init__(self, snapshot: Snapshot, table: Any, places: Any) -> None:
        """Rows of the snapshot's table at these places; see `choose`."""
        self.table = table
        self._snapshot = snapshot
        self._places = places

    def __len__(self) -> int:
        """How many there are."""
        return len(self._places)

    def take(self, rows: Sequence[int]) -> Stored:
        """Some of them, by their rows in `table`, in the order given."""
        at = np.asarray(rows, np.int64)
        return Stored(self._snapshot, self.table.take(integer_array(at, None)), self._places[at])

    def findings(self) -> Iterator[Finding]:
        """All of them, one after the other."""
        return map(from_row, self.rows((*SHORT, *LONG)))

    def rows(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """These columns of them, one row after the other."""
        for part in self._parts(columns):
            for batch in part.to_batches(_AT_ONCE):
                yield from batch.to_pylist()

    def _parts(self, columns: Sequence[str]) -> Iterator[Any]:
        if (np.diff(self._places) > 0).all():
            yield from _found(self._snapshot, self._places, columns)
            return
        # Another order than the table's: it is read again for every so many rows.
        for at in range(0, len(self._places), _GATHERED):
            places = self._places[at : at + _GATHERED]
            parts = list(_found(self._snapshot, np.sort(places), columns))
            order = np.argsort(np.argsort(places, kind="stable"))
            yield pa.concat_tables(parts).take(integer_array(order, None))


def choose(lake: Lake, choice: Choice = Choice()) -> Stored:
    """The findings of a lake that fit, most severe and latest first."""
    snapshot = lake.snapshot()
    table = read(snapshot, TABLE, SHORT)
    places = np.flatnonzero(choice.of(table).to_numpy())
    table = table.take(integer_array(places, None))
    order = pc.sort_indices(table, list(ORDER))
    return Stored(snapshot, table.take(order), places[order.to_numpy()])


def _found(snapshot: Snapshot, places: Any, columns: Sequence[str]) -> Iterator[Any]:
    """The rows at these ascending places, and no further than the last of them."""
    before = 0
    left: Iterable[Any] = batches(snapshot, TABLE, columns, _AT_ONCE) if len(places) else ()
    for part in left:
        low, high = np.searchsorted(places, [before, before + part.num_rows])
        if high > low:
            yield part.take(integer_array(places[low:high] - before, None))
        before += part.num_rows
        if high == len(places):
            return
