"""The tables of traffic are a function of the set of flows: whatever way these came, and when."""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from simulator import simulate, write

import flowscan
from flowscan import lake as storage
from flowscan import schema, traffic
from flowscan.errors import EngineError, LakeError
from flowscan.lake.compact import compact
from flowscan.report import build
from flowscan.report.data import to_json

ROOT = Path(__file__).parents[2]
LATER = 2_000_000_000


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Lines of a small estate's logs over two days, with their header."""
    folder = tmp_path_factory.mktemp("estate")
    write(simulate(11, 0.01), folder, "v5")
    header, lines = "", []
    for path in sorted((folder / "logs").rglob("*.log*")):
        text = subprocess.run(["zcat", "-f", path], check=True, stdout=subprocess.PIPE).stdout
        header, *rest = text.decode().splitlines()
        lines += rest
    return header, lines


def tables(lake):
    """Every table of traffic as sorted rows, and the report."""
    found = {}
    with traffic.reading(lake) as engine:
        for name in schema.TRAFFIC_TABLES:
            rows = engine.execute(f"SELECT * FROM {name} ORDER BY ALL")
            found[name] = rows.to_pylist()
    return found


def report_of(lake):
    """The report as data, but for where the lake lies and how many objects it was read from."""
    found = json.loads(to_json(build(lake, now=LATER)))
    del found["lake"], found["quality"]["sources"]
    return found


@pytest.fixture(scope="module")
def whole(records, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    header, lines = records
    (folder / "all.log").write_text("\n".join([header, *lines]) + "\n")
    flowscan.ingest(folder / "all.log", folder / "lake")
    lake = storage.Lake.open(folder / "lake")
    return tables(lake), report_of(lake)


def deliver(folder, records, seed):
    """Ingest the records in pieces, orders and company that the seed says; the lake."""
    rng = random.Random(seed)
    header, lines = records
    lines = list(lines)
    if rng.random() < 0.5:
        rng.shuffle(lines)
    pieces = rng.choice([1, 2, 5, 12])
    cuts = sorted(rng.sample(range(1, len(lines)), pieces - 1))
    files = []
    for i, (a, b) in enumerate(zip([0, *cuts], [*cuts, len(lines)], strict=True)):
        path = folder / f"{i}.log"
        path.write_text("\n".join([header, *lines[a:b]]) + "\n")
        files.append(path)
    rng.shuffle(files)
    where = folder / "lake"
    storage.Lake.open(where, create=True)
    while files:
        batch = [files.pop() for _ in range(min(len(files), rng.choice([1, 1, 3])))]
        if len(batch) > 1 and rng.random() < 0.5:  # two writers
            writers = [
                threading.Thread(target=flowscan.ingest, args=(path, where)) for path in batch
            ]
            for thread in writers:
                thread.start()
            for thread in writers:
                thread.join()
        else:
            flowscan.ingest(batch, where)
            flowscan.ingest(batch, where)  # what is there is not read again
        lake = storage.Lake.open(where)
        what = rng.random()
        if what < 0.4:
            traffic.fold(lake)
        elif what < 0.6:
            list(compact(lake, now=LATER))
        elif what < 0.75:
            killed_fold(where, rng.random() * 0.8)
    return storage.Lake.open(where)


def killed_fold(where, after):
    """A fold in a process of its own that is killed."""
    code = f"import flowscan, sys; from flowscan import traffic, lake; traffic.fold(lake.Lake.open({str(where)!r}), again=True)"
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ})
    time.sleep(0.4 + after)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("seed", range(6))
def test_any_way_of_delivery_gives_the_same(tmp_path, records, whole, seed):
    lake = deliver(tmp_path, records, seed)
    assert tables(lake) == whole[0]
    assert report_of(lake) == whole[1]
    assert traffic.stale(lake.snapshot()) == {}
    assert list(traffic.differences(lake.snapshot())) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 40))
