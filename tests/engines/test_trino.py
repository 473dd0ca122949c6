"""Trino and DuckDB give the same rows for every query file, over the same lake."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from trino_client import TrinoError

from flowscan import queries

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
import shown

pytestmark = pytest.mark.engines
ANSWERS = Path(__file__).parents[1] / "engine" / "trino_answers.json"
FILES = [q.id for q in queries.catalogue("analytics") + queries.catalogue("aws")]


@pytest.mark.parametrize("name", FILES)
def test_same_rows(both, name: str) -> None:
    query = queries.load(name)
    sql = queries.inline(query)
    expected = both.trino.run(sql)
    found = both.engine.run(query)
    assert [c.lower() for c in found.column_names] == [c.lower() for c in expected.names]
    assert shown.rows(found) == expected.rows


def test_recorded_answers_are_what_the_server_says(both) -> None:
    """FLOWSCAN_RECORD=1 writes the server's answers into the file instead."""
    recorded = json.loads(ANSWERS.read_text())
    fresh = []
    for answer in recorded:
        try:
            fresh.append({"sql": answer["sql"], "rows": both.trino.run(answer["sql"]).rows})
        except TrinoError as error:
            fresh.append({"sql": answer["sql"], "error": str(error)})
    if os.environ.get("FLOWSCAN_RECORD"):
        lines = ",\n".join(json.dumps(a, ensure_ascii=True) for a in fresh)
        ANSWERS.write_text(f"[\n{lines}\n]\n")
    assert fresh == recorded


def test_projection_finds_every_date(both) -> None:
    found = both.trino.run('SELECT "date", count(*) FROM flows GROUP BY 1 ORDER BY 1').rows
    mine = both.engine.query('SELECT "date", count(*) FROM flows GROUP BY 1 ORDER BY 1')
    assert found == shown.rows(mine)


def test_sources_are_those_of_the_ledger(both) -> None:
    sql = "SELECT * FROM sources ORDER BY uri"
    expected = both.trino.run(sql)
    found = both.engine.query(sql)
    assert found.num_rows > 10
    assert found.column_names == expected.names
    assert shown.rows(found) == expected.rows


def test_the_bounded_text_reads_the_same(both) -> None:
    from flowscan.engine import athena

    since, until = 1785801600, 1785823200
    sql = athena.prepare("SELECT count(*), min(start), max(start) FROM flows", since, until)
    ((count, first, last),) = both.trino.run(sql).rows
    assert since <= first <= last < until
    plain = f"SELECT count(*) AS n FROM flows WHERE start >= {since} AND start < {until}"
    assert both.engine.query(plain).to_pylist() == [{"n": count}]


def test_raw_tables_over_the_objects_of_aws(both, tmp_path_factory) -> None:
    import trino_tables
    from conftest_raw import raw_logs

    from flowscan.engine import athena_ddl

    location = raw_logs(both.lake)
    ddl = athena_ddl.raw(
        "s3://raw",
        "flowscan",
        "raw_text",
        parquet=False,
        regions=["us-east-1"],
        accounts=["123456789012"],
    )
    both.trino.run(trino_tables.to_trino(ddl.sql, "s3://raw", location))
    ((count,),) = both.trino.run(
        "SELECT count(*) FROM raw_text WHERE day = '2026/08/03' AND log_status = 'OK'"
    ).rows
    assert count > 10_000
