"""Record batches made of values, and tables of record batches.

Invariant: all rows in order, and in a table one dictionary for each dictionary column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from flowscan.arrays import Mask, dictionary_array, integer_array
from flowscan.parse.lines import Value


def joined(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """The rows of all batches, which all have the schema.

    They are not copied: to write them a second time to memory takes longer than to unify the
    dictionaries.
    """
    return pa.Table.from_batches(batches, schema=schema).unify_dictionaries()


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
