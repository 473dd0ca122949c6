"""Ingest as a library: counts, identity, redone batches, odd objects, bounded batches."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from flowscan.ingest import IngestOptions, dry_run, ingest
from flowscan.lake import Lake
from flowscan.sources import SourceOptions, open_source

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status\n"
)
START = 1785542400


def line(i: int, *, start: int = START, port: int = 443) -> str:
    return (
        f"2 123456789012 eni-0a1b2c3d4e5f60718 203.0.113.{i % 250} 10.0.0.5 {1024 + i % 60_000} {port} 6 3 "
        f"{100 + i} {start + i} {start + i + 30} ACCEPT OK\n"
    )


def write(path: Path, first: int, count: int, **how: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = HEADER + "".join(line(i, **how) for i in range(first, first + count))
    path.write_bytes(gzip.compress(text.encode()))
    return path


def run(lake: Path, *sources: str, **options: object):
    opened = [open_source(s, SourceOptions()) for s in sources]
    return ingest(Lake.open(lake, create=True), opened, IngestOptions(**options))


def sums(lake: Path) -> tuple[int, int]:
    sql = f"SELECT count(*), CAST(sum(bytes) AS BIGINT) FROM '{lake}/flows/**/*.parquet'"
    return duckdb.sql(sql).fetchall()[0]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for n in range(12):
        write(tmp_path / "logs" / f"{n:02d}.log.gz", n * 100, 100)
    return tmp_path / "logs"


def expected(rows: range) -> tuple[int, int]:
    return len(rows), sum(100 + i for i in rows)


def test_each_record_once_and_the_second_time_nothing(logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    first = run(lake, str(logs))
    assert (first.sources, first.records, first.flows, first.rejects) == (12, 1200, 1200, 0)
    again = run(lake, str(logs))
    assert (again.sources, again.already, again.records) == (0, 12, 0)
    assert again.version == first.version
    assert sums(lake) == expected(range(1200))


def test_touched_file_is_recognised_by_its_content(logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    run(lake, str(logs))
    os.utime(logs / "03.log.gz", (1, 1))
    again = run(lake, str(logs))
    assert (again.sources, again.already) == (0, 12)
    assert sums(lake) == expected(range(1200))


def test_overlapping_sources_list_a_file_once(logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    result = run(lake, str(logs), str(logs / "00.log.gz"), str(logs / "*.gz"))
    assert result.sources == 12
    assert sums(lake) == expected(range(1200))


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_small_batches_and_row_groups_change_nothing(
    logs: Path, tmp_path: Path, workers: int
) -> None:
    lake = tmp_path / "lake"
    result = run(lake, str(logs), workers=workers, batch_objects=2, row_group=70)
    assert result.sources == 12
    assert Lake.open(lake).state().version >= 6
    assert sums(lake) == expected(range(1200))


def test_broken_objects_are_reported_and_the_rest_goes_in(logs: Path, tmp_path: Path) -> None:
    whole = (logs / "05.log.gz").read_bytes()
    (logs / "05.log.gz").write_bytes(whole[: len(whole) // 2])
    (logs / "06.log.gz").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    lake = tmp_path / "lake"
    result = run(lake, str(logs), workers=2)
    assert result.sources == 10
    assert {Path(uri).name for uri, _ in result.refused} == {"05.log.gz", "06.log.gz"}
    rows = [*range(500), *range(700, 1200)]
    assert sums(lake) == (len(rows), sum(100 + i for i in rows))
    again = run(lake, str(logs))
    assert (again.sources, again.already, again.refused) == (0, 12, [])


def test_object_that_breaks_after_many_rows_leaves_none_of_them(tmp_path: Path) -> None:
    """Truncated in the middle, larger than a row group: rows were written before it broke."""
    logs = tmp_path / "logs"
    write(logs / "a.log.gz", 0, 5_000)
    whole = write(logs / "b.log.gz", 5_000, 60_000).read_bytes()
    (logs / "b.log.gz").write_bytes(whole[:-2_000])
    write(logs / "c.log.gz", 65_000, 5_000)
    lake = tmp_path / "lake"
    result = run(lake, str(logs), workers=1, row_group=1_000)
    assert [Path(uri).name for uri, _ in result.refused] == ["b.log.gz"]
    rows = [*range(5_000), *range(65_000, 70_000)]
    assert sums(lake) == (len(rows), sum(100 + i for i in rows))


def test_unreadable_file_is_tried_again(logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    source = open_source(str(logs), SourceOptions())

    class Unreadable:
        format, concurrency = None, 0

        def list(self, window):
            return source.list(window)

        def read(self, obj):
            from flowscan.errors import SourceError

            if obj.uri.endswith("07.log.gz"):
                raise SourceError("permission denied", where=obj.uri)
            return source.read(obj)

        def done(self, objects):
            self.acknowledged = [Path(o.uri).name for o in objects]

        def close(self):
            pass

    broken = Unreadable()
    result = ingest(Lake.open(lake, create=True), [broken], IngestOptions(workers=1))
    assert [Path(uri).name for uri, _ in result.failed] == ["07.log.gz"]
    assert "07.log.gz" not in broken.acknowledged
    assert len(broken.acknowledged) == 11
    assert run(lake, str(logs)).sources == 1
    assert sums(lake) == expected(range(1200))


def test_region_of_the_key_fills_the_missing_column(tmp_path: Path) -> None:
    for region in ("eu-west-1", "us-east-1"):
        folder = tmp_path / "logs" / f"AWSLogs/123456789012/vpcflowlogs/{region}/2026/08/01"
        name = f"123456789012_vpcflowlogs_{region}_fl-0123_20260801T0000Z_ab.log.gz"
        write(folder / name, 0 if region == "eu-west-1" else 50, 50)
    lake = tmp_path / "lake"
    run(lake, str(tmp_path / "logs"))
    rows = duckdb.sql(
        f"SELECT region, count(*), min(bytes) FROM '{lake}/flows/**/*.parquet' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert rows == [("eu-west-1", 50, 100), ("us-east-1", 50, 150)]


def test_dates_are_those_of_start_in_utc(tmp_path: Path) -> None:
    write(tmp_path / "logs" / "a.log.gz", 0, 100, start=START - 50)
    lake = tmp_path / "lake"
    run(lake, str(tmp_path / "logs"))
    rows = duckdb.sql(
        f"SELECT CAST(date AS VARCHAR), count(*) FROM "
        f"read_parquet('{lake}/flows/**/*.parquet', hive_partitioning = true) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert rows == [("2026-07-31", 50), ("2026-08-01", 50)]


def test_dry_run_writes_nothing(logs: Path, tmp_path: Path) -> None:
    sources = [open_source(str(logs), SourceOptions())]
    planned = list(dry_run(None, sources, IngestOptions()))
    assert len(planned) == 12
    assert not any(p.known for p in planned)
    run(tmp_path / "lake", str(logs / "00.log.gz"))
    planned = list(dry_run(Lake.open(tmp_path / "lake"), sources, IngestOptions()))
    assert sum(p.known for p in planned) == 1


def test_four_threads_with_own_lake_objects_race(logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    Lake.open(lake, create=True)
    results = []
    threads = [
        threading.Thread(
            target=lambda: results.append(run(lake, str(logs), workers=1, batch_objects=3))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(r.sources for r in results) == 12
    assert sums(lake) == expected(range(1200))


def test_four_processes_race_each_record_once(logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    command = [sys.executable, "-m", "flowscan", "ingest", str(logs), "--lake", str(lake)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)
    ]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, (out, err)
    assert sums(lake) == expected(range(1200))
