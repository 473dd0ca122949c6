"""The query files as DuckDB reads them mean what they mean in Athena's dialect."""

from __future__ import annotations

import pytest
from simulator import simulate, write

import flowscan
from flowscan import lake as storage
from flowscan import queries, schema, traffic
from flowscan.engine import Engine, lockdown
from flowscan.traffic import derive
from flowscan.traffic.adding import KEYS, added
from flowscan.traffic.days import DAY_S
from flowscan.traffic.rows import rows_of


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("estate")
    write(simulate(31, 0.01), folder, "v5")
    flowscan.ingest(folder / "logs", folder / "lake")
    return storage.Lake.open(folder / "lake")


def made(lake):
    snapshot = lake.snapshot()
    day = min(entry.min_start for entry in snapshot.files("flows")) // DAY_S * DAY_S
    with Engine(snapshot, since=day, until=day + DAY_S, derived=False) as engine:
        derive.make(engine, day, day + DAY_S)
        return {
            name: engine.execute(rows_of(name, day)).to_pylist() for name in schema.TRAFFIC_TABLES
        }


def test_no_translation_is_needed(lake, monkeypatch):
    native = made(lake)
    monkeypatch.setattr(Engine, "native", Engine.translate)
    translated = made(lake)
    for name, rows in native.items():
        assert sorted(map(repr, rows)) == sorted(map(repr, translated[name])), name
    assert native["sessions"]


def test_the_period_is_one():
    told = {
        query.id: query.params["period"].default
        for query in queries.derived()
        if "period" in query.params
    }
    assert set(told.values()) == {derive.period()}
    assert set(told) == {"connections", "uses", "evidence"}
    assert 3600 % derive.period() == 0
    # A slice lies in one period, whatever its protocol.
    assert all(derive.period() % length == 0 for length in (300, 180, 60))


@pytest.mark.parametrize("name", sorted(KEYS))
def test_a_table_and_nothing_add_up_to_the_table(lake, name):
    with Engine(lake.snapshot(), derived=False, tables={"given": _rows(lake, name)}) as engine:
        columns = ", ".join(schema.TRAFFIC_TABLES[name])
        engine.make("nothing", f"SELECT {columns} FROM given WHERE FALSE")
        whole = engine.execute(f"SELECT {columns} FROM given ORDER BY ALL").to_pylist()
        same = engine.execute(f"SELECT * FROM ({added(name, ['given', 'nothing'])}) ORDER BY ALL")
        assert same.to_pylist() == whole
        assert whole


def _rows(lake, name):
    snapshot = lake.snapshot()
    day = min(entry.min_start for entry in snapshot.files("flows")) // DAY_S * DAY_S
    with Engine(snapshot, since=day, until=day + DAY_S, derived=False) as engine:
        derive.make(engine, day, day + DAY_S)
        return engine.execute(rows_of(name, day))


def test_a_day_that_needs_more_memory_gets_it(lake, monkeypatch):
    asked = []
    limit = lockdown.limit

    def noting(con, **options):
        asked.append(options["memory"])
        limit(con, **options)

    monkeypatch.setattr(lockdown, "limit", noting)
    monkeypatch.setattr("flowscan.traffic.rows.MEMORY", "12MB")
    expected = made(lake)
    assert traffic.fold(lake, again=True).days
    assert {"12MB", None} <= set(asked)
    with traffic.reading(lake) as engine:
        day = min(e.min_start for e in lake.snapshot().files("hosts"))
        for name, rows in expected.items():
            kept = engine.execute(rows_of(name, day)).to_pylist()
            assert sorted(map(repr, kept)) == sorted(map(repr, rows))
