"""The database file for other tools, a lake on S3, and the command line."""

from __future__ import annotations

import json
import time
from pathlib import Path

import duckdb
import pytest
from s3_server import Server

import flowscan
from flowscan import queries, traffic
from flowscan.engine import Engine, lockdown, write_database
from flowscan.errors import EngineError, FlowscanError
from flowscan.lake import Lake


def test_query_files_run_in_plain_duckdb_as_they_stand(samples, engine, tmp_path: Path) -> None:
    traffic.fold(samples)
    path = tmp_path / "flows.duckdb"
    names = write_database(samples.snapshot(), path)
    assert {"flows", "coverage", "sessions", "vpc_flow_logs"} <= set(names)
    with pytest.raises(EngineError, match="exists"):
        write_database(samples.snapshot(), path)
    write_database(samples.snapshot(), path, force=True)
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        for query in queries.catalogue("analytics") + queries.catalogue("aws"):
            if "IPADDRESS" in query.sql.upper():
                continue  # a type that DuckDB lacks; flowscan's own engine translates it
            rows = con.execute(query.sql).fetchall()
            mine = engine.run(query)
            assert rows == [tuple(r.values()) for r in mine.to_pylist()], query.id
    assert path.stat().st_size < 5_000_000


def test_a_lake_on_s3(s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    where = f"s3://{s3.bucket('engine-lake')}/lake"
    lake = Lake.open(where, create=True)
    with pytest.raises(EngineError, match="needs a lake on local disk, not s3://") as caught:
        write_database(lake.snapshot(), Path("/nowhere/x.duckdb"))
    assert "\n" not in str(caught.value)
    flowscan.ingest(str(Path(__file__).parents[2] / "sample_logs/logs/firehose"), lake)
    with Engine(Lake.open(where).snapshot()) as engine:
        found = engine.query("SELECT count(*) AS n, min(date) AS first FROM flows").to_pylist()[0]
        assert found["n"] > 0
        assert found["first"] is not None
        assert engine.query("SELECT sum(flows) AS n FROM sources").to_pylist()[0]["n"] == found["n"]
        other = lake.snapshot().uris("flows")[0].replace(".parquet", "x.parquet")
        for sql in (
            f"SELECT * FROM '{other}'",
            f"COPY flows TO '{other}'",
            "SELECT * FROM '/etc/passwd'",
        ):
            with pytest.raises(FlowscanError):
                engine.query(sql)
        with pytest.raises(FlowscanError):
            engine.execute(f"SELECT * FROM read_parquet('{other}')")


def test_s3_is_read_in_one_way_only() -> None:
    """DuckDB's httpfs is neither loaded nor fetched, so nothing waits for a network."""
    con = lockdown.connect()
    began = time.monotonic()
    with pytest.raises(duckdb.Error, match="httpfs"):
        con.execute("SELECT * FROM read_parquet('s3://bucket/x.parquet')")
    assert time.monotonic() - began < 2
    con.close()


def run(*arguments: str, lake: Lake) -> tuple[int, str, str]:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "flowscan", *arguments, "--lake", str(lake.store.where)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_query_on_the_command_line(samples, tmp_path: Path) -> None:
    code, out, _ = run("query", "rejected-ports", "-p", "top=1", "--format", "json", lake=samples)
    assert code == 0
    assert json.loads(out)[0]["dstport"] == 312
    hostile = "a=x' OR '1'='1"
    sql = "SELECT srcaddr FROM flows WHERE srcaddr = $a"
    code, out, _ = run("query", sql, "-p", hostile, "--format", "csv", lake=samples)
    assert (code, out) == (0, "srcaddr\n")
    file = tmp_path / "out.parquet"
    code, _, _ = run("query", "SELECT 1 AS x", "--format", "parquet", "-o", str(file), lake=samples)
    assert code == 0
    assert duckdb.sql(f"SELECT x FROM '{file}'").fetchall() == [(1,)]
    code, _, err = run("query", "rejected-prts", lake=samples)
    assert code == 3
    assert "did you mean rejected-ports" in err
    code, _, err = run("query", "COPY flows TO '/tmp/x'", lake=samples)
    assert code == 3
    assert err.count("\n") == 1


def test_the_prompt_runs_what_is_piped_in(samples) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "flowscan",
            "sql",
            "--lake",
            str(samples.store.where),
            "--format",
            "csv",
        ],
        input=".tables\nSELECT count(*) AS n\nFROM flows;\nSELECT nofunc(1);\n.quit\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0
    assert "\nn\n41734\n" in done.stdout
    assert "function nofunc is not supported" in done.stderr
