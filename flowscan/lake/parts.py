"""Parts: the files that a derived table keeps for one UTC day, made and replaced as a whole.

Invariant: every file of a part has exactly the columns of `schema.derived_schema`, in its order;
its ledger entry says by `lineage` which flows the part was made from and by `mark` what else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from flowscan import schema
from flowscan.errors import LakeConflict, LakeError
from flowscan.lake import layout
from flowscan.lake.ledger import FileEntry
from flowscan.lake.state import Fold

if TYPE_CHECKING:
    from flowscan.lake.lake import Removal

TEXT = pa.dictionary(pa.int32(), pa.string())


def conform(table: str, rows: pa.Table) -> pa.Table:
    """Give rows the columns of their derived table, strings as one dictionary per column.

    Columns that the rows lack become NULL.

    Raises:
        LakeError: there is no such table, or a column that it does not have.
    """
    if table not in schema.DERIVED_TABLES:
        raise LakeError("no such derived table in a lake", where=repr(table)[:80])
    wanted = schema.derived_schema(table)
    strange = set(rows.schema.names) - set(wanted.names)
    if strange:
        raise LakeError(f"the table has no column {', '.join(sorted(strange))}", where=table)
    fields = [pa.field(f.name, TEXT) if pa.types.is_string(f.type) else f for f in wanted]
    columns = [
        _cast(rows.column(f.name), f.type)
        if f.name in rows.schema.names
        else pa.nulls(rows.num_rows, f.type)
        for f in fields
    ]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields)).unify_dictionaries()


def _cast(column: pa.ChunkedArray, kind: Any) -> pa.ChunkedArray:
    if kind != TEXT:
        return column if column.type == kind else column.cast(kind)
    if not pa.types.is_dictionary(column.type):
        return column.cast(pa.string()).dictionary_encode()
    return pa.chunked_array([_narrowed(chunk) for chunk in column.chunks], type=TEXT)


def _narrowed(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same texts with a dictionary of those that stand in it: a file holds it as it is."""
    texts = column.dictionary.cast(pa.string())
    codes = column.indices.cast(pa.int32())
    used = np.zeros(len(texts) + 1, dtype=bool)
    used[codes.fill_null(len(texts)).to_numpy(zero_copy_only=False)] = True
    used = used[:-1]
    if used.all():
        return pa.DictionaryArray.from_arrays(codes, texts)
    places = pa.array(np.cumsum(used, dtype=np.int32) - 1, type=pa.int32())
    return pa.DictionaryArray.from_arrays(places.take(codes), texts.filter(pa.array(used)))


def replacing(
    tables: Collection[str],
    days: Iterable[int],
    seen: Sequence[FileEntry],
    stays: Sequence[FileEntry] = (),
) -> Removal:
    """A removal of the parts of some tables and UTC days, which must still be what was `seen`.

    Those that are in `stays` are left.

    Raises:
        LakeConflict: at the commit, when another writer replaced one of them first.
    """
    chosen = frozenset(days)

    def removal(fold: Fold) -> Sequence[str]:
        now = {
            path
            for path, entry in fold.live().items()
            if entry.table in tables and layout.day_of_path(path) in chosen
        }
        if now != {entry.path for entry in seen}:
            raise LakeConflict("another writer made these days first")
        return sorted(now - {entry.path for entry in stays})

    return removal
