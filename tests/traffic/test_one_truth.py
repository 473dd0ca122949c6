"""One number each: whoever is asked about a small log says the same, and says what is true."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cases import SHARED, Case, cases, write
from commands import COMMANDS, list_strangers, sayer
from commands import wrong as said_wrong
from questions import ALL, QUERIES, wrong

import flowscan
from flowscan import queries, traffic
from flowscan.engine import Engine
from flowscan.schema import TRAFFIC_TABLES

CASES = list(cases())
NAMES = [case.name for case in CASES]


def lake_of(log: Path, folder: Path) -> flowscan.Lake:
    flowscan.ingest(str(log), folder / "lake")
    return flowscan.Lake.open(folder / "lake")


def asked(engine: Engine, case: Case, names: list[str] | None = None) -> list[str]:
    return wrong(
        lambda name, **values: engine.run(queries.load(name), values).to_pylist(),
        lambda sql: engine.query(sql).to_pylist(),
        case,
        names,
    )


@pytest.mark.parametrize("log", ["made", "shared"])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_all_answers_are_the_truth(case: Case, log: str, tmp_path: Path) -> None:
    """The commands, every query that shows bytes and the kept tables, asked of one lake."""
    shared = SHARED / case.shared
    if log == "shared" and not shared.exists():
        pytest.skip("no shared cases")
    lake = lake_of(shared if log == "shared" else write(case, tmp_path), tmp_path)
    list_strangers(case, tmp_path / "lake", tmp_path)
    found = said_wrong(sayer(tmp_path / "lake"), case)
    with traffic.reading(lake) as engine:
        found += asked(engine, case)
    assert found == []


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_tables_derived_on_the_fly_are_the_truth(case: Case, tmp_path: Path) -> None:
    lake = lake_of(write(case, tmp_path), tmp_path)
    of_lists = {"listed-addresses", "matches-by-address"}  # there are none
    names = [name for name in ALL if name not in of_lists]
    with Engine(lake.snapshot()) as engine:
        assert asked(engine, case, names) == []


def test_an_answer_of_its_own_is_found(tmp_path: Path) -> None:
    """Whoever adds up records, or goes by ports, does not pass."""
    nat, low = CASES[0], CASES[2]
    records = "SELECT srcaddr, dstaddr, sum(bytes) AS bytes, sum(packets) AS packets, "
    records += "count(*) AS sessions FROM flows GROUP BY 1, 2"
    ports = "SELECT CASE WHEN dstport < srcport THEN dstaddr ELSE srcaddr END AS server, * FROM "
    ports += "(SELECT *, CASE WHEN dstport < srcport THEN srcaddr ELSE dstaddr END AS client, "
    ports += "least(srcport, dstport) AS server_port FROM flows)"
    assert len(wrong(*_instead(nat, tmp_path, records), nat, ["top-pairs"])) == 3
    assert "calls" in "".join(wrong(*_instead(low, tmp_path, ports), low, ["sessions"]))

    def lying(*words: str) -> Any:
        return json.loads(json.dumps(honest(*words)).replace("10000000000", "20000000000"))

    list_strangers(nat, tmp_path / nat.name / "lake", tmp_path)
    honest = sayer(tmp_path / nat.name / "lake")
    assert {each.split(",")[0] for each in said_wrong(lying, nat)} == COMMANDS.keys()


def _instead(case: Case, folder: Path, sql: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Questions that are all answered by one text."""
    (folder / case.name).mkdir()
    snapshot = lake_of(write(case, folder), folder / case.name).snapshot()

    def answer(_asked: str, **_values: object) -> list[dict[str, Any]]:
        with Engine(snapshot) as engine:
            rows = engine.query(sql).to_pylist()
        nothing = dict.fromkeys(("packets_out", "packets_in", "bytes_out", "bytes_in"), 0)
        return [nothing | {"refused_out": 0, "refused_in": 0} | row for row in rows]

    return answer, answer


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
