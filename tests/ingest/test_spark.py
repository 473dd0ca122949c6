"""Ingest on a local Spark: row for row the plain one, also when a task dies on the way."""

from __future__ import annotations

import gzip
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from flowscan.ingest import IngestOptions, ingest
from flowscan.lake import Lake
from flowscan.sources import SourceOptions, open_source

pyspark = pytest.importorskip("pyspark", reason="the spark extra is not installed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),
    pytest.mark.timeout(600),
]

# By import, not as "flowscan.ingest.spark": there the name flowscan.ingest is the public function.
SPARK = importlib.import_module("flowscan.ingest.spark")

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status\n"
)
START = 1785542400


@pytest.fixture(scope="module")
def session():
    from pyspark.sql import SparkSession

    built = (
        SparkSession.builder.master("local[2,4]")
        .appName("flowscan tests")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    yield built
    built.stop()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    for n in range(8):
        rows = "".join(
            f"2 123456789012 eni-0{n} 203.0.113.{i % 250} 10.0.0.5 {i % 60000} 443 6 3 {i} "
            f"{START + n * 20000 + i} {START + n * 20000 + i + 9} ACCEPT OK\n"
            for i in range(20_000)
        )
        (folder / f"{n}.log.gz").write_bytes(gzip.compress((HEADER + rows).encode(), 1))
    (folder / "broken.log.gz").write_bytes((folder / "0.log.gz").read_bytes()[:-500])
    return folder


def difference(one: Path, other: Path) -> int:
    """Rows that only one of the lakes has; each numbers its sources in its own way."""
    a, b = (f"(SELECT * EXCLUDE (source_id) FROM '{p}/flows/**/*.parquet')" for p in (one, other))
    sql = f"SELECT count(*) FROM (({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a}))"
    return duckdb.sql(sql).fetchall()[0][0]


def check_sources(lake: Path) -> None:
    """Every flow knows its object, whichever task and attempt brought it."""
    sources = {s.source_id: s.flows for _, s in Lake.open(lake).state().sources()}
    assert len(sources) == 8
    sql = f"SELECT source_id, count(*) FROM '{lake}/flows/**/*.parquet' GROUP BY ALL"
    assert dict(duckdb.sql(sql).fetchall()) == sources


def spark_ingest(session, lake: Path, logs: Path):
    return SPARK.ingest_spark(
        Lake.open(lake, create=True),
        str(lake),
        [str(logs)],
        SourceOptions(),
        IngestOptions(),
        session=session,
    )


def test_same_rows_as_the_plain_ingest(session, logs: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(SPARK, "TASK_BYTES", 300_000)
    plain, spark = tmp_path / "plain", tmp_path / "spark"
    expected = ingest(Lake.open(plain, create=True), [open_source(str(logs), SourceOptions())])
    result = spark_ingest(session, spark, logs)
    assert (result.sources, result.flows) == (expected.sources, expected.flows) == (8, 160_000)
    assert [Path(u).name for u, _ in result.refused] == ["broken.log.gz"]
    assert difference(plain, spark) == 0
    check_sources(spark)
    assert Lake.open(spark).state().version == 1
    again = spark_ingest(session, spark, logs)
    assert (again.sources, again.already) == (0, 9)


def test_killed_task_is_retried_and_counts_once(
    session, logs: Path, tmp_path: Path, monkeypatch
) -> None:
    """The first attempt of the third task kills its own process after it has written."""
    monkeypatch.setattr(SPARK, "TASK_BYTES", 300_000)
    marker = tmp_path / "killed"

    def run(context, job, tasks):
        def work(numbered):
            from pyspark import TaskContext

            from flowscan.ingest.spark import run_task

            number, objects = numbered
            part = run_task(job, objects, 1 + TaskContext.get().taskAttemptId())
            if number == 2 and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return part

        return context.parallelize(list(enumerate(tasks)), len(tasks)).map(work).collect()

    monkeypatch.setattr(SPARK, "_run", run)
    plain, spark = tmp_path / "plain", tmp_path / "spark"
    ingest(Lake.open(plain, create=True), [open_source(str(logs), SourceOptions())])
    result = spark_ingest(session, spark, logs)
    assert marker.exists()
    assert result.sources == 8
    assert difference(plain, spark) == 0
    check_sources(spark)
    # What a dying attempt left in staging is garbage that any later ingest clears.
    ingest(Lake.open(spark), [open_source(str(logs), SourceOptions())])
    assert not list((spark / "_flowscan" / "staging").rglob("*.tmp"))


def test_command_needs_no_active_environment(logs: Path, tmp_path: Path) -> None:
    """Workers run under the interpreter of the command, whatever python3 the PATH names."""
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SPARK_LOCAL_IP": "127.0.0.1"}
    bare |= {k: os.environ[k] for k in ("JAVA_HOME",) if k in os.environ}
    command = [sys.executable, "-m", "flowscan", "ingest", str(logs), "--lake", str(tmp_path / "l")]
    done = subprocess.run(
        [*command, "--engine", "spark"],
        check=False,
        env=bare,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "160,000 flows" in done.stderr + done.stdout, done.stderr
    sources = Lake.open(tmp_path / "l").snapshot().sources()
    assert {commit.version for commit, _ in sources} == {1}  # what follows is the fold of traffic
