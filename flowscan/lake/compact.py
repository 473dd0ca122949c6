"""Compaction: the many small files of a sealed date become few large ones, sorted.

Invariant: a compaction is one commit per date that adds files with exactly the rows of those it
removes, and with the union of their lineages; it holds one slice of about a million rows in
memory, whatever the date's size. A date is sealed when it has been over for a day; late records
make new files, which a later compaction takes in. Flows of format 1, which do not know their
sources, stay in files of their own, so that the ledger can count them.

Order of the rows: slices by `start`, so that row groups prune by time; within a slice by source,
destination and time, so that equal addresses stand together and compress.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flowscan import schema
from flowscan.errors import LakeCorrupt
from flowscan.lake import layout, lineage, parquet, small
from flowscan.lake.ledger import FileEntry
from flowscan.lake.state import Fold

if TYPE_CHECKING:
    from flowscan.lake.lake import Lake, Removal

TARGET = parquet.FILE_BYTES
SMALL = TARGET // 2
SLICE_ROWS = 1_000_000
SEALED_AFTER = 86_400
SMALL_TABLE_FILES = 8
_SORT = ("dstaddr", "srcaddr")


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was done to one date or small table."""

    table: str
    date: str | None
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    rows: int


class _Gone(Exception):  # noqa: N818 - a signal inside this module
    """Another upkeep took some of the files first; there is nothing to do."""


