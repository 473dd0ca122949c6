"""The lake's interface: transactions, states, snapshots, small tables, blobs."""

from __future__ import annotations

import gc
import json
import stat
import threading
from pathlib import Path

import lake_kit as kit
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscan.errors import LakeConflict, LakeError
from flowscan.lake import Lake, Refusal, SourceRecord, layout, parquet
from flowscan.lake.days import split_by_day
from flowscan.lake.status import status
from flowscan.lake.transaction import MAX_OPEN


def test_a_lake_has_to_exist_unless_told_otherwise(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no lake here"):
        Lake.open(tmp_path / "lake")
    assert Lake.open(tmp_path / "lake", create=True).snapshot().files("flows") == ()
    assert Lake.open(tmp_path / "lake").state().version == 0


def test_a_folder_with_other_things_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("x")
    with pytest.raises(LakeError, match="not empty"):
        Lake.open(tmp_path, create=True)


def test_commit_shows_everything_at_once(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    transaction = kit.write_batch(lake, ["a", "b"])
    assert lake.snapshot().files("flows") == ()
    assert kit.live_files(tmp_path / "lake") == []
    refused = Refusal("file:///x", "e", 3, "no flow log")
    assert transaction.commit(kit.records("ab", transaction), [refused]) == 1
    state = lake.state()
    assert state.knows("file:///a", "e1")
    assert state.knows("file:///a", "sha256:a")
    assert not state.knows("file:///a", "e2")
    assert not state.knows("file:///c", "e1")
    assert state.refused("file:///x", "e")
    assert not state.refused("file:///a", "e1")
    assert [s.uri for _, s in state.sources()] == ["file:///a", "file:///b"]
    assert [r for _, r in state.refusals()] == [refused]
    kit.check(tmp_path / "lake", ["a", "b"])


def test_states_and_snapshots_stand_still(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    kit.ingest(lake, ["a"])
    state, snapshot = lake.state(), lake.snapshot()
    kit.ingest(lake, ["b"])
    assert not state.knows("file:///b", "e1")
    assert lake.state().knows("file:///b", "e1")
    assert kit.snapshot_names(lake, snapshot) == kit.names_of("a")
    assert state.totals.sources == 1
    assert len(list(state.sources())) == 1


def test_conflict_names_what_is_known_and_leaves_nothing(tmp_path: Path) -> None:
    root = tmp_path / "lake"
    first, second = Lake.open(root, create=True), Lake.open(root)
    late = kit.write_batch(second, ["a", "b"])
    kit.ingest(first, ["a"])
    with pytest.raises(LakeConflict) as caught:
        late.commit([kit.record("a"), kit.record("b")])
    assert caught.value.known == (("file:///a", "e1"),)
    late.abort()
    late.abort()
    assert list((root / "_flowscan/staging").iterdir()) == []
    kit.check(root, ["a"])


def test_the_same_content_under_a_new_time_is_known(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    kit.ingest(lake, ["a"])
    late = kit.write_batch(lake, ["a"])
    with pytest.raises(LakeConflict):
        late.commit([kit.record("a", etag="touched")])
    late.abort()


def test_threads_commit_side_by_side(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    sources = [f"t{i}" for i in range(16)]
    threads = [
        threading.Thread(target=kit.ingest, args=(lake, sources[i:] + sources[:i], 3))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kit.check(tmp_path / "lake", sources)


def test_records_must_add_up(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    transaction = kit.write_batch(lake, ["a"])
    with pytest.raises(LakeError, match="9 records, 7 accounted for"):
        transaction.commit([SourceRecord("a", "e", 1, None, "text", 9, 5, 1, 0, 1)])
    transaction.abort()
    with pytest.raises(LakeError, match="over"):
        transaction.write_flows(kit.flows_of("a"))


def test_an_aborted_transaction_leaves_nothing(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    kit.write_batch(lake, ["a"]).abort()
    gc.collect()
    assert list((tmp_path / "lake/_flowscan/staging").iterdir()) == []
    assert lake.state().version == 0


def test_flows_without_a_start_are_refused(tmp_path: Path) -> None:
    transaction = Lake.open(tmp_path / "lake", create=True).begin()
    with pytest.raises(LakeError, match="no start"):
        transaction.write_flows(pa.record_batch({"start": pa.array([None], pa.int64())}))
    with pytest.raises(LakeError, match="1970"):
        transaction.write_flows(pa.record_batch({"start": pa.array([1 << 60], pa.int64())}))
    transaction.abort()


def test_columns_may_differ_between_batches(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    transaction = lake.begin()
    start = pa.array([kit.NOON], pa.int64())
    for extra in ("zz_new", "srcaddr", "vpc_id"):
        transaction.write_flows(pa.record_batch({extra: pa.array(["x"]), "start": start}))
    transaction.commit([SourceRecord("a", "e", 1, None, "text", 3, 3, 0, 0, 0)])
    snapshot = lake.snapshot()
    assert len(snapshot.files("flows")) == 3
    assert snapshot.columns("flows") == ["srcaddr", "start", "vpc_id", "zz_new"]


def test_many_dates_keep_few_files_open(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    transaction = lake.begin()
    days = MAX_OPEN + 20
    start = pa.array([kit.DAY * day for day in range(days)] * 2, pa.int64())
    transaction.write_flows(pa.record_batch({"start": start}))
    transaction.commit([SourceRecord("a", "e", 1, None, "text", 2 * days, 2 * days, 0, 0, 0)])
    found = status(lake)
    assert len(found.dates) == days
    assert {d.flows for d in found.dates} == {2}


@settings(deadline=None)
@given(st.lists(st.integers(0, layout.LAST_DAY * kit.DAY + kit.DAY - 1), min_size=1, max_size=60))
def test_split_by_day_keeps_every_row_in_order(starts: list[int]) -> None:
    batch = pa.record_batch({"start": pa.array(starts, pa.int64()), "n": range(len(starts))})
    parts = split_by_day(batch)
    assert [day for day, _ in parts] == sorted({s // kit.DAY for s in starts})
    for day, part in parts:
        wanted = [i for i, s in enumerate(starts) if s // kit.DAY == day]
        assert part["n"].to_pylist() == wanted


def test_snapshots_prune_by_time(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    kit.ingest(lake, ["a"])
    tomorrow = kit.NOON + kit.DAY
    assert len(lake.snapshot().files("flows")) == 2
    assert len(lake.snapshot(since=tomorrow).files("flows")) == 1
    assert len(lake.snapshot(until=kit.NOON).files("flows")) == 0
    assert len(lake.snapshot(until=kit.NOON + 1).files("flows")) == 1
    assert len(lake.snapshot(since=tomorrow + kit.DAY).files("coverage")) == 1


def test_small_tables(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    assert lake.read("indicators").num_rows == 0
    kit.set_indicators(lake, ["1.1.1.1"])
    lake.append("matches", pa.table({"address": ["1.1.1.1"], "port": pa.array([22], pa.int64())}))
    lake.append("matches", pa.table({"address": ["2.2.2.2"]}))
    assert lake.read("matches")["address"].to_pylist() == ["1.1.1.1", "2.2.2.2"]
    assert lake.read("matches")["port"].to_pylist() == [22, None]
    lake.replace("indicators", lambda old: old.slice(0, 0))
    assert lake.read("indicators").num_rows == 0
    assert lake.snapshot().files("indicators") == ()
    with pytest.raises(LakeError, match="no column nonsense"):
        lake.append("matches", pa.table({"nonsense": ["x"]}))
    for table in ("nonsense", "flows", "../etc"):
        with pytest.raises(LakeError):
            lake.append(table, pa.table({"address": ["x"]}))
    assert list((tmp_path / "lake/_flowscan/staging").iterdir()) == []


def test_replace_merges_what_another_writer_did(tmp_path: Path) -> None:
    lake, other = Lake.open(tmp_path / "lake", create=True), Lake.open(tmp_path / "lake")
    calls = []

    def merge(old: pa.Table) -> pa.Table:
        if not calls:
            kit.set_indicators(other, ["9.9.9.9"])
        calls.append(old.num_rows)
        return pa.concat_tables(
            [old, pa.table({"indicator": ["1.1.1.1"]})], promote_options="default"
        )

    lake.replace("indicators", merge)
    assert calls == [0, 1]
    assert lake.read("indicators")["indicator"].to_pylist() == ["9.9.9.9", "1.1.1.1"]


def test_blobs(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    assert lake.get_blob("feed", "x") is None
    for data in (b"1", b"22"):
        lake.put_blob("feed", "../../x\0y", data)
        assert lake.get_blob("feed", "../../x\0y") == data
    with pytest.raises(LakeError):
        lake.put_blob("../feed", "x", b"")


def test_nobody_else_can_read(tmp_path: Path) -> None:
    root = tmp_path / "lake"
    kit.everything(Lake.open(root, create=True))
    for path in [root, *root.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_newer_lake_is_refused_in_one_line(tmp_path: Path) -> None:
    root = tmp_path / "lake"
    kit.ingest(Lake.open(root, create=True), ["a"])
    marker = root / "_flowscan/lake.json"
    body = json.loads(marker.read_text())
    marker.write_text(json.dumps({**body, "format": 3}))
    with pytest.raises(LakeError, match=r"lake format 3, this flowscan knows up to 2.*upgrade"):
        Lake.open(root)
    marker.write_text(json.dumps(body))
    commit = root / "_flowscan/commits/00000001.json"
    commit.write_text(json.dumps({**json.loads(commit.read_text()), "format": 3}))
    with pytest.raises(LakeError, match="upgrade flowscan"):
        Lake.open(root).state()


def test_flow_files_are_what_other_tools_expect(tmp_path: Path) -> None:
    root = tmp_path / "lake"
    kit.ingest(Lake.open(root, create=True), ["a"])
    file = pq.ParquetFile(kit.live_files(root)[0])
    assert {str(f.type) for f in file.schema_arrow} == {"string", "int64", "int32"}
    assert file.schema_arrow.names == [
        *("srcaddr", "dstport", "start", "end", "instance_id", "source_id")
    ]
    columns = {file.metadata.row_group(0).column(i).path_in_schema: i for i in range(5)}
    start = file.metadata.row_group(0).column(columns["start"])
    assert start.statistics.min == kit.NOON
    assert "DELTA_BINARY_PACKED" in start.encodings
    assert "RLE_DICTIONARY" in file.metadata.row_group(0).column(columns["srcaddr"]).encodings


def test_small_batches_share_a_row_group(tmp_path: Path) -> None:
    root = tmp_path / "lake"
    lake = Lake.open(root, create=True)
    transaction = lake.begin()
    for i in range(50):
        names = pa.array([f"{i}:{j}" for j in range(100)]).dictionary_encode()
        start = pa.array([kit.NOON] * 100, pa.int64())
        transaction.write_flows(pa.record_batch({"start": start, "instance_id": names}))
    transaction.commit([SourceRecord("a", "e", 1, None, "text", 5000, 5000, 0, 0, 0)])
    file = pq.ParquetFile(kit.live_files(root)[0])
    assert file.num_row_groups == 1
    assert parquet.FULL_GROUP > 5000
    column = file.metadata.row_group(0).column(1)
    assert column.path_in_schema == "instance_id"
    assert sorted(file.read()["instance_id"].to_pylist()) == sorted(
        f"{i}:{j}" for i in range(50) for j in range(100)
    )
