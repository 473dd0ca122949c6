"""Record batches put together, from others or from values.

Invariant: one batch with all rows in order, and one dictionary for each dictionary column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from flowscan.parse.arrays import Mask, dictionary_array, integer_array
from flowscan.parse.lines import Value


def joined(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """The rows of all batches (none: no rows), which all have the schema."""
    table = pa.Table.from_batches(batches, schema=schema).unify_dictionaries().combine_chunks()
    whole = table.to_batches()
    assert len(whole) <= 1, "more than 2 GiB of text in one column"
    if whole:
        return whole[0]
    return pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in schema], schema=schema)


def of_values(rows: Sequence[Sequence[Value]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows of values that are in order, each in the order of the schema."""
    arrays = []
    for i, field in enumerate(schema):
        values: Any = [row[i] for row in rows]
        if pa.types.is_dictionary(field.type):
            arrays.append(dictionary_array(values))
        else:
            null: Mask = np.array([v is None for v in values], np.bool_)
            kind = np.dtype(str(field.type))
            arrays.append(integer_array(np.array([v or 0 for v in values], kind), null))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
