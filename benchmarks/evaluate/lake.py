"""A lake from generated records, in any format from the default one up."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from flowscan.lake import Lake, SourceRecord
from flowscan.schema import DEFAULT_FORMAT, arrow_schema, column_order


def write(where: Path, flows: pl.DataFrame, *, v2: bool = False, name: str = "generated") -> Lake:
    lake = Lake.open(where, create=True)
    append(lake, flows, v2=v2, name=name)
    return lake


def append(lake: Lake, flows: pl.DataFrame, *, v2: bool = False, name: str) -> None:
    columns = column_order(flows.columns)
    if v2:
        columns = list(DEFAULT_FORMAT)
    table = flows.select(columns).to_arrow().cast(arrow_schema(columns))
    transaction = lake.begin()
    for batch in table.to_batches():
        transaction.write_flows(batch)
    n = len(flows)
    transaction.commit([SourceRecord(f"file:///{name}", "1", 1, None, "text", n, n, 0, 0, 0)])
