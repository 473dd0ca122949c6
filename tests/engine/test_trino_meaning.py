"""Expressions mean what Trino says they mean: its own answers, recorded by tests/engines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import shown

from flowscan.engine import Engine
from flowscan.errors import FlowscanError, QueryError

ANSWERS = json.loads((Path(__file__).parent / "trino_answers.json").read_text())


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda a: re.sub(r"\W+", "-", a["sql"])[7:60])
def test_as_trino(engine: Engine, answer: dict) -> None:
    if "error" in answer:
        with pytest.raises(FlowscanError):
            engine.query(answer["sql"])
        return
    assert shown.rows(engine.query(answer["sql"])) == answer["rows"]


UNSUPPORTED = {
    "select x from (values 1, 2) t(x) order by x fetch first 1 row with ties": "WITH TIES",
    "select approx_percentile(bytes, 1, 0.5) from flows": "approx_percentile with weights",
    "select nofunc(bytes) from flows": "function nofunc is not supported",
    "select date_format(from_unixtime(0), action) from flows": "date_format needs its pattern",
    "select date_format(from_unixtime(0), '%D')": "date format %D is not supported",
    "select end from flows": 'write the column as "end"',
    "select start, end from flows where action = 'REJECT'": 'write the column as "end"',
    "select contains('10.0.0.0/33', cast(srcaddr as ipaddress)) from flows": "is no network",
    "select * from flows match_recognize (pattern (a) define a as true)": "",
    "selec 1": "",
    "select (((": "",
}


@pytest.mark.parametrize("sql", UNSUPPORTED)
def test_unsupported_is_one_line_that_names_it(engine: Engine, sql: str) -> None:
    with pytest.raises(QueryError) as caught:
        engine.query(sql)
    assert UNSUPPORTED[sql] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "trino_" not in str(caught.value)


def test_duckdb_own_syntax_runs_too(engine: Engine) -> None:
    assert engine.query("FROM flows SELECT count(*) AS n").to_pylist()[0]["n"] > 0
    assert engine.query("SELECT * EXCLUDE (srcaddr) FROM flows LIMIT 1").num_columns > 10
    assert engine.query("SUMMARIZE flows").num_rows > 10


def test_unnamed_columns_are_named_as_athena_names_them(engine: Engine) -> None:
    table = engine.query("SELECT count(*), min(start) AS a, sum(bytes) FROM flows")
    assert table.column_names == ["_col0", "a", "_col2"]
    assert [str(t) for t in table.schema.types] == ["int64", "int64", "int64"]


def test_networks_agree_with_python(engine: Engine) -> None:
    import ipaddress

    addresses = engine.query("SELECT DISTINCT srcaddr FROM flows").column(0).to_pylist()
    for net in ("10.0.0.0/8", "10.20.1.0/24", "10.20.1.16/29", "22.0.0.0/7", "0.0.0.0/0", "::/0"):
        rows = engine.query(
            f"SELECT DISTINCT srcaddr FROM flows WHERE contains('{net}', CAST(srcaddr AS ipaddress))"
        ).column(0)
        network = ipaddress.ip_network(net)
        # Trino keeps IPv4 inside IPv6, so ::/0 holds every address.
        expected = {a for a in addresses if net == "::/0" or ipaddress.ip_address(a) in network}
        assert set(rows.to_pylist()) == expected
