"""Holds typed rows between drains, flows apart from coverage.

Invariant: rows come out in the order in which they were kept, each exactly once, and a dictionary
holds only the values that occur.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from flowscan.parse.batches import joined
from flowscan.parse.blocks import Mask
from flowscan.parse.columns import boolean_array, mask_of, rows_of
from flowscan.parse.lines import TRAFFIC
from flowscan.parse.model import COVERAGE, Fed

_STEP = 64 << 10
"""Rows after which it is asked whether all values of a dictionary have occurred."""


class Holder:
    """Rows of one plan; `schema` is that of its flows."""

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = 0
        self._schema = schema
        self._covered = [name for name in COVERAGE.names if name in schema.names]
        self._flows: list[pa.RecordBatch] = []
        self._coverage: list[pa.RecordBatch] = []

    def keep(self, batch: pa.RecordBatch, fed: Fed) -> None:
        """Keep good rows; counts flows, nodata and skipdata, not records."""
        idle = self._idle(batch)
        if idle is not None and idle.any():
            self._cover(batch.select(self._covered).filter(boolean_array(idle)), fed)
            batch = batch.filter(boolean_array(~idle))
        fed.flows += batch.num_rows
        self.rows += batch.num_rows
        self._flows.append(batch)

    def _idle(self, batch: pa.RecordBatch) -> Mask | None:
        """Which rows are coverage; None: no row can be."""
        names = self._schema.names
        if "log_status" in names:
            return _holds(batch["log_status"], ("NODATA", "SKIPDATA"))
        nulls = [mask_of(batch[name].is_null()) for name in TRAFFIC if name in names]
        return np.logical_and.reduce(nulls) if nulls else None

    def _cover(self, batch: pa.RecordBatch, fed: Fed) -> None:
        rows, skipped = batch.num_rows, 0
        if "log_status" in self._covered:
            skipped = int(np.count_nonzero(_holds(batch["log_status"], ("SKIPDATA",))))
        fed.skipdata += skipped
        fed.nodata += rows - skipped
        columns = [
            batch[f.name].cast(f.type) if f.name in self._covered else _absent(f, rows)
            for f in COVERAGE
        ]
        self._coverage.append(pa.RecordBatch.from_arrays(columns, schema=COVERAGE))

    def drain(self) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Give out flows and coverage rows, and hold none."""
        flows = joined(self._flows, self._schema)
        coverage = joined(self._coverage, COVERAGE)
        self._flows, self._coverage, self.rows = [], [], 0
        arrays = [
            _used(array) if pa.types.is_dictionary(array.type) else array for array in flows.columns
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema), coverage


def _used(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same values, with only those in the dictionary that occur."""
    values, indices = column.dictionary, column.indices
    numbers = (indices.drop_null() if indices.null_count else indices).to_numpy()
    used: Mask = np.zeros(len(values), np.bool_)
    for at in range(0, len(numbers), _STEP):
        used[numbers[at : at + _STEP]] = True
        if used.all():
            return column
    numbers = np.cumsum(used, dtype=np.int32) - np.int32(1)
    renumbered = pa.Array.from_buffers(pa.int32(), len(values), [None, pa.py_buffer(numbers)])
    return pa.DictionaryArray.from_arrays(
        renumbered.take(indices), values.filter(boolean_array(used))
    )


def _absent(field: pa.Field, rows: int) -> pa.Array:
    """A column of coverage that the plan lacks: without a log_status, rows are NODATA."""
    if field.name == "log_status":
        return pa.repeat("NODATA", rows)
    return pa.nulls(rows, field.type)


def _holds(column: pa.DictionaryArray, texts: tuple[str, ...]) -> Mask:
    """Which rows have one of some values."""
    wanted = [text in texts for text in column.dictionary.to_pylist()]
    return rows_of(column.indices, np.array(wanted, np.bool_))
