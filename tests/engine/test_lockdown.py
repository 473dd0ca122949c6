"""What a user's SQL cannot do. Reference: reliability S8."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from flowscan.engine import Engine
from flowscan.errors import EngineError, FlowscanError

REFUSED = [
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_parquet('{file}')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM '{file}/../../../../etc/passwd'",
    "SELECT content FROM read_text('{link}')",
    "SELECT getenv('HOME')",
    "SELECT getvariable('flows')",
    "SELECT current_setting('home_directory')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM pragma_database_list()",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('flows')",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "SELECT * FROM 'https://127.0.0.1/x.parquet'",
    "COPY flows TO '/tmp/x.parquet'",
    "COPY (SELECT 1) TO '{file}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}'",
    "EXPLAIN COPY (SELECT 1) TO '{file}'",
    "EXPLAIN (ANALYZE) INSERT INTO x VALUES (1)",
    "EXPORT DATABASE '/tmp/x'",
    "ATTACH '/tmp/x.db'",
    "ATTACH ':memory:' AS x",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA version",
    "CALL pragma_version()",
    "SET threads = 1",
    "SET VARIABLE flows = ['/etc/passwd']",
    "RESET memory_limit",
    "SET enable_external_access = true",
    "CREATE TABLE x AS SELECT 1",
    "CREATE VIEW x AS SELECT 1",
    "CREATE MACRO m() AS 1",
    "CREATE SECRET s (TYPE s3)",
    "DROP VIEW flows",
    "INSERT INTO flows VALUES (1)",
    "DELETE FROM flows",
    "UPDATE flows SET bytes = 0",
    "WITH a AS (INSERT INTO x VALUES (1) RETURNING *) SELECT * FROM a",
    "WITH a AS (COPY (SELECT 1) TO '/tmp/x') SELECT * FROM a",
    "VACUUM",
    "CHECKPOINT",
    "BEGIN TRANSACTION",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW flows",
    "/* x */ SELECT 1 /* ; */ ; COPY flows TO '/tmp/x'",
    "USE x; SELECT 1; SELECT 2",
    "CREATE EXTERNAL TABLE t (srcaddr string) LOCATION 's3://x'; COPY flows TO '/tmp/x'",
    "",
    ";",
    "-- nothing",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_refused(engine: Engine, samples, tmp_path: Path, sql: str) -> None:
    file = Path(samples.snapshot().uris("flows")[0])
    before = file.read_bytes()
    link = tmp_path / "link"
    link.symlink_to("/etc/passwd")
    with pytest.raises(FlowscanError) as caught:
        engine.query(sql.replace("{file}", str(file)).replace("{link}", str(link)))
    assert "\n" not in str(caught.value)
    assert "root:" not in str(caught.value)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select 1;",
        "EXPLAIN SELECT * FROM flows",
        "EXPLAIN ANALYZE SELECT count(*) FROM flows",
        "DESCRIBE flows",
        "SHOW TABLES",
        "SHOW COLUMNS IN vpc_flow_logs",
        "SHOW PARTITIONS flows",
        "VALUES (1, 2)",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t",
        "SELECT * FROM unnest(sequence(1, 3)) AS t(x)",
        "SELECT ';' AS \"a;b\" -- ; comment\n",
    ],
)
def test_allowed(engine: Engine, sql: str) -> None:
    assert engine.query(sql).num_rows >= 1


def test_even_library_sql_reaches_no_other_file(engine: Engine) -> None:
    for sql in ("SELECT * FROM read_csv('/etc/passwd')", "SET memory_limit = '1GB'"):
        with pytest.raises(FlowscanError):
            engine.execute(sql)


def test_a_python_variable_is_no_table(engine: Engine) -> None:
    import pyarrow as pa

    secret_table = pa.table({"srcport": [1]})
    with pytest.raises(FlowscanError):
        engine.query("SELECT secret FROM secret_table")
    assert secret_table.num_rows == 1


def test_a_long_query_is_interrupted(samples) -> None:
    sql = "SELECT count(*) FROM unnest(sequence(1, 100000)) a(x), unnest(sequence(1, 100000)) b(y)"
    with Engine(samples.snapshot(), timeout=0.5) as engine:
        started = time.monotonic()
        with pytest.raises(EngineError, match=r"longer than 0\.5 s"):
            engine.query(sql + " WHERE x * y % 7 = 3")
        assert time.monotonic() - started < 20
        assert engine.query("SELECT 1 AS x").num_rows == 1


def test_memory_is_bounded(samples) -> None:
    sql = "SELECT count(DISTINCT a.start * b.srcport) FROM flows a, flows b"
    with (
        Engine(samples.snapshot(), memory_limit="40MB", threads=1, timeout=60) as engine,
        pytest.raises(EngineError, match="memory"),
    ):
        engine.query(sql)
    with pytest.raises(EngineError):
        Engine(samples.snapshot(), memory_limit="1GB'; SET x = '")
