"""Record batches put together.

Invariant: one batch with all rows in order, and one dictionary for each dictionary column.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa


def joined(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """The rows of all batches (none: no rows), which all have the schema."""
    table = pa.Table.from_batches(batches, schema=schema).unify_dictionaries().combine_chunks()
    whole = table.to_batches()
    assert len(whole) <= 1, "more than 2 GiB of text in one column"
    if whole:
        return whole[0]
    return pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in schema], schema=schema)
