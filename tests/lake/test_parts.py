"""Parts of derived tables: written, replaced, pruned, expired with their day."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import lake_kit as kit
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flowscan import schema
from flowscan.errors import LakeConflict, LakeError
from flowscan.lake import Lake, layout, parquet
from flowscan.lake.compact import compact
from flowscan.lake.expire import expire, purge
from flowscan.lake.parts import replacing
from flowscan.lake.verify import repair, verify

ROWS = pa.table(
    {
        "first_seen": [kit.NOON, kit.NOON + 1],
        "last_seen": pa.array([kit.NOON + 60, None], pa.int64()),
        "client": ["10.0.0.1", "10.0.0.2"],
        "server_port": pa.array([443, 22], pa.int64()),
    }
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    kit.ingest(Lake.open(tmp_path / "lake", create=True), ["a", "b"])
    return tmp_path / "lake"


def put(lake: Lake, rows: pa.Table = ROWS, day: int = kit.TODAY, mark: str = "made of x") -> None:
    seen = [e for e in lake.snapshot().files("sessions") if layout.day_of_path(e.path) == day]
    with lake.writing() as transaction:
        transaction.write_part("sessions", day, rows, lake.snapshot().lineage(day), mark)
        lake.commit(transaction, (), removal=replacing(["sessions"], [day], seen))


def read(lake: Lake) -> list[tuple[object, ...]]:
    uris = lake.snapshot().uris("sessions")
    return duckdb.execute("SELECT first_seen, server_port FROM read_parquet(?)", [uris]).fetchall()


def test_a_part_is_written_and_replaced_as_a_whole(root: Path) -> None:
    lake = Lake.open(root)
    put(lake)
    put(lake, ROWS.slice(1))
    put(lake, day=kit.TODAY + 1)
    for opened in (lake, Lake.open(root)):
        first, second = opened.snapshot().files("sessions")
        assert first.path.startswith("sessions/date=2026-08-01/")
        assert (first.rows, first.lineage, first.mark) == (1, (1,), "made of x")
        assert first.columns == tuple(schema.TRAFFIC_TABLES["sessions"])
        assert opened.snapshot().columns("sessions") == list(first.columns)
        assert (second.rows, layout.day_of_path(second.path)) == (2, kit.TODAY + 1)
        assert len(read(opened)) == 3
    glob = duckdb.sql(f"SELECT count(*) FROM '{root}/sessions/**/*.parquet'").fetchall()
    assert glob == [(3,)]
    kit.check(root, ["a", "b"])


def test_the_file_is_what_other_tools_expect(root: Path) -> None:
    lake = Lake.open(root)
    texts = pa.array(["10.0.0.9"] * 2).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.utf8()))
    put(lake, ROWS.set_column(2, "client", texts))
    (entry,) = lake.snapshot().files("sessions")
    file = pq.ParquetFile(root / entry.path)
    group = file.metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert columns["first_seen"].statistics.max == kit.NOON + 1
    assert columns["client"].statistics.min == "10.0.0.9"
    assert columns["server_port"].statistics is None
    assert "RLE_DICTIONARY" in columns["client"].encodings
    assert columns["client"].compression == "ZSTD"
    kinds = {f.name: str(f.type) for f in file.schema_arrow}
    assert [kinds[n] for n in ("first_seen", "client", "server_port")] == [
        *("int64", "string", "int32")
    ]
    assert file.read()["server_port"].to_pylist() == [443, 22]


def test_nothing_is_a_part_too(root: Path) -> None:
    lake = Lake.open(root)
    put(lake, ROWS.slice(0, 0))
    (entry,) = lake.snapshot().files("sessions")
    assert (entry.rows, entry.lineage) == (0, (1,))
    assert read(lake) == []
    assert verify(lake, full=True) == []


def test_a_part_in_pieces(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake.open(root)
    with lake.writing() as transaction:
        for i in range(3):
            transaction.write_part("sessions", kit.TODAY, ROWS.slice(i % 2, 1), (1,))
        lake.commit(transaction, ())
    (entry,) = lake.snapshot().files("sessions")
    assert entry.rows == 3
    monkeypatch.setattr(parquet, "FILE_BYTES", 1)
    with lake.writing() as transaction:
        for i in range(3):
            transaction.write_part("sessions", kit.TODAY, ROWS.slice(i % 2, 1), (1,))
        lake.commit(transaction, (), removal=replacing(["sessions"], [kit.TODAY], [entry]))
    assert [e.rows for e in lake.snapshot().files("sessions")] == [1, 1, 1]
    assert verify(lake, full=True) == []


def test_whoever_replaces_what_another_replaced_learns_it(root: Path) -> None:
    first, second = Lake.open(root), Lake.open(root)
    late = second.begin()
    late.write_part("sessions", kit.TODAY, ROWS, (1,))
    put(first)
    with pytest.raises(LakeConflict, match="first"):
        second.commit(late, (), removal=replacing(["sessions"], [kit.TODAY], []))
    late.abort()
    assert len(second.snapshot().files("sessions")) == 1
    kit.check(root, ["a", "b"])


def test_parts_are_pruned_by_their_day(root: Path) -> None:
    lake = Lake.open(root)
    put(lake)
    midnight = (kit.TODAY + 1) * kit.DAY
    assert len(lake.snapshot(since=midnight - 1).files("sessions")) == 1
    assert len(lake.snapshot(since=midnight).files("sessions")) == 0
    assert len(lake.snapshot(until=kit.TODAY * kit.DAY).files("sessions")) == 0


def test_compaction_leaves_parts_and_expiry_takes_them(root: Path) -> None:
    lake = Lake.open(root)
    for _ in range(3):
        put(lake)
    put(lake, day=kit.TODAY + 1)
    before = lake.snapshot().files("sessions")
    kit.ingest(lake, ["c"])
    assert len(list(compact(lake, now=kit.FAR))) == 2
    assert lake.snapshot().files("sessions") == before
    version = lake.state().version
    expire(lake, before=(kit.TODAY + 1) * kit.DAY)
    assert lake.state().version == version + 1
    assert lake.snapshot().files("sessions") == before[1:]
    assert kit.live_files(root, "sessions") == [root / before[1].path]
    assert verify(lake, full=True) == []
    purge(lake, now=time.time() + 90_000)
    assert verify(lake, full=True) == []


def test_verify_sees_damage_and_strange_files(root: Path) -> None:
    lake = Lake.open(root)
    put(lake)
    (path,) = kit.live_files(root, "sessions")
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    assert [p.path for p in verify(lake)] == [str(path.relative_to(root))]
    path.write_bytes(data)
    stray = path.with_name("20260801T120000Z-0123456789abcdef-0.parquet")
    stray.write_bytes(data)
    assert [p.path for p in verify(lake)] == [str(stray.relative_to(root))]
    repair(lake)
    assert verify(lake, full=True) == []


def test_what_no_part_is(root: Path) -> None:
    lake = Lake.open(root)
    with lake.writing() as transaction:
        for table in ("flows", "coverage", "nonsense"):
            with pytest.raises(LakeError, match="no such derived table"):
                transaction.write_part(table, kit.TODAY, ROWS, (1,))
        with pytest.raises(LakeError, match="no column nonsense"):
            transaction.write_part("sessions", kit.TODAY, pa.table({"nonsense": [1]}), (1,))
        with pytest.raises(LakeError, match="200"):
            transaction.write_part("sessions", kit.TODAY, ROWS, (1,), "x" * 201)
    with pytest.raises(LakeError, match="no such table"):
        layout.live_key("nonsense", layout.new_batch(), 0)
    with pytest.raises(LakeError, match="date"):
        layout.live_key("sessions", layout.new_batch(), 0)
