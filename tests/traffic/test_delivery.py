"""Every answer is a function of the set of flows: whatever way these came, and when."""

from __future__ import annotations

import importlib
import uuid

import pytest
from delivery import LATER, answers, deliver, list_some, small_estate, tables
from s3_server import Server

import flowscan
from flowscan import lake as storage
from flowscan import schema, traffic
from flowscan.errors import EngineError, LakeError
from flowscan.lake.compact import compact


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return small_estate(tmp_path_factory.mktemp("estate"))


@pytest.fixture(scope="module")
def whole(records, tmp_path_factory):
    """What a lake answers to which everything came at once."""
    folder = tmp_path_factory.mktemp("whole")
    flowscan.ingest(records.put(folder / "all.log", records.lines), folder / "lake")
    list_some(str(folder / "lake"), records, folder)
    found = answers(storage.Lake.open(folder / "lake"))
    assert len(found["matches"]) > 5
    assert len({f["detection"] for f in found["findings"]}) > 5
    return found


def check(where, folder, records, whole, seed):
    lake = deliver(str(where), folder, records, seed)
    found = answers(lake)
    for name, right in whole.items():
        assert found[name] == right, name
    assert traffic.stale(lake.snapshot()) == {}
    return lake


@pytest.mark.parametrize("seed", range(4))
def test_any_way_of_delivery_gives_the_same(tmp_path, records, whole, seed):
    lake = check(tmp_path / "lake", tmp_path, records, whole, seed)
    assert list(traffic.differences(lake.snapshot())) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 24))
def test_many_ways_of_delivery_give_the_same(tmp_path, records, whole, seed):
    check(tmp_path / "lake", tmp_path, records, whole, seed)


@pytest.fixture
def place(s3: Server, monkeypatch):
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3.bucket(f'ways-{uuid.uuid4().hex[:12]}')}/lake"


@pytest.mark.s3
@pytest.mark.parametrize("seed", [2])
def test_any_way_of_delivery_to_s3_gives_the_same(tmp_path, place, records, whole, seed):
    check(place, tmp_path, records, whole, seed)


@pytest.mark.s3
@pytest.mark.slow
@pytest.mark.parametrize("seed", [*range(2), *range(3, 17)])
def test_many_ways_of_delivery_to_s3_give_the_same(tmp_path, place, records, whole, seed):
    check(place, tmp_path, records, whole, seed)


def test_compaction_makes_nothing_stale_and_a_late_object_its_day(tmp_path, records):
    header, lines = records.header, records.lines
    first = records.put(tmp_path / "first.log", lines[:-20])
    late = records.put(tmp_path / "late.log", lines[-20:])
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
    flowscan.ingest(records.put(tmp_path / "all.log", records.lines), tmp_path / "lake")
    lake = storage.Lake.open(tmp_path / "lake")
    before = lake.snapshot().version

    def refuse():
        raise LakeError("cannot write", where="here")

    monkeypatch.setattr(lake, "begin", refuse)
    assert tables(lake) == {name: whole[name] for name in schema.TRAFFIC_TABLES}
    assert "for this answer only" in caplog.text
    assert lake.snapshot().version == before


def test_a_part_that_lies_is_found_and_rebuilt(tmp_path, records):
    flowscan.ingest(records.put(tmp_path / "all.log", records.lines), tmp_path / "lake")
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

    flowscan.ingest(records.put(tmp_path / "all.log", records.lines), tmp_path / "lake")
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
