"""One number each on Trino too: over the tables that a lake keeps, and over those made there."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from athena_on_trino import BUCKET, ready
from conftest import create
from trino_client import Trino

import flowscan
from flowscan import queries, traffic

sys.path.insert(0, str(Path(__file__).parents[1] / "traffic"))
from cases import Case, cases, write
from questions import wrong

pytestmark = pytest.mark.engines
CASES = list(cases())
FIRST = "2025-11-30"


def asked(trino: Trino, case: Case) -> list[str]:
    def select(sql: str) -> list[dict]:
        found = trino.run(sql)
        return [dict(zip(found.names, row, strict=True)) for row in found.rows]

    return wrong(
        lambda name, **values: select(queries.inline(queries.load(name), values)), select, case
    )


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_tables_that_the_lake_keeps(both, case: Case, tmp_path: Path) -> None:
    ready(both.trino)
    name = f"truth_{case.name}"
    where = Path(str(both.lake.snapshot().root)).parent / name
    flowscan.ingest(str(write(case, tmp_path)), where)
    traffic.fold(flowscan.Lake.open(where))
    create(both.trino, name, f"{BUCKET}/{name}", FIRST)
    assert asked(replace(both.trino, schema=name), case) == []


def test_tables_that_are_made_there(both, tmp_path: Path) -> None:
    ready(both.trino)
    case = CASES[1]
    where = Path(str(both.lake.snapshot().root)).parent / "truth_made"
    flowscan.ingest(str(write(case, tmp_path)), where)
    create(both.trino, "truth_made", f"{BUCKET}/truth_made", FIRST, kept=False)
    assert asked(replace(both.trino, schema="truth_made"), case) == []


def test_a_window_reads_the_days_that_it_touches(both) -> None:
    from flowscan.engine import athena

    since, until = 1785801600, 1785823200
    query = queries.load("traffic-by-hour")
    sql = athena.prepare(queries.inline(query, {"since": since, "until": until}), since, until)
    assert """volumes WHERE "date" >= DATE '2026-08-04' AND "date" <= DATE '2026-08-04'""" in sql
    rows = [list(r.values()) for r in both.engine.run(
        query, {"since": since, "until": until}
    ).to_pylist()]  # fmt: skip
    assert len(rows) == 6
    assert both.trino.run(sql).rows == rows
