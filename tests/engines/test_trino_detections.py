"""Every detection gives the same rows on Trino, with the shared tables made in steps.

`sessions` is too long for one Trino query (each common table expression is planned wherever it is
named), so its steps become tables; the text of each step is the query file's.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Iterator

import pytest
from trino_client import TrinoError

from flowscan import queries
from flowscan.detect import catalogue, tables
from flowscan.engine import Engine

pytestmark = pytest.mark.engines
SINCE, UNTIL = 1785715200, 1785888000
DETECTIONS = [d for d in catalogue() if "coverage" not in d.query.sql]


def text(name: str) -> str:
    query = tables.shared_query(name)
    given = {"since": SINCE, "until": UNTIL, "by_day": 1}
    sql = queries.inline(query, {k: v for k, v in given.items() if k in query.params})
    return re.sub(r"--[^\n]*", "", sql)


def steps(sql: str) -> Iterator[tuple[str, str]]:
    """The common table expressions of a query file in order, and the final SELECT."""
    parts = re.split(r"(?m)^(?:WITH )?(\w+) AS \(\n", sql)
    for name, rest in zip(parts[1::2], parts[2::2], strict=True):
        body = rest.rstrip()
        if "\n)\nSELECT" in body:
            step, last = body.rsplit("\n)\nSELECT", 1)
            yield name, step
            yield "", "SELECT" + last
        else:
            yield name, re.sub(r"\),?$", "", body)


def ready(trino) -> None:
    """A server that answers may still wait for its only node to announce itself."""
    for _ in range(60):
        try:
            trino.run("SELECT count(*) FROM flows")
        except TrinoError as error:
            if "No nodes" not in str(error):
                raise
            time.sleep(1)
        else:
            return


@pytest.fixture(scope="module")
def made(both):
    ready(both.trino)
    # A schema of its own: in the other one the same names are views.
    # Managed tables have to lie where the file metastore keeps its own.
    where = "local:///metastore/detections"
    both.trino.run(f"CREATE SCHEMA lake.detections WITH (location = '{where}')")
    trino = dataclasses.replace(both.trino, schema="detections")
    run = trino.run
    for name in ("flows", "coverage", "matches"):
        run(f"CREATE VIEW {name} AS SELECT * FROM flowscan.{name}")
    run(f"CREATE TABLE edges AS {text('edges')}")
    for name, sql in steps(text("sessions")):
        kind = "VIEW" if name == "directed" else "TABLE"
        run(f"CREATE {kind} {name or 'sessions'} AS {sql}")
    for name in ("hosts", "contacts", "volumes"):
        run(f"CREATE TABLE {name} AS {text(name)}")
    with Engine(both.lake.snapshot(), derived=False) as engine:
        tables.make(engine, SINCE, UNTIL)
        tables.make_places(engine, aws_services=True)
        tables.make_matches(engine, None)
        tables.make_geo(engine, ())
        for name in ("places", "geo"):
            rows = engine.execute(f"SELECT * FROM {name}")
            types = {"asn": "BIGINT"}
            columns = ", ".join(f"{c} {types.get(c, 'VARCHAR')}" for c in rows.column_names)
            run(f"CREATE TABLE {name} ({columns})")
            values = [
                f"({', '.join(queries.quote(v) if v is not None else 'NULL' for v in r.values())})"
                for r in rows.to_pylist()
            ]
            if values:
                run(f"INSERT INTO {name} VALUES {', '.join(values)}")
        yield trino, engine


def plain(value):
    if isinstance(value, str):
        try:
            return round(float(value), 6)
        except ValueError:
            return value
    return round(float(value), 6) if isinstance(value, int | float) else value


def ordered(rows):
    return sorted((tuple(map(plain, row)) for row in rows), key=str)


@pytest.mark.parametrize("name", ["edges", "sessions", "hosts", "contacts", "volumes"])
def test_shared_tables_are_the_same(made, name) -> None:
    trino, engine = made
    columns = engine.execute(f"SELECT * FROM {name} LIMIT 0").column_names
    listed = ", ".join(columns)
    expected = trino.run(f"SELECT {listed} FROM {name}").rows
    found = [list(r.values()) for r in engine.execute(f"SELECT {listed} FROM {name}").to_pylist()]
    assert ordered(found) == ordered(expected)


@pytest.mark.parametrize("detection", DETECTIONS, ids=[d.id for d in DETECTIONS])
def test_rows_are_the_same(made, detection) -> None:
    trino, engine = made
    sql = queries.inline(detection.query, {})
    answer = trino.run(sql)
    found = engine.execute(sql)
    assert [c.lower() for c in found.column_names] == [c.lower() for c in answer.names]
    rows = [list(r.values()) for r in found.to_pylist()]
    assert ordered(rows) == ordered(answer.rows)
