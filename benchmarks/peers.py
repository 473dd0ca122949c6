"""The peers of ingest, each in the way its own documentation would have it.

    python -m benchmarks.peers NAME FOLDER OUT

Every peer reads gzip text flow logs (header line, `-` for nothing) and writes typed, zstd
compressed Parquet, except flowlogs-reader, which has no output but Python objects.
"""

from __future__ import annotations

import gzip
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TYPES = {
    "version": "INTEGER",
    "account-id": "VARCHAR",
    "interface-id": "VARCHAR",
    "srcaddr": "VARCHAR",
    "dstaddr": "VARCHAR",
    "srcport": "INTEGER",
    "dstport": "INTEGER",
    "protocol": "INTEGER",
    "packets": "BIGINT",
    "bytes": "BIGINT",
    "start": "BIGINT",
    "end": "BIGINT",
    "action": "VARCHAR",
    "log-status": "VARCHAR",
}


def files(folder: str) -> list[str]:
    return sorted(str(p) for p in Path(folder).rglob("*.log.gz"))


def polars(folder: str, out: str) -> None:
    import polars as pl

    kinds = {"INTEGER": pl.Int32, "BIGINT": pl.Int64, "VARCHAR": pl.String}
    pl.scan_csv(
        files(folder),
        separator=" ",
        null_values="-",
        quote_char=None,
        schema={name: kinds[kind] for name, kind in TYPES.items()},
    ).sink_parquet(out, compression="zstd")


def duckdb(folder: str, out: str) -> None:
    import duckdb

    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in TYPES.items())
    duckdb.sql(
        f"COPY (SELECT * FROM read_csv({files(folder)!r}, delim = ' ', header = true, quote = '', "
        f"nullstr = '-', columns = {{{columns}}})) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
    )


def chdb(folder: str, out: str) -> None:
    import chdb as engine

    kinds = {"INTEGER": "Int32", "BIGINT": "Int64", "VARCHAR": "String"}
    fields = ", ".join(
        f"to{kinds[kind]}OrNull(f[{i}]) AS `{name}`"
        if kind != "VARCHAR"
        else f"nullIf(f[{i}], '-') AS `{name}`"
        for i, (name, kind) in enumerate(TYPES.items(), 1)
    )
    pattern = str(Path(files(folder)[0]).parent / "*.log.gz")
    engine.query(
        f"SELECT {fields} FROM (SELECT splitByChar(' ', line) AS f FROM "
        f"file('{pattern}', 'LineAsString', 'line String') WHERE NOT startsWith(line, 'version')) "
        f"INTO OUTFILE '{out}' TRUNCATE FORMAT Parquet SETTINGS "
        "output_format_parquet_compression_method = 'zstd'"
    )


def pyarrow(folder: str, out: str) -> None:
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    kinds = {"INTEGER": pa.int32(), "BIGINT": pa.int64(), "VARCHAR": pa.string()}
    types = {name: kinds[kind] for name, kind in TYPES.items()}

    def read(path: str) -> pa.Table:
        return csv.read_csv(
            pa.py_buffer(gzip.decompress(Path(path).read_bytes())),
            parse_options=csv.ParseOptions(delimiter=" ", quote_char=False),
            convert_options=csv.ConvertOptions(
                column_types=types, null_values=["-"], strings_can_be_null=True
            ),
        )

    with (
        ThreadPoolExecutor(2) as pool,
        pq.ParquetWriter(out, pa.schema(types.items()), compression="zstd") as writer,
    ):
        for table in pool.map(read, files(folder)):
            writer.write_table(table)


def flowlogs_reader(folder: str, out: str) -> None:
    """Reads only; its records are Python objects and it stores nothing."""
    from flowlogs_reader import FlowRecord

    count = 0
    for path in files(folder):
        with gzip.open(path, "rt") as lines:
            names = next(lines).split()
            fields = [name.replace("-", "_") for name in names]
            for line in lines:
                FlowRecord(dict(zip(fields, line.split(), strict=True)))
                count += 1
    Path(out).write_text(str(count))


PEERS = {
    "polars": polars,
    "duckdb": duckdb,
    "chdb": chdb,
    "pyarrow": pyarrow,
    "flowlogs-reader": flowlogs_reader,
}

if __name__ == "__main__":
    PEERS[sys.argv[1]](sys.argv[2], sys.argv[3])
