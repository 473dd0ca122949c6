"""Each flow, coverage row and reject knows its object, from whatever shape and on whatever way."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flowscan.engine import Engine
from flowscan.ingest import IngestOptions, ingest
from flowscan.lake import Lake, numbers
from flowscan.lake.compact import compact
from flowscan.lake.verify import verify
from flowscan.sources import SourceOptions, open_source

V2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status"
)
START = 1785542400
DAY = 86_400
NODATA = f"2 123456789012 eni-0a - - - - - - - {START} {START + 60} - NODATA"


def flow(number: int, row: int, start: int = START) -> str:
    """A flow that says in its bytes which object it is of."""
    return (
        f"2 123456789012 eni-0a 10.0.0.{row % 250} 10.1.0.5 {1024 + row} 443 6 3 {number} "
        f"{start + row} {start + row + 30} ACCEPT OK"
    )


def write(folder: Path, number: int) -> Path:
    """Object `number`, in one of five shapes: number + 3 flows, 2 NODATA records, a reject."""
    lines = [flow(number, row, START + (DAY if row == 1 else 0)) for row in range(number + 3)]
    others = [NODATA, NODATA, "2 123456789012 nonsense"]
    header, rest = (V2, "") if number % 5 < 3 else (V2 + " vpc-id", " vpc-0")
    path = folder / f"{number:02d}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    body = "\n".join([header, *(f"{line}{rest}" for line in lines + others[:2]), others[2]]) + "\n"
    if number % 5 == 1:
        path = path.with_suffix(".log.gz")
        path.write_bytes(gzip.compress(body.encode()))
    elif number % 5 == 2:
        path = path.with_suffix(".parquet")
        cells = [line.split() for line in lines + others[:2]]
        bad = ["2", "123456789012", "eni-0a", "x", "y", "99999999", *cells[0][6:]]
        names = [name.replace("-", "_") for name in header.split()]
        columns = {n: list(c) for n, c in zip(names, zip(*cells, bad, strict=True), strict=True)}
        pq.write_table(pa.table(columns), path)
    else:
        path.write_text(body)
    return path


def run(lake: Path, *where: Path, **options: object) -> None:
    sources = [open_source(str(path), SourceOptions()) for path in where]
    ingest(Lake.open(lake, create=True), sources, IngestOptions(**options))


def check(root: Path, objects: int) -> None:
    """Each row has the number of its own object, and no other object has it."""
    lake = Lake.open(root)
    records = [s for _, s in lake.state().sources()]
    assert len(records) == len({s.source_id for s in records}) == objects
    named = {s.source_id: int(Path(s.uri).name[:2]) for s in records}
    flows = duckdb.sql(f"SELECT source_id, bytes FROM '{root}/flows/**/*.parquet'").fetchall()
    assert {(named[number], size) for number, size in flows} == {(n, n) for n in named.values()}
    assert Counter(n for n, _ in flows) == {s.source_id: s.flows for s in records}
    assert all(s.flows == named[s.source_id] + 3 for s in records)
    for table, count in (("coverage", "nodata"), ("rejects", "rejects")):
        found = Counter(lake.read(table)["source_id"].to_pylist())
        assert found == {s.source_id: getattr(s, count) for s in records}
    assert verify(lake, full=True) == []


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for number in range(20):
        write(tmp_path / "logs", number)
    return tmp_path / "logs"


@pytest.mark.parametrize("kernel", ["auto", "arrow"])
@pytest.mark.parametrize("workers", [1, 3])
def test_every_row_knows_its_object(logs: Path, tmp_path: Path, kernel: str, workers: int) -> None:
    lake = tmp_path / "lake"
    run(lake, logs, kernel=kernel, workers=workers, batch_objects=4, row_group=7)
    check(lake, 20)
    write(logs, 20)
    run(lake, logs, kernel=kernel)
    check(lake, 21)


def test_compaction_keeps_it(logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    run(lake, logs, batch_objects=3)
    done = list(compact(Lake.open(lake), now=START + 30 * DAY))
    assert {d.table for d in done} >= {"flows"}
    check(lake, 20)
    (path, *_) = sorted((lake / "flows").rglob("*.parquet"))
    group = pq.ParquetFile(path).metadata.row_group(0)
    column = group.column(group.num_columns - 1)
    assert column.path_in_schema == "source_id"
    assert "RLE_DICTIONARY" in column.encodings
    assert column.statistics.has_min_max


def test_a_batch_that_is_read_again(logs: Path, tmp_path: Path, monkeypatch) -> None:
    """For an object that breaks in its middle, and for numbers that others took."""
    whole = gzip.compress("\n".join([V2, *(flow(77, n) for n in range(60_000))]).encode())
    (logs / "05b.log.gz").write_bytes(whole[: len(whole) // 2])
    drawn, number = [], numbers.number

    def loaded(batch: str, ordinal: int) -> int:
        drawn.append(batch)
        return number(
            "20260801T120000Z-0123456789abcdef" if len(set(drawn)) < 4 else batch, ordinal
        )

    monkeypatch.setattr(numbers, "number", loaded)
    lake = tmp_path / "lake"
    run(lake, logs, workers=1, batch_objects=6)
    monkeypatch.undo()
    assert len(set(drawn)) > 5
    check(lake, 20)


def test_a_touched_object_keeps_its_number(logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    run(lake, logs)
    os.utime(logs / "03.log", (1, 1))
    run(lake, logs)
    check(lake, 20)


def test_sql_joins_sources(logs: Path, tmp_path: Path) -> None:
    run(tmp_path / "lake", logs)
    with Engine(Lake.open(tmp_path / "lake").snapshot()) as engine:
        for table, count in (("flows", "flows"), ("coverage", "nodata"), ("rejects", "rejects")):
            sql = (
                f"SELECT count(*) AS n FROM (SELECT s.uri, s.{count} AS told, count(*) AS found"
                f" FROM {table} t JOIN sources s ON t.source_id = s.source_id GROUP BY 1, 2)"
                " WHERE told = found"
            )
            assert engine.query(sql).to_pylist() == [{"n": 20}], table
        columns = engine.query("SELECT * FROM flows LIMIT 1").schema
        assert (columns.names[-1], str(columns.types[-1])) == ("source_id", "int64")
        assert "source_id" not in engine.query("SELECT * FROM vpc_flow_logs LIMIT 1").schema.names


@pytest.mark.parametrize("name", ["source-id", "source_id", "SOURCE_ID"])
def test_a_field_of_that_name_in_a_log_is_another(tmp_path: Path, name: str) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/00.log").write_text(f"{V2} {name}\n" + f"{flow(0, 0)} 12345\n")
    run(tmp_path / "lake", tmp_path / "logs")
    with Engine(Lake.open(tmp_path / "lake").snapshot()) as engine:
        sql = "SELECT f.source_id_ AS theirs, f.source_id = s.source_id AS ours FROM flows f, sources s"
        assert engine.query(sql).to_pylist() == [{"theirs": "12345", "ours": True}]
