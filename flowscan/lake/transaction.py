"""A transaction: files written to staging, then committed as one entry of the ledger.

Invariant: nothing that a transaction writes is visible before its commit, all of it is after;
every staged file is durable before the ledger names it. Each writer thread has its own.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from flowscan import schema
from flowscan.errors import LakeError
from flowscan.lake import layout, numbers, parquet, parts
from flowscan.lake.days import bounds_of, split_by_day
from flowscan.lake.ledger import FileEntry, Refusal, SourceRecord, check_mark, check_sources
from flowscan.lake.lineage import Versions
from flowscan.lake.small import conform
from flowscan.lake.store import Claim

if TYPE_CHECKING:
    from flowscan.lake.lake import Lake

MAX_OPEN = 64
"""Date files that one transaction keeps open; beyond that the oldest is closed."""


class Kind(NamedTuple):
    """What the rows of one open file have in common."""

    table: str
    day: int | None
    columns: tuple[str, ...]
    lineage: Versions = ()
    mark: str = ""


@dataclass(slots=True)
class _Open:
    path: str
    sink: Any
    writer: Any
    rows: int = 0
    low: int | None = None
    high: int | None = None
    waiting: list[Any] = field(default_factory=list)
    waiting_rows: int = 0

    def discard(self) -> None:
        """Give the file up; its writer must not add a footer later."""
        self.sink.discard()
        self.writer.is_open = False

    def saw(self, rows: int, low: int | None, high: int | None) -> None:
        self.rows += rows
        if low is not None:
            self.low = low if self.low is None else min(self.low, low)
        if high is not None:
            self.high = high if self.high is None else max(self.high, high)


class Transaction:
    """One batch on its way into the lake; use from one thread, then commit or abort."""

    def __init__(self, lake: Lake) -> None:
        """Claim a new staging folder."""
        batch = layout.new_batch()
        self._reset(lake, batch, lake.store.claim(batch), 0)

    def _reset(self, lake: Lake, batch: str, claim: Claim, number: int) -> None:
        self.batch = batch
        self.started = time.time()
        self._lake = lake
        self._store = lake.store
        self._claim = claim
        self._open: dict[Kind, _Open] = {}
        self._adds: list[FileEntry] = []
        self._files = number
        self._sources = 0
        self._waiting = 0
        self._over = False
        self._asked = False

    # -- writing ---------------------------------------------------------------------------

    def number(self, uri: str) -> int:
        """A number of its own for a source object that this batch brings.

        Its rows have it as `source_id`, and so has its record. Read again, it gets another.
        """
        self._sources += 1
        return numbers.number(self.batch, self._sources - 1)

    def write_flows(self, flows: pa.Table | pa.RecordBatch) -> None:
        """Append flows to this transaction's files of their UTC dates.

        `start` is epoch seconds and never NULL. Flows of one date are written as they are.

        Raises:
            LakeError: a start is missing or outside the years 1970 to 5138, or disk is full.
        """
        self._check_open()
        if flows.num_rows == 0:
            return
        start = flows.column("start")
        if start.null_count:
            raise LakeError("a flow has no start", where=self.batch)
        low, high = bounds_of(start)
        assert low is not None
        assert high is not None
        first, last = low // layout.SECONDS_PER_DAY, high // layout.SECONDS_PER_DAY
        if first == last:
            self._append_flows(first, flows, low, high)
            return
        for day, part in split_by_day(flows):
            self._append_flows(day, part, *bounds_of(part.column("start")))

    def _append_flows(
        self, day: int, flows: pa.Table | pa.RecordBatch, low: int | None, high: int | None
    ) -> None:
        columns = tuple(schema.column_order(flows.schema.names))
        arrow = parquet.flow_schema(columns)
        kind = Kind(layout.FLOWS, day, columns)
        file = self._file(kind, lambda sink: parquet.flow_writer(sink, columns))
        arrays = [
            column if column.type == wanted.type else column.cast(wanted.type)
            for wanted, column in ((f, flows.column(f.name)) for f in arrow)
        ]
        file.waiting.append(pa.Table.from_arrays(arrays, schema=arrow))
        file.waiting_rows += flows.num_rows
        file.saw(flows.num_rows, low, high)
        self._waiting += flows.num_rows
        if file.waiting_rows >= parquet.FULL_GROUP:
            self._flush(file)
        elif self._waiting > parquet.ROW_GROUP_ROWS:
            for other in self._open.values():
                self._flush(other)

    def _flush(self, file: _Open) -> None:
        if file.waiting:
            table = parquet.one_dictionary(file.waiting)
            self._waiting -= file.waiting_rows
            file.waiting, file.waiting_rows = [], 0
            self._guard(lambda: file.writer.write_table(table, parquet.ROW_GROUP_ROWS), file)

    def write_sealed(self, day: int, table: pa.Table, lineage: Versions, limit: int) -> None:
        """Append a sorted row group to the file of a sealed date; a full file is closed.

        `lineage` are the versions that all rows of the date's new files came with.
        """
        columns = tuple(table.schema.names)
        kind = Kind(layout.FLOWS, day, columns, lineage)
        file = self._file(kind, lambda sink: parquet.flow_writer(sink, columns, sealed=True))
        self._append(kind, file, table, bounds_of(table["start"]), limit)

    def write_part(
        self, table: str, day: int, rows: pa.Table, lineage: Versions, mark: str = ""
    ) -> None:
        """Append rows to the part that a derived table keeps of a UTC day.

        A part of several tables (each becomes row groups of its own) may be written one after
        the other; a part without rows is a file too, which says that there is nothing. `lineage`
        are the versions of the flows it was made from, `mark` what else it was made from.

        Raises:
            LakeError: there is no such table or column, or the mark is too long.
        """
        self._check_open()
        try:
            check_mark(mark)
        except ValueError as error:
            raise LakeError(str(error), where=table) from error
        rows = parts.conform(table, rows)
        kind = Kind(table, day, tuple(rows.schema.names), lineage, mark)
        file = self._file(kind, lambda sink: parquet.part_writer(sink, table, rows.schema))
        first = day * layout.SECONDS_PER_DAY
        bounds = (first, first + layout.SECONDS_PER_DAY - 1)
        self._append(kind, file, rows, bounds, parquet.FILE_BYTES)

    def _append(
        self,
        kind: Kind,
        file: _Open,
        table: pa.Table,
        bounds: tuple[int | None, int | None],
        limit: int,
    ) -> None:
        self._guard(lambda: file.writer.write_table(table, parquet.ROW_GROUP_ROWS), file)
        file.saw(table.num_rows, *bounds)
        if file.sink.tell() >= limit:
            self._close(kind)

    def write_rows(self, table: str, rows: pa.Table | pa.RecordBatch) -> None:
        """Append rows to a small table; columns it lacks are NULL, others are refused."""
        self._check_open()
        rows = conform(table, rows)
        if rows.num_rows == 0:
            return
        columns = tuple(rows.schema.names)
        kind = Kind(table, None, columns)
        file = self._file(kind, lambda sink: parquet.small_writer(sink, rows.schema))
        self._guard(lambda: file.writer.write_table(rows), file)
        low = high = None
        if "start" in columns:
            low, high = bounds_of(rows.column("start"))
        file.saw(rows.num_rows, low, high)

    def _file(self, kind: Kind, opener: Any) -> _Open:
        file = self._open.get(kind)
        if file is None:
            if len(self._open) >= MAX_OPEN:
                self._close(next(iter(self._open)))
            path = layout.live_key(kind.table, self.batch, self._files, kind.day)
            self._files += 1
            with _guarded(path):
                sink = self._store.writer(layout.staged_key(path))
                try:
                    file = self._open[kind] = _Open(path, sink, opener(sink))
                except BaseException:
                    sink.discard()
                    raise
        return file

    def _guard(self, work: Callable[[], object], file: _Open) -> None:
        try:
            with _guarded(file.path):
                work()
        except BaseException:
            file.discard()
            raise

    def _close(self, kind: Kind) -> None:
        file = self._open.pop(kind)
        self._flush(file)
        self._guard(file.writer.close, file)
        size = file.sink.tell()
        self._guard(file.sink.close, file)
        self._adds.append(
            FileEntry(
                table=kind.table,
                path=file.path,
                rows=file.rows,
                bytes=size,
                min_start=file.low,
                max_start=file.high,
                columns=kind.columns,
                lineage=kind.lineage,
                mark=kind.mark,
            )
        )

    def finish(self) -> tuple[FileEntry, ...]:
        """Close all files, durably, and tell what they are; nothing can be written after."""
        for kind in list(self._open):
            self._close(kind)
        self._store.seal(self.batch)
        self._claim.check()
        return tuple(self._adds)

    # -- the end ---------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._over:
            raise LakeError("the transaction is over", where=self.batch)

    def commit(self, sources: Sequence[SourceRecord], refused: Sequence[Refusal] = ()) -> int:
        """Make everything written visible, together with the sources it came from.

        Returns the version of the lake that has it.

        Raises:
            LakeConflict: some of `sources` are in the lake already; `.known` names them, or a
                number of theirs is taken. The caller aborts and redoes the others.
            LakeError: a count does not add up, or the lake cannot be written.
        """
        self._check_open()
        try:
            check_sources(sources)
        except ValueError as error:
            raise LakeError(str(error), where=self.batch) from error
        return self._lake.commit(self, sources, refused)

    def ask(self) -> None:
        """Note that the ledger was asked to take this batch: its answer may be lost."""
        self._asked = True

    def won(self) -> None:
        """Note that the ledger has this batch; its files are no longer this object's."""
        self._over = True
        self._claim.release()

    def abort(self) -> None:
        """Throw away everything written, unless the ledger has taken it."""
        if self._over:
            return
        self._discard()
        try:
            if not self._asked or not self._lake.has_batch(self.batch):
                self._store.drop_stage(self.batch)
        finally:
            self._claim.release()

    def _discard(self) -> None:
        self._over = True
        for file in self._open.values():
            file.discard()
        self._open.clear()

    def adopt(self, files: Sequence[FileEntry]) -> None:
        """Take over files that shares of this batch have written.

        Raises:
            LakeError: a file is not of this batch.
        """
        self._check_open()
        for entry in files:
            if layout.batch_of(entry.path) != self.batch:
                raise LakeError("the file belongs to another batch", where=entry.path)
        self._adds.extend(files)


@contextlib.contextmanager
def _guarded(path: str) -> Iterator[None]:
    """Tell a failing disk in one line that names the file."""
    try:
        yield
    except OSError as error:
        raise LakeError(f"cannot write: {error.strerror or error}", where=path) from error
