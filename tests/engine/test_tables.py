"""What users paste: AWS's table names, their own, qualified, with DDL in front."""

from __future__ import annotations

import pyarrow as pa
import pytest

from flowscan.engine import Engine, tables
from flowscan.engine.shown import Shown
from flowscan.errors import QueryError
from flowscan.lake import Lake, SourceRecord

SHAPES = {
    "SELECT * FROM vpc_flow_logs LIMIT 1": 30,
    "SELECT * FROM `vpc_flow_logs` LIMIT 1;": 30,
    'SELECT * FROM "vpcflowlogsathenadatabaseabc123"."fl0123dailyx" LIMIT 1': 30,
    "SELECT * FROM awsdatacatalog.default.vpc_flow_logs_parquet LIMIT 1": 36,
    "SELECT * FROM TEST_TABLE_VPCLOGS LIMIT 1": 30,
    "SELECT * FROM vpcflow LIMIT 1": 32,
}


@pytest.mark.parametrize("sql", SHAPES)
def test_shape(engine: Engine, sql: str) -> None:
    assert engine.query(sql).num_columns == SHAPES[sql]


SAME = [
    "SELECT count(*) FROM flows WHERE action = 'REJECT'",
    "SELECT COUNT(*) FROM VPC_FLOW_LOGS WHERE ACTION = 'REJECT' -- all\n;",
    "SELECT count(*) FROM t WHERE action = 'REJECT'",
    'SELECT count(*) FROM "db"."t" x WHERE x.action = \'REJECT\'',
    "SELECT count(sourceaddress) FROM t WHERE action = 'REJECT' AND starttime > 0",
    "SELECT count(*) FROM t WHERE action = 'REJECT' AND day >= '2026/08/03' AND day < '2026/08/05'",
    "SELECT count(*) FROM t WHERE action = 'REJECT' AND day >= '2026-08-03'",
    (
        "SELECT count(*) FROM t WHERE action = 'REJECT' AND year = '2026' AND month = '08'"
        " AND day IN ('03', '04')"
    ),
    (
        "SELECT count(*) FROM t WHERE action = 'REJECT' AND region IS NOT DISTINCT FROM region"
        " AND \"aws-service\" = 'vpcflowlogs'"
    ),
    (
        "SELECT count(*) FROM t WHERE action = 'REJECT' AND date BETWEEN DATE '2026-08-03' AND"
        " DATE '2026-08-04'"
    ),
    "WITH r AS (SELECT * FROM t WHERE action = 'REJECT') SELECT count(*) FROM r",
    "SELECT sum(n) FROM (SELECT srcaddr, count(*) n FROM t WHERE action = 'REJECT' GROUP BY 1)",
    (
        "SELECT count(*) FROM t a JOIN (SELECT DISTINCT srcaddr FROM t) b ON a.srcaddr = b.srcaddr"
        " WHERE a.action = 'REJECT'"
    ),
    (
        "CREATE EXTERNAL TABLE IF NOT EXISTS `default`.`t` (\n  `ver` int, -- version\n"
        "  `account` string, `eni` string, `a` string COMMENT 'x, y', `b` string, `c` int, `d` int,\n"
        "  `e` bigint, `f` bigint, `g` bigint, `h` bigint, `i` bigint, `act` string, `l` string)\n"
        "PARTITIONED BY (`date` date)\nROW FORMAT DELIMITED FIELDS TERMINATED BY ' '\n"
        'LOCATION \'s3://b/AWSLogs/1/\' TBLPROPERTIES ("skip.header.line.count"="1");\n'
        "ALTER TABLE t ADD PARTITION (`date`='2026-08-03') LOCATION 's3://b/2026/08/03';\n"
        "MSCK REPAIR TABLE t;\nSELECT count(act) FROM t WHERE act = 'REJECT';"
    ),
]


