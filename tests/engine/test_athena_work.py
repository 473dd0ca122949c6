"""Detections and reports through Athena's API: moto answers it, a real S3 server holds the files.

What the SQL means is Trino's to say (tests/engines runs the same statements there). Here DuckDB
computes what moto answers, so that the calls, their order and the files are what is tested.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from aws_server import Aws
from s3_server import Server
from test_athena import post, result

import flowscan
from flowscan.detect import Options, detect, store
from flowscan.engine import Engine, athena, steps
from flowscan.engine.athena_work import OnAthena, inlined
from flowscan.errors import EngineError, UsageError
from flowscan.lake import Lake
from flowscan.lake.s3_store import open_s3
from flowscan.report import Options as ReportOptions
from flowscan.report import build, render_json
from flowscan.sources import SourceOptions

NOW = 1785900000
LOGS = Path(__file__).parents[2] / "sample_logs" / "logs" / "firehose"
KINDS = {"BIGINT": "bigint", "INTEGER": "integer", "VARCHAR": "varchar", "BOOLEAN": "boolean"}


class Answered:
    """moto's client; before each query its answer is computed by DuckDB and left at moto."""

    def __init__(self, moto: Aws, engine: Engine, s3: Server, stop_at: str = "") -> None:
        self._moto, self._client, self._engine, self._s3 = moto, moto.client("athena"), engine, s3
        self.stop_at = stop_at
        self.sent: list[str] = []

    def __getattr__(self, name: str):
        return getattr(self._client, name)

    def start_query_execution(self, **request):
        sql = request["QueryString"]
        self.sent.append(sql)
        if self.stop_at and self.stop_at in sql:
            raise KeyboardInterrupt
        post(self._moto, [self._answer(sql)])
        return self._client.start_query_execution(**request)

    def _answer(self, sql: str) -> dict:
        engine = self._engine
        if made := re.match(r"CREATE TABLE (\w+) WITH \(.*?\) AS\n", sql, re.DOTALL):
            engine.make(made[1], engine.translate(sql[made.end() :]))
        elif made := re.match(r"CREATE EXTERNAL TABLE IF NOT EXISTS `\w+`.`(\w+)`", sql):
            bucket, key = re.search(r"LOCATION 's3://([^/]+)/([^']+)'", sql).groups()
            body = self._s3.client().get_object(Bucket=bucket, Key=f"{key}rows.parquet")["Body"]
            engine.put(made[1], pq.read_table(io.BytesIO(body.read())))
        elif sql.startswith("INSERT"):
            engine.execute(sql)
        elif '"$path"' in sql:
            return result([["$path"]], [("$path", "varchar")])
        elif not sql.startswith(("CREATE", "DROP")):
            rows = engine.execute(sql)
            names = [str(d[0]) for d in engine._con.sql(sql).description]
            kinds = [KINDS.get(str(t), "double") for t in engine._con.sql(sql).types]
            cells = [[text(v) for v in row.values()] for row in rows.to_pylist()]
            return result([names, *cells], list(zip(names, kinds, strict=True)))
        return result([], [])


