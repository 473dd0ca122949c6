"""A Trino server over a lake of the sample logs, with tables made by the generated DDL.

The lake keeps its tables of traffic, so both engines read the same files.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trino_tables
from trino_client import Trino

from flowscan import traffic
from flowscan.engine import Engine, athena_ddl
from flowscan.lake import Lake

ROOT = Path(__file__).parents[2]
BUCKET = "s3://bucket"
S3 = f"{BUCKET}/lake"


@dataclass
class Both:
    """The same lake on both engines."""

    trino: Trino
    engine: Engine
    lake: Lake


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    home = Path(
        os.environ.get("FLOWSCAN_TRINO_HOME") or Path.home() / ".cache" / "flowscan" / "trino-476"
    )
    java = newest_java()
    if not (home / "bin" / "launcher").exists() or java is None:
        pytest.skip("no Trino server: `make test-engines` fetches it (JDK 24 or newer)")
    base = tmp_path_factory.mktemp("trino")
    lake = sample_lake(base / "files" / "lake")
    process, url = start(home, java, base)
    try:
        trino = Trino(url)
        wait(trino, process, base / "log")
        create(trino)
        with traffic.reading(lake) as engine:
            yield Both(trino, engine, lake)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def newest_java() -> Path | None:
    found = []
    for release in Path("/usr/lib/jvm").glob("*/release"):
        for line in release.read_text().splitlines():
            if line.startswith("JAVA_VERSION="):
                major = int(line.split('"')[1].split(".")[0])
                found.append((major, release.parent))
    major, home = max(found, default=(0, None))
    return home if major >= 24 else None


def sample_lake(where: Path) -> Lake:
    import flowscan

    flowscan.ingest(str(ROOT / "sample_logs" / "logs"), where)
    lake = Lake.open(where)
    traffic.fold(lake)
    return lake


def start(home: Path, java: Path, base: Path) -> tuple[subprocess.Popen, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    etc = base / "etc"
    (etc / "catalog").mkdir(parents=True)
    files = {
        "node.properties": f"""node.environment=flowscan
node.id=flowscan
node.data-dir={base / "data"}
node.internal-address=127.0.0.1
""",
        "jvm.config": """-server
-Xmx3G
-XX:+UseG1GC
-XX:TieredStopAtLevel=1
--add-modules=jdk.incubator.vector
--enable-native-access=ALL-UNNAMED
--sun-misc-unsafe-memory-access=allow
""",
        "config.properties": f"""coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port={port}
discovery.uri=http://127.0.0.1:{port}
task.concurrency=1
query.max-memory=2GB
query.max-memory-per-node=2GB
memory.heap-headroom-per-node=600MB
""",
        "catalog/lake.properties": f"""connector.name=hive
hive.metastore=file
hive.metastore.catalog.dir=local:///metastore
fs.native-local.enabled=true
local.location={base / "files"}
hive.partition-projection-enabled=true
hive.ignore-absent-partitions=true
hive.non-managed-table-writes-enabled=true
hive.table-statistics-enabled=false
hive.collect-column-statistics-on-write=false
hive.security=allow-all
""",
    }
    for name, text in files.items():
        (etc / name).write_text(text)
    (base / "files" / "metastore").mkdir(exist_ok=True)
    environment = {**os.environ, "JAVA_HOME": str(java)}
    environment["PATH"] = f"{java / 'bin'}{os.pathsep}{environment['PATH']}"
    log = (base / "log").open("wb")
    process = subprocess.Popen(
        [str(home / "bin" / "launcher"), "--etc-dir", str(etc), "run"],
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    log.close()
    return process, f"http://127.0.0.1:{port}"


def wait(trino: Trino, process: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        if trino.ready():
            return
        assert process.poll() is None, log.read_text()[-3000:]
        time.sleep(0.5)
    raise AssertionError(log.read_text()[-3000:])


def create(
    trino: Trino,
    database: str = "flowscan",
    root: str = S3,
    first_day: str = "2026-08-01",
    *,
    kept: bool = True,
) -> None:
    # Tables that are made there must lie beside the metastore's own files.
    place = f"local:///{'schema' if kept else 'metastore'}/{database}"
    trino.run(f"CREATE SCHEMA lake.{database} WITH (location = '{place}')")
    own = replace(trino, schema=database)
    for statement in athena_ddl.lake(root, database, first_day, kept=kept):
        sql = statement.sql
        if sql.startswith("CREATE EXTERNAL TABLE"):
            sql = trino_tables.to_trino(sql, BUCKET, "local://")
        own.run(sql)
