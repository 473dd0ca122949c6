"""`sources`: what was ingested, as a table; the ledger's commits say it.

Flows, coverage and rejects join it by `source_id`; it is NULL in what a lake of format 1 holds.

Invariant: one row per source object that is in the lake, with the numbers that its commit has;
the ledger is read only when a query reads from `sources`.
"""

from __future__ import annotations

import re
from typing import Any, Final

from flowscan.engine.views import Files

COLUMNS: Final = {
    "version": "bigint",
    "ingested": "bigint",
    "batch": "string",
    "uri": "string",
    "etag": "string",
    "size": "bigint",
    "digest": "string",
    "shape": "string",
    "records": "bigint",
    "flows": "bigint",
    "nodata": "bigint",
    "skipdata": "bigint",
    "rejects": "bigint",
    "source_id": "bigint",
}
"""Columns with their Hive types; `ingested` is the time of the commit, epoch seconds."""

OF_COMMIT: Final = ("version", "ingested", "batch")

_NAMED: Final = re.compile(
    r"\b(?:FROM|JOIN|DESCRIBE)\s+[\"`]?sources\b|,\s*sources\b", re.IGNORECASE
)


def named(sql: str) -> bool:
    """Whether a text may read from `sources`."""
    return _NAMED.search(sql) is not None


def table(snapshot: Files) -> Any:
    """The rows as an Arrow table; none for what has no ledger."""
    import pyarrow as pa

    rows: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for commit, source in getattr(snapshot, "sources", tuple)():
        first = (commit.version, commit.at, commit.batch)
        for name, value in zip(OF_COMMIT, first, strict=True):
            rows[name].append(value)
        for name in COLUMNS:
            if name not in OF_COMMIT:
                rows[name].append(getattr(source, name))
    kinds = {"bigint": pa.int64(), "string": pa.string()}
    arrays = [pa.array(rows[name], kinds[kind]) for name, kind in COLUMNS.items()]
    return pa.table(arrays, names=list(COLUMNS))
