"""Which tables a text reads, whatever else it calls by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowscan
from flowscan.engine import Engine, named

LOG = """2 123456789012 eni-1 10.0.1.5 52.1.2.3 40000 443 6 12 1500 1785715200 1785715220 ACCEPT OK
2 123456789012 eni-1 52.1.2.3 10.0.1.5 443 40000 6 10 6500 1785715200 1785715220 ACCEPT OK
"""
NESTED = """WITH a AS (WITH sessions AS (SELECT 7 AS n) SELECT * FROM sessions)
SELECT a.n, s.client FROM a, sessions s"""
OF_AWS = """WITH vpc_flow_logs AS (SELECT srcaddr FROM vpc_flow_logs WHERE dstport = 443)
SELECT * FROM vpc_flow_logs"""
OWN = "WITH sessions AS (SELECT client FROM sessions) SELECT count(*) AS n FROM sessions"


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        (OWN, {"sessions"}),
        (f"EXPLAIN {OWN}", {"sessions"}),
        ("WITH sessions AS (SELECT 1 AS n) SELECT n FROM Sessions", set()),
        ("WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n FROM x) SELECT n FROM x", set()),
        ("WITH a AS (SELECT 1 FROM b), b AS (SELECT 2 FROM a) SELECT * FROM b", {"b"}),
        ("WITH a AS (WITH b AS (SELECT 1) SELECT * FROM b) SELECT * FROM a, b", {"b"}),
        ("SELECT * FROM (WITH b AS (SELECT 1) SELECT * FROM b) x JOIN c ON true", {"c"}),
        ("WITH a AS (SELECT 1) SELECT * FROM b WHERE x IN (SELECT x FROM a)", {"b"}),
        ('SELECT * FROM "lake"."hosts"', {"hosts"}),
        ("WITH hosts AS (SELECT 1) SELECT * FROM lake.hosts", {"hosts"}),
        ("SUMMARIZE sessions", {"sessions"}),
        ("SUMMARIZE SELECT * FROM sessions", {"sessions"}),
        ("FROM sessions LIMIT 1", {"sessions"}),
        ("PIVOT volumes ON path USING sum(bytes_out)", {"volumes"}),
        ("DESCRIBE sessions", {"sessions"}),
        ("SHOW COLUMNS IN sessions", {"sessions"}),
        ("SHOW CREATE TABLE sessions", {"sessions"}),
        ("WITH x AS (FROM sessions) SUMMARIZE x", {"sessions"}),
        ("SELECT sessions FROM flows -- FROM volumes", {"flows"}),
        ("SELECT", set()),
        ("", set()),
        ("SELECT 1 FROM a; SELECT 2 FROM b", set()),
    ],
)
def test_tables_that_a_text_reads(sql: str, read: set[str]) -> None:
    assert named.read(sql) == read


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> flowscan.Lake:
    folder: Path = tmp_path_factory.mktemp("named")
    (folder / "a.log").write_text(LOG)
    flowscan.ingest(str(folder / "a.log"), folder / "lake")
    return flowscan.Lake.open(folder / "lake")


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        (OWN, {"n": 1}),
        (NESTED, {"n": 7, "client": "10.0.1.5"}),
        (OF_AWS, {"srcaddr": "10.0.1.5"}),
    ],
)
def test_a_name_may_stand_for_both(lake: flowscan.Lake, sql: str, row: dict[str, object]) -> None:
    with Engine(lake.snapshot()) as engine:
        assert engine.query(sql).to_pylist() == [row]
    assert lake.query(sql).to_pylist() == [row]


def test_what_is_not_read_is_not_derived(
    lake: flowscan.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(lake.snapshot()) as engine:
        monkeypatch.setattr(engine, "make", None)
        own = "WITH sessions AS (SELECT 1 AS n) SELECT n FROM sessions"
        assert engine.query(own).to_pylist() == [{"n": 1}]


def test_summarize_of_a_table_alone(lake: flowscan.Lake) -> None:
    assert "client" in lake.query("SUMMARIZE sessions")["column_name"].to_pylist()
