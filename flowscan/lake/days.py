"""When rows start: the bounds of a time column, and flows apart by their UTC date.

Invariant: by Arrow's buffers alone; pyarrow.compute, and pandas, which Arrow imports with it where
it is installed, take half a second to import.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from flowscan.arrays import Ints, integers, null_mask, picked
from flowscan.lake import layout


def bounds_of(column: pa.Array | pa.ChunkedArray) -> tuple[int | None, int | None]:
    """Lowest and highest value of an int64 column, None where there is none."""
    held = [values for chunk in _chunks(column) if len(values := _values(chunk))]
    if not held:
        return None, None
    return min(int(v.min()) for v in held), max(int(v.max()) for v in held)


def _chunks(column: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def _values(array: pa.Array) -> Ints:
    null = null_mask(array)
    values: Ints = integers(array)
    return values if null is None else values[~null]


def split_by_day(flows: pa.Table | pa.RecordBatch) -> list[tuple[int, pa.Table]]:
    """Split flows by the UTC day of `start`, in the order of the days.

    Each part has its rows in the order in which they came.
    """
    batches = flows.to_batches() if isinstance(flows, pa.Table) else [flows]
    parts: dict[int, list[pa.RecordBatch]] = {}
    for batch in batches:
        days: Ints = integers(batch.column("start")) // layout.SECONDS_PER_DAY
        order = np.argsort(days, kind="stable")
        edges = np.flatnonzero(np.diff(days[order])) + 1
        for rows in np.split(order, edges) if len(order) else ():
            parts.setdefault(int(days[rows[0]]), []).append(picked(batch, rows))
    return [(day, pa.Table.from_batches(parts[day])) for day in sorted(parts)]
