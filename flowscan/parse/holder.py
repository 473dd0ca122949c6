"""Holds typed rows between drains, flows apart from coverage.

Invariant: rows come out in the order in which they were kept, each exactly once.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa

from flowscan.parse.frames import Reader
from flowscan.parse.lines import TRAFFIC
from flowscan.parse.model import COVERAGE, Fed, flow_schema


class Holder:
    """Rows of one plan, as frames of its reader."""

    def __init__(self, reader: Reader) -> None:
        self.rows = 0
        self._reader = reader
        self._schema = flow_schema(reader.plan.flow_columns)
        self._flows: list[pl.DataFrame] = []
        self._coverage: list[pl.DataFrame] = []

    def keep(self, frame: pl.DataFrame, fed: Fed) -> None:
        """Keep good rows; counts flows, nodata and skipdata, not records."""
        idle = self._idle(frame)
        if idle is not None:
            self._cover(frame.filter(idle), fed)
            frame = frame.filter(~idle)
        fed.flows += frame.height
        self.rows += frame.height
        self._flows.append(frame)

    def _idle(self, frame: pl.DataFrame) -> pl.Series | None:
        """Which rows are coverage; None: none is."""
        if "log_status" in frame.columns:
            codes = self._reader.dictionaries["log_status"].codes
            wanted = [codes[s] for s in ("NODATA", "SKIPDATA") if s in codes]
            if not wanted:
                return None
            idle = frame["log_status"].to_physical().is_in(wanted).fill_null(False)
        else:
            traffic = [n for n in TRAFFIC if n in frame.columns]
            if not traffic:
                return None
            idle = frame.select(pl.all_horizontal(pl.col(traffic).is_null())).to_series()
        return idle if idle.any() else None

    def _cover(self, frame: pl.DataFrame, fed: Fed) -> None:
        status: Any = pl.lit("NODATA")
        if "log_status" in frame.columns:
            status = pl.col("log_status").cast(pl.String)
        columns = [
            pl.col(n).cast(pl.String if pa.types.is_string(COVERAGE.field(n).type) else pl.Int64)
            if n in frame.columns
            else pl.lit(None, pl.String).alias(n)
            for n in COVERAGE.names
            if n != "log_status"
        ]
        idle = frame.select(*columns, status.alias("log_status"))
        skipped = int((idle["log_status"] == "SKIPDATA").sum())
        fed.skipdata += skipped
        fed.nodata += idle.height - skipped
        self._coverage.append(idle)

    def drain(self) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Give out flows and coverage rows, and hold none."""
        flows, coverage = _empty(self._schema), _empty(COVERAGE)
        if self._flows:
            frame = pl.concat(self._flows)
            arrays = [_array(frame[f.name], f) for f in self._schema]
            flows = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        if self._coverage:
            table = pl.concat(self._coverage).to_arrow().cast(COVERAGE).combine_chunks()
            coverage = table.to_batches()[0]
        self._flows, self._coverage, self.rows = [], [], 0
        self._reader.reset()
        return flows, coverage


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], f.type) for f in schema], schema=schema)


def _array(column: pl.Series, field: pa.Field) -> pa.Array:
    """Arrow array of a column; a dictionary holds only the values that occur."""
    array = column.rechunk().to_arrow()
    if not pa.types.is_dictionary(field.type):
        return array.cast(field.type)
    indices, values = array.indices.cast(pa.int32()), array.dictionary.cast(pa.string())
    return pa.DictionaryArray.from_arrays(indices, values)