def compact(lake: Lake, *, now: int) -> Iterator[Compacted]:
    """Compact every sealed date and small table that is worth it; `now` is epoch seconds.

    Yields what was done, one commit at a time; stopping in between loses nothing.

    Raises:
        LakeCorrupt: a file cannot be read, or does not have the rows the ledger says.
        LakeError: the lake cannot be written.
    """
    lake.check_writable()
    snapshot = lake.snapshot()
    dates: dict[tuple[int, bool], list[FileEntry]] = defaultdict(list)
    for entry in snapshot.files(layout.FLOWS):
        day = layout.day_of_path(entry.path)
        if day is not None and (day + 1) * layout.SECONDS_PER_DAY + SEALED_AFTER <= now:
            dates[day, entry.attributed].append(entry)
    for (day, _), entries in sorted(dates.items()):
        chosen = worth(entries)
        if chosen:
            done = _unless_gone(lake, chosen, partial(_flows, lake, day, chosen))
            if done:
                yield done
    for table in schema.SMALL_TABLES:
        chosen = [e for e in snapshot.files(table) if e.bytes < SMALL // 8]
        if len(chosen) >= SMALL_TABLE_FILES:
            done = _unless_gone(lake, chosen, partial(_small_table, lake, table, chosen))
            if done:
                yield done


def worth(entries: Sequence[FileEntry]) -> list[FileEntry]:
    """Choose the files of a date to rewrite; none when it would cost more than it brings.

    A trickle of late records does not rewrite a large file each time: the others must make up
    a tenth of the largest, or be many.
    """
    chosen = [e for e in entries if e.bytes < SMALL]
    if len(chosen) < 2:
        return []
    largest = max(e.bytes for e in chosen)
    rest = sum(e.bytes for e in chosen) - largest
    return chosen if rest * 10 >= largest or len(chosen) > SMALL_TABLE_FILES else []


def taking(entries: Sequence[FileEntry]) -> Removal:
    """A removal of exactly these files, which all must still be live."""

    def removal(fold: Fold) -> Sequence[str]:
        live = fold.live()
        if any(e.path not in live for e in entries):
            raise _Gone
        return [e.path for e in entries]

    return removal


def _unless_gone(
    lake: Lake, entries: Sequence[FileEntry], work: Callable[[], Compacted]
) -> Compacted | None:
    """Do the work; None when another upkeep has taken some of the files first."""
    try:
        return work()
    except _Gone:
        return None
    except FileNotFoundError as error:
        live = lake.fold().live()
        if all(entry.path in live for entry in entries):
            raise LakeCorrupt(
                f"a file is missing: {error.filename}", hint="run flowscan lake verify"
            ) from error
        return None


def _flows(lake: Lake, day: int, entries: Sequence[FileEntry]) -> Compacted:
    with lake.writing() as transaction:
        rows = 0
        versions = lineage.union(entry.lineage for entry in entries)
        for part in sorted_slices(lake, entries):
            transaction.write_sealed(day, part, versions, TARGET)
            rows += part.num_rows
        return _commit(lake, transaction, entries, rows, layout.date_of(day))


def _small_table(lake: Lake, table: str, entries: Sequence[FileEntry]) -> Compacted:
    with lake.writing() as transaction:
        rows = 0
        for entry in entries:
            part = small.read_file(lake.store, entry, entry.path)
            transaction.write_rows(table, part)
            rows += part.num_rows
        return _commit(lake, transaction, entries, rows, None)


def _commit(
    lake: Lake, transaction: Any, entries: Sequence[FileEntry], rows: int, date: str | None
) -> Compacted:
    expected = sum(e.rows for e in entries)
    if rows != expected:
        raise LakeCorrupt(
            f"the files have {rows} rows, the ledger says {expected}",
            where=entries[0].path.rpartition("/")[0],
            hint="run flowscan lake verify",
        )
    added = transaction.finish()
    lake.commit(transaction, (), removal=taking(entries), note="compact")
    return Compacted(
        entries[0].table,
        date,
        len(entries),
        len(added),
        sum(e.bytes for e in entries),
        sum(e.bytes for e in added),
        rows,
    )


def sorted_slices(lake: Lake, entries: Sequence[FileEntry]) -> Iterator[pa.Table]:
    """The rows of the files as sorted tables of about `SLICE_ROWS`, in order of `start`."""
    columns = schema.column_order({name for e in entries for name in e.columns})
    arrow = parquet.flow_schema(columns)
    for low, high in _bounds(lake, entries):
        parts = []
        for entry in entries:
            if entry.max_start is None or entry.min_start is None:
                continue
            if entry.max_start < low or entry.min_start >= high:
                continue
            parts += list(_rows(lake, entry, low, high, arrow))
        if parts:
            yield _sorted(parquet.one_dictionary(parts))


def _bounds(lake: Lake, entries: Sequence[FileEntry]) -> list[tuple[int, int]]:
    """Cut the time of the files into half-open ranges of about `SLICE_ROWS` rows each."""
    counts: dict[int, int] = defaultdict(int)
    for entry in entries:
        with lake.store.reader(entry.path) as source:
            file = _open(source, entry)
            for i in range(file.num_row_groups):
                start = file.read_row_group(i, columns=["start"], use_threads=False)["start"]
                seconds, rows = np.unique(start.to_numpy() // 60, return_counts=True)
                for minute, n in zip(seconds.tolist(), rows.tolist(), strict=True):
                    counts[minute] += n
    bounds, low, held = [], None, 0
    for minute in sorted(counts):
        low = minute if low is None else low
        held += counts[minute]
        if held >= SLICE_ROWS:
            bounds.append((low * 60, (minute + 1) * 60))
            low, held = None, 0
    if low is not None:
        bounds.append((low * 60, (max(counts) + 1) * 60))
    return bounds


def _open(source: Any, entry: FileEntry) -> Any:
    texts = [f.name for f in parquet.flow_schema(entry.columns) if pa.types.is_dictionary(f.type)]
    try:
        return pq.ParquetFile(source, read_dictionary=texts)
    except (pa.ArrowInvalid, OSError) as error:
        raise LakeCorrupt(
            f"cannot read the file: {error}", where=entry.path, hint="run flowscan lake verify"
        ) from error


def _rows(lake: Lake, entry: FileEntry, low: int, high: int, arrow: Any) -> Iterator[pa.Table]:
    with lake.store.reader(entry.path) as source:
        file = _open(source, entry)
        position = file.schema_arrow.names.index("start")
        for i in range(file.num_row_groups):
            statistics = file.metadata.row_group(i).column(position).statistics
            if statistics and (statistics.max < low or statistics.min >= high):
                continue
            table = file.read_row_group(i, use_threads=False)
            start = table["start"]
            inside = pc.and_(pc.greater_equal(start, low), pc.less(start, high))
            if not pc.all(inside).as_py():
                table = table.filter(inside)
            if table.num_rows:
                yield pa.Table.from_arrays([_column(table, f) for f in arrow], schema=arrow)


def _column(table: pa.Table, wanted: Any) -> Any:
    """A column in its type; a text where the source's number stands is a log's, of format 1."""
    if wanted.name not in table.schema.names:
        return pa.nulls(table.num_rows, wanted.type)
    column = table[wanted.name]
    if wanted.name == schema.SOURCE_ID and not pa.types.is_integer(column.type):
        return pa.nulls(table.num_rows, wanted.type)
    return column.cast(wanted.type)


def _sorted(table: pa.Table) -> pa.Table:
    keys: list[Any] = [table["start"].to_numpy()]
    keys += [_ranks(table[name]) for name in _SORT if name in table.schema.names]
    return table.take(pa.array(np.lexsort(keys)))


def _ranks(column: pa.ChunkedArray) -> Any:
    """Numbers that sort as the strings of a dictionary column do; NULL comes first."""
    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks)
    order = pc.sort_indices(values.dictionary).to_numpy()
    rank = np.empty(len(order) + 1, dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    rank[-1] = 0
    return rank[pc.fill_null(values.indices, len(order)).to_numpy()]
