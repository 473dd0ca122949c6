"""What the tests of matches share: flows written short, lists, the rows of a match."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowscan.feeds import Feed
from flowscan.feeds.store import FeedStore
from flowscan.lake import Lake, SourceRecord
from flowscan.match import match
from flowscan.schema import arrow_schema

BAD, US = "45.1.2.3", "10.0.0.5"
DAY = 86_400
T0 = 1_785_542_400  # 2026-08-01
counter = itertools.count()


def flow(src: str, dst: str, **fields: Any) -> dict[str, Any]:
    row = {
        "version": 2, "account_id": "123456789012", "interface_id": "eni-1", "srcaddr": src,
        "dstaddr": dst, "srcport": 40_000, "dstport": 443, "protocol": 6, "packets": 10,
        "bytes": 1000, "start": T0, "end": T0 + 30, "action": "ACCEPT", "log_status": "OK",
    }  # fmt: skip
    return row | fields


def put(lake: Lake, rows: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    batch = pa.RecordBatch.from_pylist(rows, schema=arrow_schema(names))
    transaction = lake.begin()
    transaction.write_flows(batch)
    n = len(rows)
    record = SourceRecord(f"file:///{next(counter)}", "x", n, None, "text", n, n, 0, 0, 0)
    transaction.commit([record])


def listed(lake: Lake, folder: Path, name: str, text: str, **settings: Any) -> None:
    file = folder / f"{name}.txt"
    file.write_text(text)
    FeedStore(lake).add(Feed(name, str(file), **settings))


def rows_of(lake: Lake, **options: Any) -> list[dict[str, Any]]:
    return match(lake, now=T0, **options).rows.to_pylist()
