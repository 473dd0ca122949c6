"""Every detection gives the same rows on Trino, over tables made by the product's Athena code.

The tables of traffic are too long for one Trino query each (a common table expression is planned
wherever it is named), so their steps become tables; the text of each step is the query file's.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from athena_on_trino import Shelf, TrinoAsAthena, ready
from conftest import S3

from flowscan import queries
from flowscan.detect import catalogue, tables
from flowscan.engine import Engine, athena
from flowscan.engine.athena_work import OnAthena
from flowscan.schema import TRAFFIC_TABLES
from flowscan.traffic import derive

pytestmark = pytest.mark.engines
SINCE, UNTIL = 1785715200, 1785888000
DETECTIONS = catalogue()


@pytest.fixture(scope="module")
def made(both):
    ready(both.trino)
    shelf = Shelf(Path(str(both.lake.snapshot().root)).parent / "results")
    target = athena.Target("flowscan")
    on = OnAthena(TrinoAsAthena(both.trino), target, shelf, S3, poll=0)
    snapshot = both.lake.snapshot()
    with (
        Engine(snapshot, since=SINCE, until=UNTIL, derived=False) as engine,
        on(snapshot, SINCE, UNTIL) as work,
    ):
        for each in (engine, work):
            derive.make(each, SINCE, UNTIL)
            addresses = tables.strangers(each)
            tables.make_places(each, addresses, aws_services=True)
            tables.make_matches(each, addresses, None)
            tables.make_geo(each, addresses, ())
        yield work, engine


def plain(value):
    if isinstance(value, str):
        try:
            return round(float(value), 6)
        except ValueError:
            return value
    return value if value is None else round(float(value), 6)


def ordered(rows):
    return sorted((tuple(map(plain, row.values())) for row in rows.to_pylist()), key=str)


@pytest.mark.parametrize("name", [*TRAFFIC_TABLES, "places"])
def test_shared_tables_are_the_same(made, name) -> None:
    work, engine = made
    listed = ", ".join(engine.execute(f"SELECT * FROM {name} LIMIT 0").column_names)
    sql = f"SELECT {listed} FROM {name}"
    assert ordered(engine.execute(sql)) == ordered(work.execute(sql))


@pytest.mark.parametrize("detection", DETECTIONS, ids=[d.id for d in DETECTIONS])
def test_rows_are_the_same(made, detection) -> None:
    work, engine = made
    sql = queries.inline(detection.query, {})
    theirs, mine = work.execute(sql), engine.execute(sql)
    assert [c.lower() for c in mine.column_names] == theirs.column_names
    assert ordered(mine) == ordered(theirs)
