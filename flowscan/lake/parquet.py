"""How the lake's rows are written as Parquet: the one place for the writer's settings.

Invariant: any batch of flows, whatever its columns, is written with the same settings, as are
the tables derived from them, and a row group never holds more than about a million rows.

Why these, measured on 8 M default-format flows in eight row groups (seconds of CPU to write,
size, DuckDB on one thread; noise ±10 %):

* Strings arrive as dictionaries and leave as dictionaries, so no value is hashed again; the
  limit of a dictionary page is raised, since past it the writer falls back to plain text.
* Integers are DELTA_BINARY_PACKED: 1.5 s and 0.2 s to scan, against 2.0 s and 0.5 s as plain
  zstd, for 10 % more bytes. Trino, Spark, ClickHouse, DuckDB and Polars read it.
* zstd level 1; level 3 costs 0.25 s for 0.1 %. Ports and times are packed bits that zstd cannot
  shrink: left alone, the write takes 1.2 s and the size is the same within 0.5 %.
* Statistics only on columns whose row groups differ: on all columns they cost 0.9 s.
* Page checksums cost nothing measurable, and let `lake verify --full` see a flipped bit.
* The numbers of the sources stand in runs in a new file, where plain zstd makes nothing of them
  (11 kB of 8 M rows) for half the time of any other encoding. In a sealed file the rows of some
  twenty sources alternate. Of an estate's 8.1 M flows from 144 objects a dictionary takes 1.6 %
  of the bytes at level 3, 1.5 % at 9, 1.4 % at 19, which costs a second; deltas take 2.3 %.
  To sort by source before time makes the times larger by more than it saves.
* Bloom filters on the addresses cost 0.8 s (each row is hashed) and take a search for one
  address from 0.04 s to 0.01 s: not at ingest, but in the files that compaction writes once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flowscan import schema

ROW_GROUP_ROWS = 1 << 20
FILE_BYTES = 256 << 20
"""Bytes at which a large file is closed and another begins."""

FULL_GROUP = 1 << 18
"""Fewer rows than this wait for more before they become a row group."""

_STATISTICS = ("start", "end", "srcport", "dstport", "protocol", schema.SOURCE_ID)
_INCOMPRESSIBLE = ("start", "end", "srcport", "dstport")
_BLOOM = {"ndv": 1 << 16, "fpp": 0.01}
_SOURCE_LEVEL = 9
"""zstd's level for the numbers of the sources in a sealed file."""


def flow_schema(columns: Sequence[str]) -> Any:
    """Arrow schema of a file of flows: strings as dictionaries, numbers as they are."""
    fields = []
    for name in columns:
        kind = schema.arrow_type(name)
        if pa.types.is_string(kind):
            kind = pa.dictionary(pa.int32(), pa.string())
        fields.append(pa.field(name, kind))
    return pa.schema(fields)


def flow_writer(sink: Any, columns: Sequence[str], *, sealed: bool = False) -> Any:
    """Open a Parquet writer for flows of the given columns on a file-like sink.

    `sealed` files are written once and read for months: they get statistics on addresses,
    which prune when rows are sorted by them, and Bloom filters.
    """
    arrow = flow_schema(columns)
    texts, encodings = _encodings(arrow)
    levels = {name: 1 for name in columns if name not in _INCOMPRESSIBLE}
    if schema.SOURCE_ID in columns and sealed:
        texts.append(schema.SOURCE_ID)
        del encodings[schema.SOURCE_ID]
        levels[schema.SOURCE_ID] = _SOURCE_LEVEL
    elif schema.SOURCE_ID in columns:
        encodings[schema.SOURCE_ID] = "PLAIN"
    addresses = [name for name in schema.ADDRESS_COLUMNS if sealed and name in texts]
    return _writer(
        sink,
        arrow,
        use_dictionary=texts,
        column_encoding=encodings,
        compression={name: "zstd" if name in levels else "none" for name in columns},
        compression_level=levels,
        write_statistics=[name for name in _STATISTICS if name in columns] + addresses,
        bloom_filter_options=dict.fromkeys(addresses, _BLOOM) or None,
    )


def part_writer(sink: Any, table: str, arrow: Any) -> Any:
    """Open a Parquet writer for a part of a derived table, whose strings are dictionaries.

    Statistics are on times and addresses; there are no Bloom filters, since the part of a day
    that goes on is written again and again.
    """
    texts, encodings = _encodings(arrow)
    kinds = schema.DERIVED_TABLES[table]
    return _writer(
        sink,
        arrow,
        use_dictionary=texts,
        column_encoding=encodings,
        compression="zstd",
        compression_level=1,
        write_statistics=[name for name, kind in kinds.items() if kind in {"time", "address"}],
    )


def _encodings(arrow: Any) -> tuple[list[str], dict[str, str]]:
    """Columns that are dictionaries, and how the numbers are written."""
    texts = [f.name for f in arrow if pa.types.is_dictionary(f.type)]
    numbers = [f.name for f in arrow if pa.types.is_integer(f.type)]
    return texts, dict.fromkeys(numbers, "DELTA_BINARY_PACKED")


def _writer(sink: Any, arrow: Any, **columns: Any) -> Any:
    return pq.ParquetWriter(
        sink,
        arrow,
        dictionary_pagesize_limit=64 << 20,
        write_batch_size=1 << 16,
        max_rows_per_page=1 << 20,
        write_page_checksum=True,
        store_schema=False,
        **columns,
    )


def one_dictionary(parts: Sequence[Any]) -> Any:
    """Join tables into one whose string columns have one dictionary each.

    Without it the writer would fall back to plain text where the dictionary changes.
    """
    if len(parts) == 1:
        return parts[0]
    return pa.concat_tables(parts).unify_dictionaries()


def small_writer(sink: Any, arrow: Any) -> Any:
    """Open a Parquet writer for a small table."""
    return pq.ParquetWriter(
        sink, arrow, compression="zstd", write_page_checksum=True, store_schema=False
    )
