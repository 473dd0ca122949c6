"""Compaction, expiry, checkpoints: through the ledger, beside readers and writers."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import lake_kit as kit
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscan.lake import Commit, FileEntry, Lake, SourceRecord, checkpoint, compact, layout
from flowscan.lake.expire import expire, purge
from flowscan.lake.ledger import encode
from flowscan.lake.state import KeySet
from flowscan.lake.status import status
from flowscan.lake.verify import verify

SOURCES = ["a", "b", "c", "d", "e", "f"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    kit.ingest(Lake.open(tmp_path / "lake", create=True), SOURCES, size=1)
    return tmp_path / "lake"


def glob_count(root: Path) -> int:
    """What any other tool sees."""
    (count,) = duckdb.sql(f"SELECT count(*) FROM '{root}/flows/**/*.parquet'").fetchall()[0]
    return count


def test_a_plain_glob_counts_what_status_counts(root: Path) -> None:
    lake = Lake.open(root)
    for _ in range(2):
        assert glob_count(root) == status(lake).flows == 30
        list(compact.compact(lake, now=kit.FAR))


def test_compaction_keeps_every_row_and_sorts(root: Path) -> None:
    lake = Lake.open(root)
    done = list(compact.compact(lake, now=kit.FAR))
    assert [(d.date, d.files_before, d.files_after, d.rows) for d in done] == [
        ("2026-08-01", 6, 1, 24),
        ("2026-08-02", 6, 1, 6),
    ]
    kit.check(root, SOURCES)
    rows = pq.ParquetFile(kit.live_files(root)[0]).read()
    order = list(zip(rows["srcaddr"].to_pylist(), rows["start"].to_pylist(), strict=True))
    assert order == sorted(order)
    assert list(compact.compact(lake, now=kit.FAR)) == []


def test_only_sealed_dates_are_touched(root: Path) -> None:
    lake = Lake.open(root)
    sealed = (kit.NOON // kit.DAY + 1) * kit.DAY + compact.SEALED_AFTER
    assert list(compact.compact(lake, now=sealed - 1)) == []
    assert [d.date for d in compact.compact(lake, now=sealed)] == ["2026-08-01"]


def test_a_snapshot_outlives_compaction_for_the_grace(root: Path) -> None:
    lake, reader = Lake.open(root), Lake.open(root).snapshot()
    expected = kit.snapshot_names(lake, reader)
    list(compact.compact(lake, now=kit.FAR))
    assert kit.snapshot_names(lake, reader) == expected == kit.live_names(root)
    purge(lake, now=time.time())
    assert kit.snapshot_names(lake, reader) == expected
    assert purge(lake, now=time.time() + 90_000).files == 12
    with pytest.raises(FileNotFoundError):
        kit.snapshot_names(lake, reader)
    kit.check(root, SOURCES)


def test_two_compactions_at_once(root: Path) -> None:
    first, second = Lake.open(root), Lake.open(root)
    running = compact.compact(first, now=kit.FAR)
    next(running)
    list(compact.compact(second, now=kit.FAR))
    list(running)
    kit.check(root, SOURCES)


def test_late_records_are_taken_in_when_it_pays() -> None:
    def entry(size: int, n: int) -> FileEntry:
        path = f"flows/date=2026-08-01/20260801T120000Z-0123456789abcdef-{n}.parquet"
        return FileEntry("flows", path, 1, size, 1, 1, ("start",))

    big, late = entry(100 << 20, 0), entry(1 << 10, 1)
    assert compact.worth([big]) == [] == compact.worth([big, late])
    assert compact.worth([big, *[late] * 9]) == [big, *[late] * 9]
    assert compact.worth([late, late]) == [late, late]
    assert compact.worth([entry(compact.SMALL, 2), late]) == []


def test_files_with_other_columns_and_nulls_compact_together(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    start = pa.array([kit.NOON, kit.NOON + 1], pa.int64())
    batches = [
        {"start": start, "srcaddr": pa.array(["9.9.9.9", None]), "new_field": ["x", "y"]},
        {
            "start": start,
            "dstaddr": pa.array([None, "1.1.1.1"]),
            "bytes": pa.array([1, None], pa.int64()),
        },
    ]
    for i, batch in enumerate(batches):
        transaction = lake.begin()
        transaction.write_flows(pa.record_batch(batch))
        transaction.commit([SourceRecord(f"s{i}", "e", 1, None, "text", 2, 2, 0, 0, 0)])
    query = "SELECT * FROM read_parquet(?, union_by_name = true) ORDER BY ALL"
    before = duckdb.execute(query, [lake.snapshot().uris("flows")]).fetchall()
    columns = lake.snapshot().columns("flows")
    assert len(list(compact.compact(lake, now=kit.FAR))) == 1
    assert lake.snapshot().columns("flows") == columns
    names = ", ".join(
        f'"{c}"' for c in duckdb.execute(query, [lake.snapshot().uris("flows")]).fetchnumpy()
    )
    after = duckdb.execute(query.replace("*", names), [lake.snapshot().uris("flows")]).fetchall()
    assert len(after) == len(before) == 4
    assert verify(lake, full=True) == []


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 4000), min_size=1, max_size=200), st.integers(1, 50))
def test_slices_hold_every_row_once(tmp_path_factory, starts: list[int], size: int) -> None:
    lake = Lake.open(tmp_path_factory.mktemp("lake") / "lake", create=True)
    half = len(starts) // 2
    for part in (starts[:half], starts[half:]):
        if part:
            transaction = lake.begin()
            transaction.write_flows(
                pa.record_batch({"start": pa.array([kit.NOON + s for s in part], pa.int64())})
            )
            record = SourceRecord(
                str(len(part)) + str(id(part)), "e", 1, None, "text", len(part), len(part), 0, 0, 0
            )
            transaction.commit([record])
    old, compact.SLICE_ROWS = compact.SLICE_ROWS, size
    try:
        slices = list(compact.sorted_slices(lake, lake.snapshot().files("flows")))
    finally:
        compact.SLICE_ROWS = old
    joined = [s - kit.NOON for part in slices for s in part["start"].to_pylist()]
    assert joined == sorted(starts)


def test_many_small_files_of_small_tables_become_one(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    kit.ingest(lake, [f"s{i}" for i in range(9)], size=1)
    before = lake.read("rejects").sort_by("source")
    list(compact.compact(lake, now=kit.FAR))
    assert len(lake.snapshot().files("rejects")) == 1
    assert lake.read("rejects").sort_by("source") == before


def test_expired_flows_leave_and_do_not_come_back(root: Path) -> None:
    lake = Lake.open(root)
    tomorrow = (kit.NOON // kit.DAY + 1) * kit.DAY
    assert expire(lake, before=tomorrow - 1).files == 0
    gone = expire(lake, before=tomorrow + 5)
    assert gone.flows == 24  # of the first date; coverage went too
    found = status(lake)
    assert (found.flows, found.expired, found.totals.flows) == (6, 24, 30)
    assert kit.ingest(lake, SOURCES) == 0
    assert glob_count(root) == 6
    assert verify(lake, full=True) == []
    checkpoint.write(lake.store, lake.fold())
    assert status(Lake.open(root)) == found


def test_a_checkpoint_changes_no_answer(root: Path) -> None:
    lake = Lake.open(root)
    before = status(lake)
    checkpoint.write(lake.store, lake.fold())
    fold = checkpoint.load(lake.store, exact=True)
    assert fold.version == before.version
    opened = Lake.open(root)
    assert status(opened) == before
    state = opened.state()
    for source in SOURCES:
        assert state.knows(f"file:///{source}", "e1")
        assert state.knows(f"file:///{source}", f"sha256:{source}")
        assert state.refused(f"file:///bad-{source}", "e")
    assert not state.knows("file:///z", "e1")
    assert kit.ingest(opened, [*SOURCES, "z"]) == 1
    kit.check(root, [*SOURCES, "z"])


def test_checkpoints_come_by_themselves_and_few_are_kept(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(checkpoint, "COMMITS", 3)
    lake = Lake.open(tmp_path / "lake", create=True)
    kit.ingest(lake, [f"s{i}" for i in range(10)], size=1)
    assert checkpoint.versions(lake.store) == [9, 6]
    kit.check(tmp_path / "lake", [f"s{i}" for i in range(10)])


@given(st.sets(st.integers(0, (1 << 128) - 1)), st.sets(st.integers(0, (1 << 128) - 1)))
def test_key_set_is_a_set(old: set[int], new: set[int]) -> None:
    keys = KeySet()
    for key in old:
        keys.add(key, 1)
    keys = keys.merged()
    for key in new:
        keys.add(key, 5)
    for _ in range(2):
        for key in old | new:
            assert keys.has(key, 9)
            assert not keys.has(key ^ 1, 9) or key ^ 1 in old | new
        keys = keys.merged()
    assert len(keys) == len(old | new)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_million_sources_load_in_seconds_and_bounded_memory(ram: Path) -> None:
    import subprocess
    import sys

    root = ram / "lake"
    lake = Lake.open(root, create=True)
    folder = root / layout.COMMITS
    folder.mkdir(parents=True)
    stem = "s3://b/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/08/01/123456789012_vpcflowlogs"
    for version in range(1, 10_001):
        sources = tuple(
            SourceRecord(f"{stem}_{version:06d}{i:02d}.log.gz", "e", 1, None, "text", 1, 1, 0, 0, 0)
            for i in range(100)
        )
        batch = f"20260801T120000Z-{version:016x}"
        path = f"flows/date=2026-08-01/{batch}-0.parquet"
        add = FileEntry("flows", path, 100, 9, kit.NOON, kit.NOON, ("start",))
        commit = Commit(version, batch, "test", 1, sources, (add,))
        (folder / f"{version:08d}.json").write_bytes(encode(commit))
    lake.recover()
    assert checkpoint.versions(lake.store) == [10_000]
    program = f"""
import resource, time
from flowscan.lake import Lake
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun = time.perf_counter()
state = Lake.open({str(root)!r}).state()
print(time.perf_counter() - begun, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
assert state.totals.sources == 1_000_000
assert state.knows("{stem}_00770042.log.gz", "e") and not state.knows("{stem}_x", "e")
"""
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    seconds, megabytes = map(float, out.stdout.split())
    assert seconds < 5
    assert megabytes < 200


def test_ranks_sort_like_text() -> None:
    column = pa.chunked_array([pa.array(["b", None, "a", "b", "10", "9"]).dictionary_encode()])
    ranks = compact._ranks(column)
    assert np.argsort(ranks, kind="stable").tolist() == [1, 4, 5, 2, 0, 3]
