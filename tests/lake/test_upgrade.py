"""A lake of flowscan 0.1.0: read as it is, not written, upgraded whatever dies or races."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import format_one
import lake_kit as kit
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flowscan.engine import Engine
from flowscan.errors import LakeConflict, LakeError
from flowscan.lake import Lake, checkpoint, layout, marker
from flowscan.lake.compact import compact
from flowscan.lake.expire import expire
from flowscan.lake.local_store import LocalStore
from flowscan.lake.status import status
from flowscan.lake.upgrade import plan, upgrade
from flowscan.lake.verify import repair, verify

HERE = Path(__file__).parent
OLD = ["a", "b", "c"]


@pytest.fixture(params=[0, 2], ids=["ledger", "checkpoint"])
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    format_one.make(tmp_path / "lake", OLD, checkpoint=request.param)
    return tmp_path / "lake"


def names(sources: list[str]) -> list[str]:
    return sorted(name for source in sources for name in kit.names_of(source))


def snapshot_of(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def check_upgraded(root: Path, sources: list[str]) -> None:
    """A lake of format 2 that has the sources, the old ones unattributed, and refuses 0.1.0."""
    lake = Lake.open(root)
    assert (lake.format, marker.read(lake.store)) == (2, 2)
    assert kit.live_names(root) == kit.snapshot_names(lake) == names(sources)
    found = status(lake)
    assert (found.format, found.unattributed) == (2, 5 * len(OLD))
    assert (found.flows, found.totals.flows) == (5 * len(sources),) * 2
    assert not plan(lake).needed
    assert checkpoint.load(lake.store, exact=True).version > 0
    assert [p for p in verify(lake, full=True) if not p.harmless] == []
    with pytest.raises(format_one.TooNew):
        format_one.Writer(root)
    marked = root / layout.MARKER
    body = json.loads(marked.read_text())
    marked.write_text(json.dumps({**body, "format": 1}))  # one who read it a moment before
    with pytest.raises(format_one.TooNew):
        format_one.Writer(root)
    marked.write_text(json.dumps(body))


def test_it_is_read_as_it_is(root: Path) -> None:
    before = snapshot_of(root)
    lake = Lake.open(root)
    assert kit.snapshot_names(lake) == names(OLD)
    assert lake.format == 1
    assert lake.state().knows("file:///a", "sha256:a")
    assert [s.source_id for _, s in lake.state().sources()] == [None] * 3
    assert lake.read("rejects")["source_id"].to_pylist() == [None] * 3
    found = status(lake)
    assert (found.format, found.flows, found.unattributed) == (1, 15, 15)
    assert verify(lake, full=True) == []
    with Engine(lake.snapshot()) as engine:
        sql = "SELECT count(*) AS n, count(source_id) AS known FROM flows"
        assert engine.query(sql).to_pylist() == [{"n": 15, "known": 0}]
        assert engine.query("SELECT * FROM flows LIMIT 1").schema.names[-1] == "source_id"
        (row,) = engine.query(
            "SELECT count(*) AS n, count(source_id) AS k FROM sources"
        ).to_pylist()
        assert row == {"n": 3, "k": 0}
    assert snapshot_of(root) == before


def test_a_writer_is_told_what_to_do(root: Path) -> None:
    before = snapshot_of(root)
    lake = Lake.open(root, create=True)
    writers = [
        lake.begin,
        lake.recover,
        lambda: kit.ingest(lake, ["d"]),
        lambda: kit.set_indicators(lake, ["1.1.1.1"]),
        lambda: list(compact(lake, now=kit.FAR)),
        lambda: expire(lake, before=kit.FAR),
        lambda: repair(lake),
    ]
    for write in writers:
        with pytest.raises(LakeError, match="can be read, but not written") as caught:
            write()
        assert caught.value.hint == "flowscan lake upgrade"
    assert snapshot_of(root) == before


def test_the_upgrade_adds_a_commit_and_touches_no_file_of_flows(root: Path) -> None:
    before = snapshot_of(root)
    lake, reader = Lake.open(root), Lake.open(root)
    assert reader.snapshot().rows("flows") == 15
    planned = plan(lake)
    assert (planned.format, planned.needed, planned.commits, planned.files) == (1, True, 3, 12)
    told: list[int] = []
    upgrade(lake, told.append)
    assert told == [3]
    after = snapshot_of(root)
    assert {path for path in before if after.get(path) != before[path]} == {
        str(root / layout.MARKER)
    }
    added = {str(Path(path).relative_to(root)) for path in after.keys() - before.keys()}
    assert added == {layout.commit_key(4), layout.checkpoint_key(4)}
    check_upgraded(root, OLD)
    # also who had opened it before sees the exact lineage, and may write
    for opened in (lake, reader, Lake.open(root)):
        assert opened.format == 2
        snapshot = opened.snapshot()
        assert [e.lineage for e in snapshot.files("flows")] == [(1,), (1,), (2,), (2,), (3,), (3,)]
        assert snapshot.lineage(kit.TODAY) == (1, 2, 3)
    assert kit.ingest(reader, ["a", "d"]) == 1
    check_upgraded(root, [*OLD, "d"])


def test_old_and_new_flows_are_compacted_apart(root: Path) -> None:
    lake = Lake.open(root)
    upgrade(lake)
    kit.ingest(lake, ["d", "e"], size=1)
    before = [(lake.snapshot().lineage(day)) for day in (kit.TODAY, kit.TODAY + 1)]
    done = list(compact(lake, now=kit.FAR))
    assert [(d.date, d.files_before, d.rows) for d in done] == [
        *(("2026-08-01", 3, 12), ("2026-08-01", 2, 8), ("2026-08-02", 3, 3), ("2026-08-02", 2, 2))
    ]
    snapshot = lake.snapshot()
    assert [(snapshot.lineage(day)) for day in (kit.TODAY, kit.TODAY + 1)] == before
    lineages = {(e.attributed, e.lineage) for e in snapshot.files("flows")}
    assert lineages == {(False, (1, 2, 3)), (True, (5, 6))}
    check_upgraded(root, [*OLD, "d", "e"])
    expire(lake, before=(kit.TODAY + 1) * kit.DAY)
    assert status(lake).unattributed == 3


def test_killed_at_every_operation(root: Path, ram: Path) -> None:
    """What is left is a lake of one format or the other; the next upgrade does the rest."""
    format_one.Writer(root).commit("late", publish=False)
    program = [sys.executable, "-W", "error", str(HERE / "upgrade_matrix.py"), str(root), str(ram)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    done = subprocess.run(program, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["(1,1)", "(2,1)", "(2,2)"]


def test_after_a_kill_a_writer_finishes_it_too(root: Path) -> None:
    lake = Lake.open(root)
    upgrade(lake)
    marked = root / layout.MARKER
    marked.write_text(json.dumps({**json.loads(marked.read_text()), "format": 1}))
    for path in (root / layout.CHECKPOINTS).glob("*4.ckpt"):
        path.unlink()
    opened = Lake.open(root)
    assert opened.format == 2
    assert opened.snapshot().lineage(kit.TODAY) == (1, 2, 3)
    assert [p.harmless for p in verify(opened)] == [True]
    kit.ingest(opened, ["d"])
    assert marker.read(opened.store) == 2
    upgrade(Lake.open(root))
    check_upgraded(root, [*OLD, "d"])


def test_old_writers_at_work_are_in_before_or_stopped(root: Path, tmp_path: Path) -> None:
    """One that runs on commits at each operation of the upgrade: wholly in, or told to stop."""
    count = kit.Count()
    shutil.copytree(root, tmp_path / "dry")
    upgrade(Lake.on(LocalStore(tmp_path / "dry", fault=count)))
    outcomes = []
    for k in range(len(count.seen)):
        copy = tmp_path / f"k{k}"
        shutil.copytree(root, copy)
        old = format_one.Writer(copy)
        left = [k]

        def fault(operation: str, key: str, old=old, left=left) -> None:
            if left[0] == 0:
                try:
                    old.commit("late")
                    outcomes.append("in")
                except format_one.TooNew:
                    outcomes.append("stopped")
            left[0] -= 1

        upgrade(Lake.on(LocalStore(copy, fault=fault)))
        expected = [*OLD, "late"] if outcomes[-1] == "in" else OLD
        lake = Lake.open(copy)
        assert kit.live_names(copy) == kit.snapshot_names(lake) == names(expected)
        assert lake.state().knows("file:///late", "e1") == (outcomes[-1] == "in")
        assert [p for p in verify(lake, full=True) if not p.harmless] == []
        with pytest.raises(format_one.TooNew):
            old.commit("later")
        assert kit.ingest(lake, ["late", "later"]) == len(OLD) + 2 - len(expected)
        assert checkpoint.load(lake.store, exact=True).version > 0
        shutil.rmtree(copy)
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {"in", "stopped"}


def test_two_upgrades_and_a_new_writer_at_once(root: Path) -> None:
    second = Lake.open(root)
    second.snapshot()
    left = [5]

    def fault(operation: str, key: str) -> None:
        if operation == "link" and left:
            left.clear()
            upgrade(second)
            kit.ingest(second, ["d"])

    upgrade(Lake.on(LocalStore(root, fault=fault)))
    check_upgraded(root, [*OLD, "d"])
    notes = [json.loads(p.read_text())["note"] for p in sorted((root / layout.COMMITS).iterdir())]
    assert notes.count("upgrade") == 1


def test_a_transaction_of_before_cannot_be_committed_twice(root: Path) -> None:
    """A source that 0.1.0 brought is known to the new ones, by its etag and its content."""
    lake = Lake.open(root)
    upgrade(lake)
    late = kit.write_batch(lake, ["a"])
    with pytest.raises(LakeConflict):
        late.commit(kit.records(["a"], late))
    late.abort()


def test_a_log_s_own_field_of_that_name_is_none_of_ours(tmp_path: Path) -> None:
    """0.1.0 kept any field that a header named, this one as text."""
    root = tmp_path / "lake"
    rows = format_one.write_files

    def write(*arguments: object) -> list[dict]:
        adds = rows(*arguments)
        for entry in adds[:2]:
            folder = Path(str(arguments[0])) / str(arguments[2])
            file = folder / f"{Path(entry['path']).stem}.tmp"
            table = pq.read_table(file)
            table = table.append_column("source_id", pa.array(["zzz"] * table.num_rows))
            pq.write_table(table, file, store_schema=False, write_page_checksum=True)
            entry["bytes"], entry["names"] = file.stat().st_size, table.column_names
        return adds

    format_one.write_files = write
    try:
        format_one.make(root, OLD)
    finally:
        format_one.write_files = rows
    upgrade(Lake.open(root))
    lake = Lake.open(root)
    kit.ingest(lake, ["d"])
    for _ in range(2):
        with Engine(lake.snapshot()) as engine:
            sql = "SELECT count(*) AS n, count(source_id) AS known FROM flows"
            assert engine.query(sql).to_pylist() == [{"n": 20, "known": 5}]
        assert len(list(compact(lake, now=kit.FAR))) in {0, 2}


def flowscan(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flowscan", "lake", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_the_command_says_what_it_needs_and_asks_nothing_in_a_pipe(root: Path) -> None:
    refused = flowscan("compact", "--lake", root)
    assert refused.returncode == 3
    assert "flowscan lake upgrade" in refused.stderr
    assert refused.stderr.count("\n") == 1
    done = flowscan("upgrade", "--lake", root)
    assert done.returncode == 0, done.stderr
    for part in ("format 1 → 2", "3 commits", "12 files", "15 flows stay", "is of format 2"):
        assert part in done.stdout
    assert done.stderr == ""
    check_upgraded(root, OLD)
    assert "nothing to do" in flowscan("upgrade", "--lake", root).stdout
    told = flowscan("status", "--lake", root).stdout
    assert "format 2" in told
    assert "15 unattributed" in told
