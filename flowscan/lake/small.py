"""Small tables: rows in the shape of their schema, read whole, by column or in parts.

Invariant: every file of a small table has exactly the columns of `schema.small_schema`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from flowscan.errors import LakeCorrupt, LakeError
from flowscan.lake.ledger import FileEntry
from flowscan.lake.snapshot import Snapshot
from flowscan.lake.store import Store
from flowscan.schema import SMALL_TABLES, small_schema


def conform(table: str, rows: pa.Table | pa.RecordBatch) -> pa.Table:
    """Give rows the columns and types of their table; absent columns become NULL.

    Raises:
        LakeError: there is no such table, or a column that it does not have.
    """
    if table not in SMALL_TABLES:
        raise LakeError("no such table in a lake", where=repr(table)[:80])
    wanted = small_schema(table)
    if isinstance(rows, pa.RecordBatch):
        rows = pa.Table.from_batches([rows])
    strange = set(rows.schema.names) - set(wanted.names)
    if strange:
        raise LakeError(f"the table has no column {', '.join(sorted(strange))}", where=table)
    return _shaped(wanted, rows)


def _shaped(wanted: pa.Schema, rows: pa.Table) -> pa.Table:
    columns = []
    for item in wanted:
        if item.name in rows.schema.names:
            column = rows.column(item.name)
            # a cast, even one of nothing, imports pyarrow.compute
            columns.append(column if column.type == item.type else column.cast(item.type))
        else:
            columns.append(pa.nulls(rows.num_rows, item.type))
    return pa.Table.from_arrays(columns, schema=wanted)


def read(snapshot: Snapshot, table: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read all rows of a small table in the order of its commits, whole or some columns of it.

    Raises:
        LakeCorrupt: a file is missing or damaged.
    """
    wanted = _schema(table, columns)
    parts = []
    for entry in snapshot.files(table):
        with _reading(entry):
            file = _open(snapshot, entry)
            whole = columns is None
            rows = file.read(None if whole else wanted.names)
            parts.append(conform(table, rows) if whole else _shaped(wanted, rows))
    return pa.concat_tables([wanted.empty_table(), *parts])


def batches(
    snapshot: Snapshot, table: str, columns: Sequence[str], rows: int
) -> Iterator[pa.Table]:
    """Read columns of a small table in the order of `read`, at most so many rows at once.

    No more of them is in memory than that, beside the bytes of one file.

    Raises:
        LakeCorrupt: a file is missing or damaged.
    """
    wanted = _schema(table, columns)
    for entry in snapshot.files(table):
        with _reading(entry):
            for batch in _open(snapshot, entry).iter_batches(rows, columns=wanted.names):
                yield _shaped(wanted, pa.Table.from_batches([batch]))


def _schema(table: str, columns: Sequence[str] | None) -> pa.Schema:
    if table not in SMALL_TABLES:
        raise LakeError("no such small table in a lake", where=repr(table)[:80])
    whole = small_schema(table)
    return whole if columns is None else pa.schema([whole.field(name) for name in columns])


def _open(snapshot: Snapshot, entry: FileEntry) -> pq.ParquetFile:
    for _ in range(2):  # upkeep may move the file between the question where it is and the read
        try:
            return pq.ParquetFile(pa.BufferReader(snapshot.store.read(snapshot.key(entry))))
        except FileNotFoundError:
            continue
    raise LakeCorrupt("the file is missing", where=entry.path, hint="run flowscan lake verify")


@contextmanager
def _reading(entry: FileEntry) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowInvalid) as error:
        raise LakeCorrupt(
            f"cannot read the file: {error}", where=entry.path, hint="run flowscan lake verify"
        ) from error


def read_file(store: Store, entry: FileEntry, key: str) -> pa.Table:
    """Read one file of a small table, which lies at `key` now.

    Raises:
        FileNotFoundError: it does not.
        LakeCorrupt: it is damaged.
    """
    with _reading(entry):
        # pq.read_table would import pyarrow.dataset and with it pyarrow.compute
        return conform(entry.table, pq.ParquetFile(pa.BufferReader(store.read(key))).read())
