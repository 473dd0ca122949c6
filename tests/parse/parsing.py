"""Parsing whole objects in tests: bytes in, counts and rows out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from flowscan.parse import Counts, ParseOptions, Reject, Sink, parse

DEFAULT = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status"
)
LINE = (
    "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 "
    "1418530010 1418530070 ACCEPT OK"
)
LINES = [LINE.replace("20641", str(20000 + i)) for i in range(100)]
NODATA = "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA"
SKIPDATA = NODATA.replace("NODATA", "SKIPDATA")


@dataclass
class Parsed:
    counts: Counts
    flows: list[dict[str, Any]]
    coverage: list[dict[str, Any]]
    rejects: list[Reject]
    shape: str

    @property
    def numbers(self) -> tuple[int, int, int, int, int]:
        c = self.counts
        assert c.records == c.flows + c.nodata + c.skipdata + c.rejects
        assert len(self.flows) == c.flows
        assert len(self.coverage) == c.nodata + c.skipdata
        return c.records, c.flows, c.nodata, c.skipdata, c.rejects

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(r.line, r.reason) for r in self.rejects]


def dictionary_of(column: pa.ChunkedArray) -> list[str]:
    """The one dictionary that a column of flows has."""
    first, *others = [chunk.dictionary for chunk in column.chunks]
    assert all(other.equals(first) for other in others)
    return first.to_pylist()


def run(data: bytes | list[bytes], *, kernel: str = "auto", **options: Any) -> Parsed:
    sink = Sink(kernel=kernel)
    chunks = [data] if isinstance(data, bytes) else data
    flows: list[dict[str, Any]] = []
    coverage: list[dict[str, Any]] = []
    last = 0
    for read in parse(chunks, ParseOptions(**options), sink):
        assert read >= last
        last = read
    drained = sink.drain()
    for batch in drained.flows:
        batch.validate(full=True)
        flows += batch.to_pylist()
    coverage += drained.coverage.to_pylist()
    assert sink.rows == 0
    return Parsed(sink.counts, flows, coverage, sink.rejects, sink.shape)
