"""One number each on Trino too: over the tables that a lake keeps, and over those made there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from athena_on_trino import BUCKET, Shelf, TrinoAsAthena, ready
from conftest import create
from trino_client import Trino

import flowscan
from flowscan import queries, traffic
from flowscan.detect import Options, detect
from flowscan.engine import athena
from flowscan.engine.athena_work import OnAthena
from flowscan.report import Options as ReportOptions
from flowscan.report import build, render_json

sys.path.insert(0, str(Path(__file__).parents[1] / "traffic"))
from cases import Case, cases, write
from commands import COMMANDS, list_strangers, sayer
from commands import wrong as said_wrong
from questions import ALL, wrong

pytestmark = pytest.mark.engines
CASES = list(cases())
FIRST, NOW = "2025-11-30", 1785900000


def asked(trino: Trino, case: Case, names: list[str] | None = None) -> list[str]:
    def select(sql: str) -> list[dict]:
        found = trino.run(sql)
        return [dict(zip(found.names, row, strict=True)) for row in found.rows]

    return wrong(
        lambda name, **values: select(queries.inline(queries.load(name), values)),
        select,
        case,
        names,
    )


def there(lake: flowscan.Lake, opener: OnAthena) -> Callable[..., Any]:
    """Commands of which detect and report have Trino do the work; match and lookup have not."""
    here = sayer(lake.store.where)

    def say(*words: str) -> Any:
        if words == ("detect",):
            return detect(lake, Options(opener=opener), now=NOW)
        if words == ("report",):
            return json.loads(render_json(build(lake, options=ReportOptions(opener=opener))))
        return here(*words)

    return say


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_all_answers_are_the_truth(both, case: Case, tmp_path: Path) -> None:
    """Over the tables that a lake keeps, and by commands that make them there."""
    ready(both.trino)
    name = f"truth_{case.name}"
    files = Path(str(both.lake.snapshot().root)).parent
    where = files / name
    flowscan.ingest(str(write(case, tmp_path)), where)
    list_strangers(case, where, tmp_path)
    lake = flowscan.Lake.open(where)
    traffic.fold(lake)
    create(both.trino, name, f"{BUCKET}/{name}", FIRST)
    client, target = TrinoAsAthena(both.trino), athena.Target(name)
    opener = OnAthena(client, target, Shelf(files / "results"), f"{BUCKET}/{name}", poll=0)
    found = said_wrong(there(lake, opener), case, [n for n in COMMANDS if n != "lookup"])
    assert found + asked(replace(both.trino, schema=name), case) == []


def test_tables_that_are_made_there(both, tmp_path: Path) -> None:
    ready(both.trino)
    case = CASES[1]
    where = Path(str(both.lake.snapshot().root)).parent / "truth_made"
    flowscan.ingest(str(write(case, tmp_path)), where)
    create(both.trino, "truth_made", f"{BUCKET}/truth_made", FIRST, kept=False)
    of_lists = {"listed-addresses", "matches-by-address"}  # there are none
    names = [name for name in ALL if name not in of_lists]
    assert asked(replace(both.trino, schema="truth_made"), case, names) == []


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