def test_many_ways_of_delivery_give_the_same(tmp_path, records, whole, seed):
    lake = deliver(tmp_path, records, seed)
    assert tables(lake) == whole[0]
    assert report_of(lake) == whole[1]


def test_compaction_makes_nothing_stale_and_a_late_object_its_day(tmp_path, records):
    header, lines = records
    first, late = tmp_path / "first.log", tmp_path / "late.log"
    first.write_text("\n".join([header, *lines[:-20]]) + "\n")
    late.write_text("\n".join([header, *lines[-20:]]) + "\n")
    flowscan.ingest(first, tmp_path / "lake")
    lake = storage.Lake.open(tmp_path / "lake")
    traffic.fold(lake)
    assert list(compact(lake, now=LATER)) is not None
    assert traffic.stale(lake.snapshot()) == {}
    flowscan.ingest(late, tmp_path / "lake")
    column = header.split().index("start")
    days = {int(line.split()[column]) // 86400 * 86400 for line in lines[-20:]}
    assert set(traffic.stale(lake.snapshot())) == days


def test_a_lake_that_cannot_be_written_is_answered_all_the_same(
    tmp_path, records, whole, monkeypatch, caplog
):
    header, lines = records
    (tmp_path / "all.log").write_text("\n".join([header, *lines]) + "\n")
    flowscan.ingest(tmp_path / "all.log", tmp_path / "lake")
    lake = storage.Lake.open(tmp_path / "lake")
    before = lake.snapshot().version

    def refuse():
        raise LakeError("cannot write", where="here")

    monkeypatch.setattr(lake, "begin", refuse)
    assert tables(lake) == whole[0]
    assert "for this answer only" in caplog.text
    assert lake.snapshot().version == before


def test_a_part_that_lies_is_found_and_rebuilt(tmp_path, records):
    header, lines = records
    (tmp_path / "all.log").write_text("\n".join([header, *lines]) + "\n")
    flowscan.ingest(tmp_path / "all.log", tmp_path / "lake")
    lake = storage.Lake.open(tmp_path / "lake")
    traffic.fold(lake)
    snapshot = lake.snapshot()
    entry = snapshot.files("contacts")[0]
    from flowscan.lake.parts import replacing

    day = entry.min_start // 86_400
    with lake.writing() as transaction:
        transaction.write_part(
            "contacts", day, schema.derived_schema("contacts").empty_table(), entry.lineage,
            entry.mark,
        )  # fmt: skip
        lake.commit(transaction, (), removal=replacing(["contacts"], [day], [entry]))
    (found,) = traffic.differences(lake.snapshot())
    assert (found.table, found.day) == ("contacts", day * 86_400)
    assert found.missing > 0
    assert found.strange == 0
    traffic.fold(lake, again=True)
    assert list(traffic.differences(lake.snapshot())) == []


def test_an_empty_lake_has_empty_tables(tmp_path):
    lake = storage.Lake.open(tmp_path / "lake", create=True)
    assert traffic.fold(lake).days == ()
    assert all(rows == [] for rows in tables(lake).values())


def test_a_day_that_cannot_be_derived_keeps_no_other_back(tmp_path, records, monkeypatch):
    module = importlib.import_module("flowscan.traffic.fold")

    header, lines = records
    (tmp_path / "all.log").write_text("\n".join([header, *lines]) + "\n")
    flowscan.ingest(tmp_path / "all.log", tmp_path / "lake")
    lake = storage.Lake.open(tmp_path / "lake")
    bad, *others = traffic.stale(lake.snapshot())
    derived = module.derived

    def broken(snapshot, days, flows):
        if bad in days:
            raise EngineError("no")
        return derived(snapshot, days, flows)

    monkeypatch.setattr(module, "derived", broken)
    with pytest.raises(EngineError, match="cannot be derived"):
        traffic.fold(lake)
    assert list(traffic.stale(lake.snapshot())) == [bad]
    assert others
