"""The sink: typed rows of many source objects, gathered so that small files do not cost.

Invariant: `counts` balances, and what `drain` gives is exactly what was fed since the last one.
"""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

from flowscan.parse.batches import joined
from flowscan.parse.model import (
    COVERAGE,
    MAX_REJECTS,
    Counts,
    Data,
    Drained,
    Fed,
    ParseOptions,
    Plan,
    Reject,
    TextColumns,
    Times,
)

Kernel = Literal["auto", "native", "arrow"]
_KEPT = 16
_PIECE = {"native": 512 << 10, "arrow": 8 << 20}
"""Text that the kernel likes at once: still in the second-level cache when it is parsed, or as
large as it must be for what Arrow does once a call, and for each dictionary, to cost little."""
_PLAN_BYTES = 1 << 20


def kernel_name(kernel: Kernel = "auto") -> Literal["native", "arrow"]:
    """Which implementation reads text here: the compiled one where it was built.

    Raises:
        RuntimeError: "native" was asked for and is not built.
    """
    if kernel == "arrow":
        return "arrow"
    try:
        from flowscan.parse import native_text
    except ImportError:
        found = False
    else:
        found = native_text.available()
    if kernel == "native" and not found:
        raise RuntimeError("the native kernel is not built")
    return "native" if found else "arrow"


class Sink:
    """Collects flows, coverage rows and rejects over any number of objects.

    `rows` is the number of flows held, `counts`, `rejects` (the first 1000) and `shape` belong to
    the object begun last; `dirty` says whether that object has brought rows at all. `piece` is
    how many bytes of text are best fed at once. `text_bytes` is the text that the rows held were
    read from, and a share for each format: it bounds memory, whatever the lines hold.
    """

    def __init__(self, *, kernel: Kernel = "auto") -> None:
        self.kernel = kernel_name(kernel)
        self.piece = _PIECE[self.kernel]
        self._texts: dict[tuple[Plan, int], TextColumns] = {}
        self._batches: list[pa.RecordBatch] = []
        self._coverage: list[pa.RecordBatch] = []
        self._batch_rows = 0
        self.text_bytes = 0
        self.begin()

    def begin(self, options: ParseOptions | None = None) -> None:
        """Start a new source object: fresh counts, rejects and shape."""
        self.counts = Counts()
        self.rejects: list[Reject] = []
        self.shape = ""
        self._max_line = (options or ParseOptions()).max_line

    @property
    def dirty(self) -> bool:
        """Whether the current object has brought flows or coverage rows."""
        return self.counts.records > self.counts.rejects

    @property
    def rows(self) -> int:
        """Flows held and not drained."""
        rows = self._batch_rows
        for columns in self._texts.values():  # asked for after each block: no generator
            rows += columns.rows
        return rows

    def text(self, plan: Plan, data: Data, line: int, *, final: bool, times: Times = None) -> Fed:
        """Parse a block of text; see `model.TextColumns.feed`."""
        fed = self._columns(plan).feed(data, line, final=final, times=times)
        self._count(fed)
        self.text_bytes += fed.consumed
        return fed

    def reject(self, line: int, reason: str, text: str) -> None:
        """Count a record that never reached a text block (a line without end, a broken event)."""
        self._count(Fed(records=1, rejects=[Reject(line, reason, text)]))

    def batch(self, flows: pa.RecordBatch, coverage: pa.RecordBatch, fed: Fed) -> None:
        """Take typed rows (of a Parquet row group) and their counts."""
        self._count(fed)
        if flows.num_rows:
            self._batches.append(flows)
            self._batch_rows += flows.num_rows
        if coverage.num_rows:
            self._coverage.append(coverage)

    def _count(self, fed: Fed) -> None:
        self.counts.add(fed)
        self.rejects.extend(fed.rejects[: MAX_REJECTS - len(self.rejects)])

    def _columns(self, plan: Plan) -> TextColumns:
        key = (plan, self._max_line)
        columns = self._texts.get(key)
        if columns is None:
            columns = self._texts[key] = self._make(plan)
            self.text_bytes += _PLAN_BYTES
        return columns

    def _make(self, plan: Plan) -> TextColumns:
        if self.kernel == "native":
            from flowscan.parse.native_text import NativeText

            native: TextColumns = NativeText(plan, max_line=self._max_line)
            return native
        from flowscan.parse.arrow_text import ArrowText

        return ArrowText(plan, max_line=self._max_line)

    def drain(self) -> Drained:
        """Give out all rows held, one flow batch per format, and hold none."""
        flows, coverage = _merged(self._batches), self._coverage
        for columns in self._texts.values():
            some, idle = columns.drain()
            if some.num_rows:
                flows.append(some)
            if idle.num_rows:
                coverage.append(idle)
        # parsers of recent plans keep their buffers; a stream of ever new plans must not pile up
        for key in list(self._texts)[:-_KEPT]:
            del self._texts[key]
        self._batches, self._coverage, self._batch_rows, self.text_bytes = [], [], 0, 0
        return Drained(flows, joined(coverage, COVERAGE))


def _merged(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    by_schema: dict[tuple[str, ...], list[pa.RecordBatch]] = {}
    for batch in batches:
        by_schema.setdefault(tuple(batch.schema.names), []).append(batch)
    return [joined(group, group[0].schema) for group in by_schema.values()]
