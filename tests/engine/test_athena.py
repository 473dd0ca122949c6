"""Athena: the DDL, and the API's flow against moto: start, poll, page, cancel, cost."""

from __future__ import annotations

import re

import pytest
from aws_server import Aws

from flowscan import queries, schema
from flowscan.engine import athena, athena_ddl
from flowscan.errors import EngineError, UsageError


def post(moto: Aws, results: list[dict]) -> None:
    """Queue what moto's Athena answers to the next executions."""
    import json
    import urllib.request

    request = urllib.request.Request(
        f"{moto.endpoint}/moto-api/static/athena/query-results",
        data=json.dumps({"results": results}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 201


def result(rows: list[list[str | None]], columns: list[tuple[str, str]]) -> dict:
    return {
        "rows": [
            {"Data": [{"VarCharValue": v} if v is not None else {} for v in row]} for row in rows
        ],
        "column_info": [
            {
                "CatalogName": "hive",
                "SchemaName": "",
                "TableName": "",
                "Name": name,
                "Label": name,
                "Type": kind,
                "Precision": 0,
                "Scale": 0,
                "Nullable": "UNKNOWN",
                "CaseSensitive": False,
            }
            for name, kind in columns
        ],
    }


class Spy:
    """The real client, with a record of what was sent, and pages and states of our choice."""

    def __init__(self, client, *, states=(), pages=()) -> None:
        self._client, self._states, self._pages = client, list(states), list(pages)
        self.calls: list[tuple[str, dict]] = []

    def __getattr__(self, name: str):
        def call(**request):
            self.calls.append((name, request))
            if name == "get_query_results" and self._pages:
                return self._pages.pop(0)
            reply = getattr(self._client, name)(**request)
            if name == "get_query_execution" and self._states:
                state = self._states.pop(0)
                if isinstance(state, BaseException):
                    raise state
                reply["QueryExecution"]["Status"]["State"] = state
                reply["QueryExecution"]["Statistics"] = {"DataScannedInBytes": 2_000_000_000_000}
            return reply

        return call


TARGET = athena.Target("flowscan", "primary", "s3://bucket/results/")


def test_start_poll_and_rows(moto: Aws) -> None:
    columns = [("dstport", "integer"), ("flows", "bigint"), ("rate", "double"), ("ok", "boolean")]
    rows = [["dstport", "flows", "rate", "ok"], ["22", "7", "1.5", "true"], [None, "1", None, None]]
    post(moto, [result(rows, columns)])
    seen: list[str] = []
    spy = Spy(moto.client("athena"), states=["QUEUED", "RUNNING", "SUCCEEDED"])
    runner = athena.Athena(spy, TARGET, poll=0.01, progress=lambda p: seen.append(p.state))
    query = queries.load("rejected-ports")
    answer = runner.run(query, {"top": "3"})
    assert answer.rows.to_pylist() == [
        {"dstport": 22, "flows": 7, "rate": 1.5, "ok": True},
        {"dstport": None, "flows": 1, "rate": None, "ok": None},
    ]
    assert seen == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert (answer.scanned, answer.cost) == (2_000_000_000_000, 10.0)
    sent = spy.calls[0][1]
    # What is sent is exactly what Trino ran in tests/engines.
    assert sent["QueryString"] == queries.inline(query, {"top": 3}).strip()
    assert sent["QueryExecutionContext"] == {"Database": "flowscan"}
    assert sent["WorkGroup"] == "primary"


def test_pages_are_followed(moto: Aws) -> None:
    info = result([], [("n", "bigint")])["column_info"]
    pages = [
        {
            "ResultSet": {
                "Rows": [{"Data": [{"VarCharValue": v}]} for v in values],
                "ResultSetMetadata": {"ColumnInfo": info},
            },
            **({"NextToken": token} if token else {}),
        }
        for values, token in ((["n", "1", "2"], "a"), (["3"], "b"), (["4"], None))
    ]
    spy = Spy(moto.client("athena"), pages=pages)
    answer = athena.Athena(spy, TARGET, poll=0.01).query("SELECT n FROM t")
    assert answer.rows.column(0).to_pylist() == [1, 2, 3, 4]
    tokens = [r.get("NextToken") for name, r in spy.calls if name == "get_query_results"]
    assert tokens == [None, "a", "b"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("lost")])
def test_giving_up_stops_the_query_there(moto: Aws, error: BaseException) -> None:
    client = moto.client("athena")
    spy = Spy(client, states=["RUNNING", error])
    with pytest.raises(type(error)):
        athena.Athena(spy, TARGET, poll=0.01).query("SELECT 1")
    name, request = spy.calls[-1]
    assert name == "stop_query_execution"
    reply = client.get_query_execution(QueryExecutionId=request["QueryExecutionId"])
    assert reply["QueryExecution"]["Status"]["State"] == "CANCELLED"


def test_failure_is_one_line(moto: Aws) -> None:
    spy = Spy(moto.client("athena"), states=["FAILED"])
    with pytest.raises(EngineError, match="Athena: "):
        athena.Athena(spy, TARGET, poll=0.01).query("SELECT 1")
    bad = athena.Target("flowscan", "no-such-group")
    with pytest.raises(EngineError) as caught:
        athena.Athena(moto.client("athena"), bad, poll=0.01).query("SELECT 1")
    assert "\n" not in str(caught.value)


def test_setup_can_be_repeated(moto: Aws) -> None:
    client = moto.client("athena")
    target = athena.Target("flowscan", "flows", "s3://bucket/results/")
    spy = Spy(client)
    runner = athena.Athena(spy, target, poll=0.01)
    first = athena.setup(runner, client, target, "s3://bucket/lake")
    again = athena.setup(runner, client, target, "s3://bucket/lake")
    assert first == ["workgroup flows", *again]
    sent = [r["QueryString"] for name, r in spy.calls if name == "start_query_execution"]
    assert sent[0] == "CREATE DATABASE IF NOT EXISTS `flowscan`"
    assert all("IF NOT EXISTS" in s or s.startswith("CREATE OR REPLACE VIEW") for s in sent)


def test_ddl_has_the_columns_of_the_schema() -> None:
    found = {s.name: s for s in athena_ddl.lake("s3://bucket/lake", "flowscan")}
    flows = re.findall(r"^  `(\w+)` (\w+),?$", found["flows"].sql, re.MULTILINE)
    kinds = {"string": "string", "int32": "int", "int64": "bigint"}
    expected = [(f.name, kinds[f.type]) for f in schema.FIELDS]
    assert flows == [*expected, ("source_id", "bigint"), ("date", "date")]
    assert (
        "storage.location.template' = 's3://bucket/lake/flows/date=${date}'" in found["flows"].sql
    )
    kinds |= {"time": "bigint", "address": "string", "float64": "double"}
    for table, columns in schema.TRAFFIC_TABLES.items():
        given = re.findall(r"^  `(\w+)` (\w+),?$", found[table].sql, re.MULTILINE)
        assert given == [*((c, kinds[k]) for c, k in columns.items()), ("date", "date")]
        assert f"s3://bucket/lake/{table}/date=${{date}}" in found[table].sql
    for table, columns in schema.SMALL_TABLES.items():
        assert re.findall(r"^  `(\w+)`", found[table].sql, re.MULTILINE) == list(columns)


def test_tables_of_traffic_are_made_there_where_the_lake_keeps_none() -> None:
    kept = athena_ddl.lake("s3://bucket/lake", "flowscan")
    made = athena_ddl.lake("s3://bucket/lake", "flowscan", kept=False)
    names = [s.name for s in made if s.sql.startswith("CREATE TABLE ")]
    assert set(schema.TRAFFIC_TABLES) < set(names)
    assert names.index("edges") < names.index("hosts__legs") < names.index("hosts")
    assert {s.name for s in kept} - set(names) == {s.name for s in made} - set(names)
    for statement in made:
        if statement.name in schema.TRAFFIC_TABLES:
            assert ' AS DATE) AS "date"' in statement.sql


def test_raw_ddl() -> None:
    made = athena_ddl.raw(
        "s3://logs/x",
        "flowscan",
        "raw",
        parquet=False,
        regions=["us-east-1", "eu-central-1"],
        accounts=["123456789012"],
    )
    assert "'projection.aws_region.values' = 'us-east-1,eu-central-1'" in made.sql
    assert "s3://logs/x/AWSLogs/${aws_account}/vpcflowlogs/${aws_region}/${day}" in made.sql
    assert "`end` bigint" in made.sql


@pytest.mark.parametrize(
    ("location", "database"),
    [
        ("file:///x", "flowscan"),
        ("s3://bucket/x'; DROP TABLE y", "flowscan"),
        ("s3://bucket/x", "a b"),
        ("s3://bucket/x", 'a"; DROP'),
        ("s3://bucket/x`", "flowscan"),
    ],
)
def test_ddl_refuses_what_it_cannot_carry(location: str, database: str) -> None:
    with pytest.raises(UsageError):
        athena_ddl.lake(location, database)


def test_a_window_bounds_what_is_scanned() -> None:
    sql = athena.prepare("-- x\nWITH a AS (SELECT 1 FROM flows) SELECT * FROM a;", 86400, 2 * 86400)
    assert sql.startswith('WITH flows AS (\nSELECT * FROM flows WHERE "start" >= 86400')
    assert "\"date\" >= DATE '1970-01-02'" in sql
    assert sql.endswith(", a AS (SELECT 1 FROM flows) SELECT * FROM a")
    assert athena.prepare("SELECT 1;") == "SELECT 1"
    sql = athena.prepare("SELECT sum(bytes_out) AS contacts FROM volumes", None, 2 * 86400)
    assert "volumes AS (\nSELECT * FROM volumes WHERE \"date\" <= DATE '1970-01-03'\n)" in sql
    assert "FROM contacts" not in sql


def test_cost_is_list_price() -> None:
    assert athena.cost(0) == 0
    assert athena.cost(1) == athena.cost(10_000_000) == pytest.approx(0.00005)
    assert athena.cost(10**12) == 5.0
