"""Text lines → typed columns with Polars: the reference implementation, needing no compiler.

Invariant: same rows, counts and rejects as `lines.LineParser` line by line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from flowscan.parse.lines import LineParser, Value
from flowscan.parse.model import (
    COVERAGE,
    MAX_REJECTS,
    Data,
    Fed,
    Plan,
    Reject,
    Times,
    flow_schema,
    reject_text,
)


class PolarsText:
    """See `model.TextColumns`."""

    def __init__(self, plan: Plan, *, max_line: int) -> None:
        self.plan = plan
        self.rows = 0
        self._parser = LineParser(plan, max_line)
        self._schema = flow_schema(plan.flow_columns)
        self._flows: list[list[Value]] = []
        self._coverage: list[dict[str, Value]] = []

    def feed(self, data: Data, line: int, *, final: bool, times: Times = None) -> Fed:
        """Parse the whole lines of a block."""
        fed = Fed()
        text = bytes(data)
        end = len(text) if final else text.rfind(b"\n") + 1
        while fed.consumed < end:
            stop = text.find(b"\n", fed.consumed, end) + 1 or end
            raw = text[fed.consumed : stop]
            if not self._take(raw, line, fed, times):
                fed.foreign_header = True
                break
            fed.consumed = stop
            fed.lines += 1
        self.rows += fed.flows
        return fed

    def _take(self, raw: bytes, line: int, fed: Fed, times: Times) -> bool:
        got = self._parser.parse(raw, _time_of(times, fed.lines))
        if got.kind == "header":
            return False
        fed.records += got.kind != "none"
        if got.kind == "flow":
            fed.flows += 1
            self._flows.append(got.values)
        elif got.kind == "reject":
            if len(fed.rejects) < MAX_REJECTS:
                fed.rejects.append(Reject(line + fed.lines, got.reason, reject_text(raw)))
        elif got.kind != "none":
            row = dict(zip(self.plan.flow_columns, got.values, strict=True))
            row["log_status"] = got.kind.upper()
            self._coverage.append({n: row.get(n) for n in COVERAGE.names})
            fed.nodata += got.kind == "nodata"
            fed.skipdata += got.kind == "skipdata"
        return True

    def drain(self) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Give out flows and coverage rows, and hold none."""
        columns: list[Any] = list(zip(*self._flows, strict=True)) or [()] * len(self._schema)
        arrays = []
        for field, values in zip(self._schema, columns, strict=True):
            if pa.types.is_dictionary(field.type):
                arrays.append(pa.array(values, pa.string()).dictionary_encode())
            else:
                arrays.append(pa.array(values, field.type))
        flows = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        coverage = pa.RecordBatch.from_pylist(self._coverage, schema=COVERAGE)
        self._flows, self._coverage, self.rows = [], [], 0
        return flows, coverage


def _time_of(times: Times, index: int) -> int | None:
    if isinstance(times, np.ndarray):
        time = int(times[index])
        return time if time >= 0 else None
    return None if times is None else int(times)
