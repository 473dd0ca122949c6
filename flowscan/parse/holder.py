"""Holds typed rows between drains, flows apart from coverage.

Invariant: rows come out in the order in which they were kept, each exactly once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from flowscan.parse.columns import Columns, Reader, joined, taken
from flowscan.parse.dictionary import CODES
from flowscan.parse.lines import TRAFFIC
from flowscan.parse.model import COVERAGE, Fed, flow_schema
from flowscan.parse.tokens import Mask

_NODATA, _SKIPDATA = CODES["NODATA"], CODES["SKIPDATA"]


class Holder:
    """Rows of one plan, as columns of its reader."""

    def __init__(self, reader: Reader) -> None:
        self.rows = 0
        self._reader = reader
        self._schema = flow_schema(reader.plan.flow_columns)
        self._flows: list[Columns] = []
        self._coverage: list[Columns] = []

    def keep(self, columns: Columns, fed: Fed) -> None:
        """Keep good rows; counts flows, nodata and skipdata, not records."""
        idle = self._idle(columns)
        if idle is not None and idle.any():
            self._cover({n: columns[n] for n in COVERAGE.names if n in columns}, idle, fed)
            columns = taken(columns, np.flatnonzero(~idle))
        rows = len(columns["start"].values)
        fed.flows += rows
        self.rows += rows
        self._flows.append(columns)

    def _idle(self, columns: Columns) -> Mask | None:
        """Which rows are coverage; None: no row can be."""
        if "log_status" in columns:
            codes = columns["log_status"].values
            idle: Mask = (codes == _NODATA) | (codes == _SKIPDATA)
            return idle
        nulls = [_null(self._reader, columns, name) for name in TRAFFIC if name in columns]
        return np.logical_and.reduce(nulls) if nulls else None

    def _cover(self, columns: Columns, idle: Mask, fed: Fed) -> None:
        columns = taken(columns, np.flatnonzero(idle))
        rows = len(columns["start"].values)
        skipped = 0
        if "log_status" in columns:
            skipped = int(np.count_nonzero(columns["log_status"].values == _SKIPDATA))
        fed.skipdata += skipped
        fed.nodata += rows - skipped
        self._coverage.append(columns)

    def drain(self) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Give out flows and coverage rows, and hold none."""
        flows = self._batch(self._flows, self._schema)
        coverage = self._batch(self._coverage, COVERAGE)
        self._flows, self._coverage, self.rows = [], [], 0
        self._reader.forget()
        return flows, coverage

    def _batch(self, parts: list[Columns], schema: pa.Schema) -> pa.RecordBatch:
        if not parts:
            return pa.RecordBatch.from_arrays([pa.array([], f.type) for f in schema], schema=schema)
        columns = joined(parts)
        rows = len(columns["start"].values)
        arrays = [
            _array(self._reader, columns, f) if f.name in columns else _absent(f, rows)
            for f in schema
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _absent(field: pa.Field, rows: int) -> Any:
    """A column of coverage that the plan lacks: without a log_status, rows are NODATA."""
    if field.name == "log_status":
        return pa.array(["NODATA"] * rows, field.type)
    return pa.nulls(rows, field.type)


def _null(reader: Reader, columns: Columns, name: str) -> Mask:
    values, null = columns[name]
    if name in reader.strings:
        codes: Mask = values == 0
        return codes
    return np.zeros(len(values), np.bool_) if null is None else null


def _array(reader: Reader, columns: Columns, field: pa.Field) -> Any:
    """Arrow array of a column."""
    values, null = columns[field.name]
    if field.name in reader.strings:
        return reader.dictionary.array(values).cast(field.type)
    if field.type == pa.int32():
        values = values.astype(np.int32)
    valid = None
    if null is not None and null.any():
        valid = pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.Array.from_buffers(field.type, len(values), [valid, pa.py_buffer(values)])
