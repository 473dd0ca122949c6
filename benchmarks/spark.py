"""Ingest on a local Spark against the plain one, with a task that is killed on the way.

    python -m benchmarks.spark [--records 40000000] [--logs FOLDER] [--scratch FOLDER]

One attempt of one task kills its own process after it has written everything; Spark tries again.
Both lakes are then compared row for row, as multisets: number of rows, and sum and exclusive or
of a 64-bit hash of each row over all its columns, of every UTC date.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.generate import generate
from flowscan.ingest import IngestOptions, ingest
from flowscan.lake import Lake
from flowscan.sources import SourceOptions, open_source

KILLED = 2
"""Number of the task whose first attempt dies."""


def session() -> Any:
    from pyspark.sql import SparkSession

    return (
        SparkSession.builder.master("local[2,4]")
        .appName("flowscan benchmark")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )


def killing(marker: Path) -> Any:
    """The run of all tasks, of which one dies once."""

    def run(context: Any, job: Any, tasks: list[Any]) -> Any:
        def work(numbered: tuple[int, Any]) -> Any:
            from pyspark import TaskContext

            from flowscan.ingest.spark import run_task

            number, objects = numbered
            part = run_task(job, objects, 1 + TaskContext.get().taskAttemptId())
            if number == KILLED and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return part

        return context.parallelize(list(enumerate(tasks)), len(tasks)).map(work).collect()

    return run


def fingerprint(lake: Path) -> list[Any]:
    sql = (
        "SELECT date, count(*), sum(hash(f)::HUGEINT), bit_xor(hash(f)) "
        f"FROM '{lake}/flows/**/*.parquet' f GROUP BY 1 ORDER BY 1"
    )
    return duckdb.sql(sql).fetchall()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=40_000_000)
    parser.add_argument("--logs", type=Path)
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "flowscan")
    given = parser.parse_args()
    logs = given.logs or generate(given.scratch, given.records, max(4, given.records // 250_000))
    plain, spark = given.scratch / "lake-plain", given.scratch / "lake-spark"
    marker = given.scratch / "killed"
    for old in (plain, spark):
        shutil.rmtree(old, ignore_errors=True)
    marker.unlink(missing_ok=True)
    started = time.perf_counter()
    expected = ingest(Lake.open(plain, create=True), [open_source(str(logs), SourceOptions())])
    print(f"plain: {expected.flows:,} flows in {time.perf_counter() - started:.1f} s", flush=True)
    module: Any = importlib.import_module("flowscan.ingest.spark")
    module._run = killing(marker)  # noqa: SLF001 - the very step to disturb
    context = session()
    started = time.perf_counter()
    result = module.ingest_spark(
        Lake.open(spark, create=True),
        str(spark),
        [str(logs)],
        SourceOptions(),
        IngestOptions(),
        session=context,
    )
    took = time.perf_counter() - started
    context.stop()
    print(f"Spark: {result.flows:,} flows in {took:.1f} s, task killed: {marker.exists()}")
    same = fingerprint(plain) == fingerprint(spark)
    print(f"row for row the same: {same}")
    sys.exit(0 if same and marker.exists() else 1)


if __name__ == "__main__":
    main()
