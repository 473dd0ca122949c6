"""The sink: typed rows of many source objects, gathered so that small files do not cost.

Invariant: `counts` balances, and what `drain` gives is exactly what was fed since the last one.
"""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

from flowscan.parse.batches import joined
from flowscan.parse.canonical import canonical
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
from flowscan.parse.numbers import Runs

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
    read from, and a share for each format: it bounds memory, whatever the lines hold. `source` is
    the number of the object begun next, which its rows then have as `source_id`; it is given to
    all objects between two drains or to none.
    """

    def __init__(self, *, kernel: Kernel = "auto") -> None:
        self.kernel = kernel_name(kernel)
        self.piece = _PIECE[self.kernel]
        self.source: int | None = None
        self._texts: dict[tuple[Plan, int], TextColumns] = {}
        self._runs: dict[tuple[Plan, int], tuple[Runs, Runs]] = {}
        self._tables: list[pa.Table] = []
        self._coverage: list[pa.Table] = []
        self._table_rows = 0
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
        rows = self._table_rows
        for columns in self._texts.values():  # asked for after each block: no generator
            rows += columns.rows
        return rows

    def text(self, plan: Plan, data: Data, line: int, *, final: bool, times: Times = None) -> Fed:
        """Parse a block of text; see `model.TextColumns.feed`."""
        fed = self._columns(plan).feed(data, line, final=final, times=times)
        self._count(fed)
        if self.source is not None:
            flows, idle = self._runs.setdefault((plan, self._max_line), (Runs(), Runs()))
            flows.add(self.source, fed.flows)
            idle.add(self.source, fed.nodata + fed.skipdata)
        self.text_bytes += fed.consumed
        return fed

    def reject(self, line: int, reason: str, text: str) -> None:
        """Count a record that never reached a text block (a line without end, a broken event)."""
        self._count(Fed(records=1, rejects=[Reject(line, reason, text)]))

    def table(self, flows: pa.Table, coverage: pa.Table, fed: Fed) -> None:
        """Take typed rows (of a Parquet row group) and their counts."""
        self._count(fed)
        if flows.num_rows:
            self._tables.append(self._numbered(canonical(flows)))
            self._table_rows += flows.num_rows
        if coverage.num_rows:
            self._coverage.append(self._numbered(coverage))

    def _numbered(self, rows: pa.Table) -> pa.Table:
        """Rows that are all of the present object, with its number."""
        runs = Runs()
        if self.source is not None:
            runs.add(self.source, rows.num_rows)
        return runs.number(rows)

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
        """Give out all rows held, one table of flows per format, and hold none."""
        flows, coverage = _merged(self._tables), self._coverage
        for key, columns in self._texts.items():
            some, idle = columns.drain()
            of_some, of_idle = self._runs.pop(key, (Runs(), Runs()))
            if some.num_rows:
                flows.append(of_some.number(canonical(some)))
            if idle.num_rows:
                coverage.append(of_idle.number(idle))
        # parsers of recent plans keep their buffers; a stream of ever new plans must not pile up
        for key in list(self._texts)[:-_KEPT]:
            del self._texts[key]
        self._tables, self._coverage, self._table_rows, self.text_bytes = [], [], 0, 0
        idle_rows = [batch for table in coverage for batch in table.to_batches()]
        return Drained(flows, joined(idle_rows, coverage[0].schema if coverage else COVERAGE))


def _merged(tables: list[pa.Table]) -> list[pa.Table]:
    by_schema: dict[tuple[str, ...], list[pa.Table]] = {}
    for table in tables:
        by_schema.setdefault(tuple(table.schema.names), []).append(table)
    return [pa.concat_tables(group).unify_dictionaries() for group in by_schema.values()]
