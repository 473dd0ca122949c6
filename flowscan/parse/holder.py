"""Holds typed rows between drains, flows apart from coverage.

Invariant: rows come out in the order in which they were kept, each exactly once, and a dictionary
holds only the values that occur.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from flowscan.arrays import (
    Mask,
    decoded,
    filled,
    integer_array,
    integers,
    null_mask,
    picked,
    repeated,
    rows_of,
    taken_texts,
)
from flowscan.parse.batches import joined, of_values
from flowscan.parse.lines import TRAFFIC, Value
from flowscan.parse.model import COVERAGE, Fed

_FEW = 1000
"""Rows held as Python's values at most."""


class Holder:
    """Rows of one plan; `schema` is that of its flows."""

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = 0
        self._schema = schema
        self._covered = [name for name in COVERAGE.names if name in schema.names]
        self._flows: list[pa.RecordBatch | int] = []
        """In order; a number stands for so many of the few."""
        self._few: list[list[Value]] = []
        self._coverage: list[pa.RecordBatch] = []

    def keep(self, batch: pa.RecordBatch, fed: Fed) -> None:
        """Keep good rows; counts flows, nodata and skipdata, not records."""
        idle = self._idle(batch)
        if idle is not None and idle.any():
            self._cover(picked(batch.select(self._covered), np.flatnonzero(idle)), fed)
            batch = picked(batch, np.flatnonzero(~idle))
        fed.flows += batch.num_rows
        self.rows += batch.num_rows
        self._flows.append(batch)

    def add(self, rows: list[list[Value]], fed: Fed) -> None:
        """Keep good flows that were read line by line; counts them."""
        fed.flows += len(rows)
        self.rows += len(rows)
        self._few += rows
        before = self._flows.pop() if self._flows and isinstance(self._flows[-1], int) else 0
        self._flows.append(before + len(rows))
        if len(self._few) >= _FEW:
            self._flows = [*self._batches()]

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """All flows in order."""
        few, at = of_values(self._few, self._schema), 0
        self._few = []
        for part in self._flows:
            if isinstance(part, int):
                yield few.slice(at, part)
                at += part
            else:
                yield part

    def _idle(self, batch: pa.RecordBatch) -> Mask | None:
        """Which rows are coverage; None: no row can be."""
        names = self._schema.names
        if "log_status" in names:
            return _holds(batch["log_status"], ("NODATA", "SKIPDATA"))
        nulls = [null_mask(batch[name]) for name in TRAFFIC if name in names]
        known = [null for null in nulls if null is not None]
        return np.logical_and.reduce(known) if known and len(known) == len(nulls) else None

    def _cover(self, batch: pa.RecordBatch, fed: Fed) -> None:
        rows, skipped = batch.num_rows, 0
        if "log_status" in self._covered:
            skipped = int(np.count_nonzero(_holds(batch["log_status"], ("SKIPDATA",))))
        fed.skipdata += skipped
        fed.nodata += rows - skipped
        columns = [
            _plain(batch[f.name]) if f.name in self._covered else _absent(f, rows) for f in COVERAGE
        ]
        self._coverage.append(pa.RecordBatch.from_arrays(columns, schema=COVERAGE))

    def drain(self) -> tuple[pa.Table, pa.Table]:
        """Give out flows and coverage rows, and hold none."""
        flows = joined([*self._batches()], self._schema)
        coverage = joined(self._coverage, COVERAGE)
        self._flows, self._coverage, self.rows = [], [], 0
        columns = [_used(c) if pa.types.is_dictionary(c.type) else c for c in flows.columns]
        return pa.Table.from_arrays(columns, schema=self._schema), coverage


def _used(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same values, with only those in the dictionary that occur."""
    if not column.num_chunks:
        return column
    values = column.chunk(0).dictionary
    used: Mask = np.zeros(len(values), np.bool_)
    for chunk in column.chunks:
        null, numbers = null_mask(chunk.indices), integers(chunk.indices)
        used[numbers if null is None else numbers[~null]] = True
        if used.all():
            return column
    texts = taken_texts(values, np.flatnonzero(used), None)
    renumbered = np.append(np.cumsum(used, dtype=np.int32) - np.int32(1), np.int32(0))
    chunks = []
    for chunk in column.chunks:
        rows = renumbered.take(filled(chunk.indices, len(values)))
        indices = integer_array(rows, null_mask(chunk.indices))
        chunks.append(pa.DictionaryArray.from_arrays(indices, texts, safe=False))
    return pa.chunked_array(chunks)


def _plain(column: pa.Array) -> pa.Array:
    return decoded(column) if pa.types.is_dictionary(column.type) else column


def _absent(field: pa.Field, rows: int) -> pa.Array:
    """A column of coverage that the plan lacks: without a log_status, rows are NODATA."""
    if field.name == "log_status":
        return decoded(repeated("NODATA", rows))
    return pa.nulls(rows, field.type)


def _holds(column: pa.DictionaryArray, texts: tuple[str, ...]) -> Mask:
    """Which rows have one of some values."""
    wanted = [text in texts for text in column.dictionary.to_pylist()]
    return rows_of(column.indices, np.array(wanted, np.bool_))
