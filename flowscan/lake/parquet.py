"""How flows are written as Parquet: the one place for the writer's settings.

Invariant: any batch of flows, whatever its columns, is written with the same settings, and a
row group never holds more than a million rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flowscan import schema

ROW_GROUP_ROWS = 1 << 20
ZSTD_LEVEL = 1

# Columns that filters use and whose row groups differ: time, ports, and the interface.
_STATISTICS = ("start", "end", "srcport", "dstport", "protocol")


def flow_schema(columns: Sequence[str]) -> Any:
    """Arrow schema of a file of flows: strings as dictionaries, numbers as they are."""
    fields = []
    for name in columns:
        kind = schema.arrow_type(name)
        if pa.types.is_string(kind):
            kind = pa.dictionary(pa.int32(), pa.string())
        fields.append(pa.field(name, kind))
    return pa.schema(fields)


def flow_writer(sink: Any, columns: Sequence[str]) -> Any:
    """Open a Parquet writer for flows of the given columns on a file-like sink."""
    arrow = flow_schema(columns)
    texts = [f.name for f in arrow if pa.types.is_dictionary(f.type)]
    numbers = [f.name for f in arrow if not pa.types.is_dictionary(f.type)]
    return pq.ParquetWriter(
        sink,
        arrow,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        use_dictionary=texts,
        column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
        write_statistics=[name for name in _STATISTICS if name in numbers],
        dictionary_pagesize_limit=16 << 20,
        write_batch_size=16384,
        store_schema=False,
    )


def small_writer(sink: Any, arrow: Any) -> Any:
    """Open a Parquet writer for a small table."""
    return pq.ParquetWriter(sink, arrow, compression="zstd", store_schema=False)
