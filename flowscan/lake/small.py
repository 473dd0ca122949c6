"""Small tables: rows in the shape of their schema, read whole.

Invariant: every file of a small table has exactly the columns of `schema.small_schema`.
"""

from __future__ import annotations

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
    columns = []
    for item in wanted:
        if item.name in rows.schema.names:
            column = rows.column(item.name)
            # a cast, even one of nothing, imports pyarrow.compute
            columns.append(column if column.type == item.type else column.cast(item.type))
        else:
            columns.append(pa.nulls(rows.num_rows, item.type))
    return pa.Table.from_arrays(columns, schema=wanted)


def read(snapshot: Snapshot, table: str) -> pa.Table:
    """Read a small table whole, in the order of its commits.

    Raises:
        LakeCorrupt: a file is missing or damaged.
    """
    if table not in SMALL_TABLES:
        raise LakeError("no such small table in a lake", where=repr(table)[:80])
    parts = [_find(snapshot, entry) for entry in snapshot.files(table)]
    return pa.concat_tables([small_schema(table).empty_table(), *parts])


def _find(snapshot: Snapshot, entry: FileEntry) -> pa.Table:
    for _ in range(2):  # upkeep may move the file between the question where it is and the read
        try:
            return read_file(snapshot.store, entry, snapshot.key(entry))
        except FileNotFoundError:
            continue
    raise LakeCorrupt("the file is missing", where=entry.path, hint="run flowscan lake verify")


def read_file(store: Store, entry: FileEntry, key: str) -> pa.Table:
    """Read one file of a small table, which lies at `key` now.

    Raises:
        FileNotFoundError: it does not.
        LakeCorrupt: it is damaged.
    """
    try:
        # pq.read_table would import pyarrow.dataset and with it pyarrow.compute
        return conform(entry.table, pq.ParquetFile(pa.BufferReader(store.read(key))).read())
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowInvalid) as error:
        raise LakeCorrupt(
            f"cannot read the file: {error}", where=entry.path, hint="run flowscan lake verify"
        ) from error