def test_all_forms_give_the_same_answer(samples) -> None:
    answers = {}
    for sql in SAME:
        with Engine(samples.snapshot()) as engine:
            answers[sql] = engine.query(sql).column(0)[0].as_py()
    assert set(answers.values()) == {answers[SAME[0]]}
    assert answers[SAME[0]] > 0


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT foo FROM mytable", "there is no table mytable (foo is no column of a flow log)"),
        ("SELECT x.foo, x.srcaddr FROM mytable x", "there is no table mytable"),
        (
            (
                "CREATE EXTERNAL TABLE z (foo string) STORED AS PARQUET LOCATION 's3://x';"
                " SELECT foo FROM z"
            ),
            "table z: foo is no column of a flow log",
        ),
        ("CREATE EXTERNAL TABLE z LOCATION 's3://x'", "its columns cannot be read"),
    ],
)
def test_refused_by_name(engine: Engine, sql: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        engine.query(sql)
    assert message in str(caught.value)


def test_ddl_alone_is_accepted(engine: Engine) -> None:
    rows = engine.query("MSCK REPAIR TABLE my_logs;").to_pylist()
    assert rows == [{"table_name": "my_logs", "result": "read as the flow logs"}]


def test_an_invented_name_leaves_a_note(engine: Engine) -> None:
    engine.query("SELECT srcaddr FROM company_logs LIMIT 1")
    assert engine.notes == ("table company_logs: read as the flow logs",)
    engine.query("SELECT srcaddr FROM flows LIMIT 1")
    assert engine.notes == ()


def test_a_join_with_a_table_of_threats(engine: Engine) -> None:
    sql = (
        "SELECT date_format(from_unixtime(min(starttime)), '%Y/%m/%d %H:%i:%s') AS first_seen,"
        ' threat_ip, threat_comment FROM "d"."vpcflow" JOIN threats'
        " ON threats.threat_ip = sourceaddress GROUP BY 2, 3"
    )
    assert (
        engine.query(
            sql.replace("threat_ip, threat_comment", "threats.threat_ip, threats.threat_comment")
        ).num_rows
        == 0
    )


def test_absent_columns_appear_only_when_named(engine: Engine) -> None:
    with_it = engine.query("SELECT reject_reason, encryption_status FROM flows LIMIT 1")
    assert [str(t) for t in with_it.schema.types] == ["string", "int32"]


def test_views_are_made_when_they_are_named(samples, monkeypatch) -> None:
    made: list[str] = []
    create = Shown.create

    def noted(self: Shown, name: str, select: str) -> None:
        made.append(name)
        create(self, name, select)

    monkeypatch.setattr(Shown, "create", noted)
    with Engine(samples.snapshot()) as engine:
        assert made == []
        engine.query("SELECT count(*) FROM rejects")
        assert made == ["rejects"]
        listed = "SELECT table_name FROM information_schema.tables"
        names = set(engine.query(listed)["table_name"].to_pylist())
        assert {"flows", "coverage", "rejects", "findings"} <= names
        assert len(made) == len(set(made))


@pytest.mark.parametrize("columns", [("srcaddr",), ("srcaddr", "vpc_id")])
def test_files_of_other_columns_are_read_by_name(tmp_path, columns) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    for n, name in enumerate(columns):
        transaction = lake.begin()
        rows = {name: pa.array(["x"]), "start": pa.array([86_400 + n], pa.int64())}
        transaction.write_flows(pa.record_batch(rows))
        transaction.commit([SourceRecord(name, "e", 1, None, "text", 1, 1, 0, 0, 0)])
    snapshot = lake.snapshot()
    assert snapshot.uniform("flows") == (len(columns) == 1)
    with Engine(snapshot) as engine:
        rows = engine.query('SELECT srcaddr, vpc_id FROM flows ORDER BY "start"').to_pylist()
    assert rows == [
        {"srcaddr": "x" if name == "srcaddr" else None, "vpc_id": "x" if name == "vpc_id" else None}
        for name in columns
    ]


def test_every_shape_shows_each_column_once() -> None:
    for name, columns in tables.SHAPES.items():
        assert len(set(columns)) == len(columns), name


def test_sources_say_what_was_ingested(samples) -> None:
    with Engine(samples.snapshot()) as engine:
        (row,) = engine.query(
            "SELECT count(*) AS n, sum(records) AS records, sum(flows) AS flows,"
            " sum(flows + nodata + skipdata + rejects) AS told, min(size) AS least,"
            " count(DISTINCT version) AS commits FROM flowscan.sources"
        ).to_pylist()
        totals = samples.state().totals
        assert (row["n"], row["records"], row["flows"]) == (
            totals.sources,
            totals.records,
            totals.flows,
        )
        assert row["told"] == row["records"]
        assert row["least"] > 0
        (one,) = engine.query("SELECT * FROM sources ORDER BY uri LIMIT 1").to_pylist()
        assert one["uri"].startswith("file:///")
        # A name of one's own stands before it.
        own = "WITH sources AS (SELECT 1 AS x) SELECT x FROM sources"
        assert engine.query(own).to_pylist() == [{"x": 1}]


def test_the_ledger_is_read_only_for_sources(samples, monkeypatch) -> None:
    snapshot = samples.snapshot()
    monkeypatch.setattr(type(snapshot), "sources", lambda _: 1 / 0)
    with Engine(snapshot) as engine:
        engine.query("SELECT count(DISTINCT srcaddr) AS sources FROM flows")
        with pytest.raises(ZeroDivisionError):
            engine.query("SELECT uri FROM sources")
