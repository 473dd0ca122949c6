"""One number each: whoever is asked about a small log says the same, and says what is true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import SHARED, Case, cases, write
from questions import QUERIES, wrong

import flowscan
from flowscan import queries, traffic
from flowscan.engine import Engine
from flowscan.schema import TRAFFIC_TABLES

CASES = list(cases())
NAMES = [case.name for case in CASES]


def lake_of(log: Path, folder: Path) -> flowscan.Lake:
    flowscan.ingest(str(log), folder / "lake")
    return flowscan.Lake.open(folder / "lake")


def asked(engine: Engine, case: Case) -> list[str]:
    return wrong(
        lambda name, **values: engine.run(queries.load(name), values).to_pylist(),
        lambda sql: engine.query(sql).to_pylist(),
        case,
    )


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_derived_on_the_fly(case: Case, tmp_path: Path) -> None:
    lake = lake_of(write(case, tmp_path), tmp_path)
    with Engine(lake.snapshot()) as engine:
        assert asked(engine, case) == []


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_kept_in_the_lake(case: Case, tmp_path: Path) -> None:
    lake = lake_of(write(case, tmp_path), tmp_path)
    with traffic.reading(lake) as engine:
        assert asked(engine, case) == []


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_shared_case_has_the_same_truth(case: Case, tmp_path: Path) -> None:
    if not (SHARED / case.shared).exists():
        pytest.skip("no shared cases")
    lake = lake_of(SHARED / case.shared, tmp_path)
    with Engine(lake.snapshot()) as engine:
        assert asked(engine, case) == []


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("truth")
    with Engine(lake_of(write(CASES[0], folder), folder).snapshot()) as made:
        yield made


def test_every_query_that_shows_bytes_is_asked(engine: Engine) -> None:
    shows = {
        query.id
        for query in queries.catalogue("analytics")
        if any("bytes" in c or c in {"sent", "received"} for c in engine.run(query).column_names)
    }
    assert shows == QUERIES.keys()


@pytest.mark.parametrize("name", [q.id for q in queries.catalogue("analytics")])
def test_a_query_scans_the_flows_twice_at_most(engine: Engine, name: str) -> None:
    query = queries.load(name)
    sql = engine.translate(queries.inline(query))
    for table in TRAFFIC_TABLES:
        engine.execute(f"SELECT 1 FROM {table} LIMIT 0")
    (plan,) = engine.execute(f"EXPLAIN (FORMAT json) {sql}").column("explain_value").to_pylist()
    scans = len(re.findall(r'"Function": "READ_PARQUET"', plan))
    assert scans == {"rejected-ports": 1, "aws-services": 2, "top-pairs": 0}.get(name, scans)
    assert scans <= (2 if traffic.names_traffic(query.sql) else 1), plan


def columns_of(name: str) -> list[str]:
    (query,) = (q for q in queries.derived() if q.id == name)
    return [str(column) for column in query.meta["columns"]]


@pytest.mark.parametrize("name", [q.id for q in queries.derived()])
def test_front_matter_names_the_columns_that_a_table_has(engine: Engine, name: str) -> None:
    assert engine.query(f"SELECT * FROM {name} LIMIT 0").column_names == columns_of(name)


@pytest.mark.parametrize("name", TRAFFIC_TABLES)
def test_kept_tables_have_the_columns_of_the_schema(engine: Engine, name: str) -> None:
    assert list(TRAFFIC_TABLES[name]) == columns_of(name)


@pytest.mark.parametrize("name", TRAFFIC_TABLES)
def test_kept_tables_have_the_types_of_the_schema(engine: Engine, name: str) -> None:
    given = engine.query(f"SELECT * FROM {name} LIMIT 0").schema
    kinds = {"int32": "int32", "int64": "int64", "double": "double", "string": "string"}
    wanted = {"time": "int64", "address": "string", "float64": "double"}
    found = {f.name: kinds.get(str(f.type), str(f.type)) for f in given}
    assert found == {c: wanted.get(k, k) for c, k in TRAFFIC_TABLES[name].items()}


def test_tables_are_kept_when_first_named(tmp_path: Path) -> None:
    lake = lake_of(write(CASES[2], tmp_path), tmp_path)
    assert lake.query("WITH volumes AS (SELECT 1 AS n) SELECT n FROM volumes").num_rows == 1
    assert lake.query("SELECT count(*) AS sessions FROM flows").to_pylist() == [{"sessions": 10}]
    assert traffic.due(lake) == (1, 10)
    assert lake.query("SELECT sum(sessions) AS n FROM volumes").to_pylist() == [{"n": 5}]
    assert traffic.due(lake) == (0, 0)
