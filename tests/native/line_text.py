"""The slow and obvious parser to compare the kernel with: one line after the other, in Python.

It follows the meaning of a line in `flowscan.parse.lines` and keeps rows as plain lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from flowscan.parse.lines import LineParser
from flowscan.parse.model import COVERAGE, MAX_REJECTS, Fed, Plan, Reject, reject_text


def time_of(times: Any, index: int) -> int | None:
    """Time of a line that has none of its own."""
    if isinstance(times, np.ndarray):
        return int(times[index]) if times[index] >= 0 else None
    return times


@dataclass
class LineText:
    """Parses block after block like a `TextColumns`, into Python lists."""

    plan: Plan
    max_line: int
    flows: list[tuple[Any, ...]] = field(default_factory=list)
    coverage: list[tuple[Any, ...]] = field(default_factory=list)

    def feed(self, data: bytes, line: int, *, final: bool, times: Any = None) -> Fed:
        parser = LineParser(self.plan, self.max_line)
        fed = Fed()
        end = len(data) if final else data.rfind(b"\n") + 1
        while fed.consumed < end:
            stop = data.find(b"\n", fed.consumed, end) + 1 or end
            raw = data[fed.consumed : stop]
            got = parser.parse(raw, time_of(times, fed.lines))
            if got.kind == "header":
                fed.foreign_header = True
                break
            fed.records += got.kind != "none"
            if got.kind == "flow":
                fed.flows += 1
                self.flows.append(tuple(got.values))
            elif got.kind == "reject":
                if len(fed.rejects) < MAX_REJECTS:
                    fed.rejects.append(Reject(line + fed.lines, got.reason, reject_text(raw)))
            elif got.kind != "none":
                row = dict(zip(self.plan.flow_columns, got.values, strict=True))
                row["log_status"] = got.kind.upper()
                self.coverage.append(tuple(row.get(n) for n in COVERAGE.names))
                fed.nodata += got.kind == "nodata"
                fed.skipdata += got.kind == "skipdata"
            fed.lines += 1
            fed.consumed = stop
        return fed


def rows_of(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    """Rows of a batch as Python values."""
    batch.validate(full=True)
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def assert_same(native: Any, slow: LineText, data: bytes, **how: Any) -> None:
    """Feed both, drain, and compare everything that comes out."""
    assert native.feed(data, 1, **how) == slow.feed(data, 1, **how)
    assert native.rows == len(slow.flows)
    flows, coverage = native.drain()
    assert flows.schema.names == list(slow.plan.flow_columns)
    assert coverage.schema == COVERAGE
    assert rows_of(flows) == slow.flows
    assert rows_of(coverage) == slow.coverage
    assert native.rows == 0