def text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture
def place(s3: Server, moto: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    bucket = s3.bucket(f"work-{tmp_path.name.replace('_', '-').lower()[-40:].strip('-')}")
    lake = Lake.open(f"s3://{bucket}/lake", create=True)
    flowscan.ingest(str(LOGS), lake)
    target = athena.Target("flowscan", "primary", f"s3://{bucket}/results/")

    def opened(engine: Engine, stop_at: str = "") -> OnAthena:
        client = Answered(moto, engine, s3, stop_at)
        shelf = open_s3(athena.results(client, target), SourceOptions())
        return OnAthena(client, target, shelf, lake.store.where, poll=0)

    def left() -> list[str]:
        found = s3.client().list_objects_v2(Bucket=bucket, Prefix="results/")
        return [item["Key"] for item in found.get("Contents", [])]

    return lake, opened, left


def test_detect_and_report_as_without(place, tmp_path: Path) -> None:
    lake, opened, left = place
    mine = Lake.open(tmp_path / "mine", create=True)
    flowscan.ingest(str(LOGS), mine)
    with Engine(lake.snapshot(), derived=False) as engine:
        on = opened(engine)
        result = detect(lake, Options(opener=on), now=NOW)
    local = detect(mine, now=NOW)
    assert (result.ran, result.days) == (local.ran, local.days)
    assert [f.id for f in store.load(lake)] == [f.id for f in store.load(mine)]
    assert on.spent.statements == len(on.client.sent)
    sent = [re.sub(r"\d{8}_\d{6}_[0-9a-f]{8}", "X", sql) for sql in on.client.sent]
    assert sent[1] == "CREATE SCHEMA flowscan_tmp_X"
    assert sent[2].startswith('CREATE VIEW flows AS SELECT * FROM "flowscan"."flows" WHERE "start"')
    assert sent[-1] == "DROP SCHEMA IF EXISTS flowscan_tmp_X CASCADE"
    assert left() == []
    with Engine(lake.snapshot(), derived=False) as engine:
        on = opened(engine)
        theirs = build(lake, now=NOW, options=ReportOptions(opener=on))
    left_, right = (json.loads(render_json(r)) for r in (theirs, build(mine, now=NOW)))
    assert left_.pop("lake") != right.pop("lake")
    assert left_ == right
    assert left() == []


def test_ctrl_c_leaves_nothing(place) -> None:
    lake, opened, left = place
    with Engine(lake.snapshot(), derived=False) as engine:
        on = opened(engine, stop_at="CREATE EXTERNAL TABLE IF NOT EXISTS")
        with pytest.raises(KeyboardInterrupt):
            detect(lake, Options(opener=on), now=NOW)
    assert on.client.sent[-1].startswith("DROP SCHEMA IF EXISTS flowscan_tmp_")
    assert left() == []
    assert store.load(lake) == []


def test_a_place_for_results(moto: Aws) -> None:
    client = moto.client("athena")
    with pytest.raises(UsageError, match="no place for results"):
        athena.results(client, athena.Target("flowscan"))
    assert (
        athena.results(client, athena.Target("flowscan", output="s3://bucket/x/"))
        == "s3://bucket/x"
    )
    settings = {
        "EnforceWorkGroupConfiguration": True,
        "ResultConfiguration": {"OutputLocation": "s3://bucket/y/"},
    }
    client.create_work_group(Name="strict", Configuration=settings)
    with pytest.raises(UsageError, match="where it wants"):
        athena.results(client, athena.Target("flowscan", "strict"))
    settings["EnforceWorkGroupConfiguration"] = False
    client.create_work_group(Name="loose", Configuration=settings)
    assert athena.results(client, athena.Target("flowscan", "loose")) == "s3://bucket/y"
    with pytest.raises(EngineError):
        athena.results(client, athena.Target("flowscan", "none"))


def test_the_command_line(place, moto: Aws, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    from flowscan.cli.main import _exit_code

    lake, _, left = place
    where = lake.store.where
    monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", moto.endpoint)
    for verb in ("detect", "report"):
        common = [verb, "--engine", "athena", "--lake"]
        assert _exit_code([*common, "/nowhere"], debug=False) == 3
        capfd.readouterr()
        assert _exit_code([*common, where, "--results", f"{where}/x"], debug=False) == 2
        assert "results would lie in the lake" in capfd.readouterr().err
        post(moto, [result([["$path"], ["s3://other/flows/x.parquet"]], [("$path", "varchar")])])
        results = f"{where.removesuffix('/lake')}/results"
        assert _exit_code([*common, where, "--results", results], debug=False) == 3
        err = capfd.readouterr().err
        assert "the tables of flowscan show another lake" in err
        assert "Athena: 2 statements, " in err
    assert left() == []


def test_a_local_lake_is_refused(samples, capfd) -> None:
    from flowscan.cli.main import _exit_code

    for verb in ("detect", "report"):
        given = [verb, "--engine", "athena", "--lake", samples.store.where]
        assert _exit_code(given, debug=False) == 2
        assert "Athena reads a lake on S3 only" in capfd.readouterr().err


def test_steps_are_planned_once() -> None:
    sql = """WITH a AS (SELECT ')' AS x /* ( */ FROM t), -- the "b" (
b AS (SELECT x FROM a), c AS (SELECT x FROM b JOIN a ON true)
SELECT * FROM c WHERE x IN (SELECT x FROM c)"""
    plan = steps.plan("z", sql)
    assert [s.table for s in plan] == ["z__a", "z__c", "z"]
    assert plan[0].select == "SELECT ')' AS x /* ( */ FROM t"
    assert plan[1].select.startswith("WITH a AS (\nSELECT * FROM z__a\n),\nb AS (")
    assert plan[2].select.startswith("WITH c AS (\nSELECT * FROM z__c\n)\nSELECT * FROM c")
    assert steps.plan("y", "SELECT 1;") == [steps.Step("y", "SELECT 1;")]


def test_values_are_literals() -> None:
    sql = "SELECT $a, '$b', $b"
    assert inlined(sql, {"a": 1, "b": "it's"}) == "SELECT 1, '$b', 'it''s'"
    for other in ("/*$private(a)*/ 1", "1 -- $a", '"$a"'):
        assert inlined(f"SELECT {other}", {}) == f"SELECT {other}"
    with pytest.raises(KeyError):
        inlined("SELECT $missing", {})
