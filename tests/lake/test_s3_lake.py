"""The same lake on a real S3 server: crashes, races, and a network that breaks."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path

import format_one
import lake_kit as kit
import pyarrow.parquet as pq
import pytest
from fault_proxy import Fault, fault_proxy
from race_child import SOURCES
from s3_server import Server

from flowscan.errors import LakeError
from flowscan.lake import Lake, StoreOptions, compact, marker, s3_store
from flowscan.lake.expire import purge
from flowscan.lake.upgrade import upgrade
from flowscan.lake.verify import repair, verify

HERE = Path(__file__).parent
pytestmark = [pytest.mark.s3, pytest.mark.timeout(600)]


@pytest.fixture
def place(s3: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3.bucket(f'lake-{uuid.uuid4().hex[:12]}')}/some/prefix"


def names(lake: Lake) -> list[str]:
    found: list[str] = []
    for entry in lake.snapshot().files("flows"):
        with lake.store.reader(entry.path) as source:
            found += pq.ParquetFile(source).read(columns=["instance_id"])["instance_id"].to_pylist()
    return sorted(found)


def check(place: str, sources: list[str]) -> None:
    lake = Lake.open(place)
    expected = sorted(name for source in sources for name in kit.names_of(source))
    assert names(lake) == expected
    listed = {e.key for e in lake.store.walk("flows")}
    assert listed == {e.path for e in lake.snapshot().files("flows")}
    committed = Counter((s.uri, s.etag) for _, s in lake.state().sources())
    assert set(committed.values()) <= {1}
    assert len(committed) == len(sources)
    assert [p for p in verify(lake, full=True) if not p.harmless] == []


def test_a_lake_on_s3(place: str) -> None:
    with pytest.raises(LakeError, match="no lake here"):
        Lake.open(place)
    lake = Lake.open(place, create=True)
    kit.everything(lake)
    check(place, ["a", "b", "c", "d"])
    assert lake.read("indicators")["indicator"].to_pylist() == ["1.1.1.1", "2.2.2.2"]
    assert lake.get_blob("feed", "list") == b"original"
    assert verify(lake, full=True) == []
    assert list(lake.store.walk("_flowscan/staging")) == []


def test_duckdb_reads_the_exact_list(place: str) -> None:
    import duckdb

    lake = Lake.open(place, create=True)
    kit.ingest(lake, ["a", "b"])
    snapshot = lake.snapshot()
    connection = duckdb.connect()
    connection.register_filesystem(snapshot.filesystem())
    rows = connection.execute("SELECT count(*) FROM read_parquet(?)", [snapshot.uris("flows")])
    assert rows.fetchall() == [(10,)]


def test_compaction_on_s3_keeps_snapshots_readable(place: str) -> None:
    lake = Lake.open(place, create=True)
    kit.ingest(lake, SOURCES[:6], size=1)
    old = lake.snapshot()
    list(compact.compact(lake, now=kit.FAR))
    check(place, SOURCES[:6])
    assert all(".gone" in uri for uri in old.uris("flows"))
    assert purge(lake, now=__import__("time").time() + 90_000).files == 12
    check(place, SOURCES[:6])


@pytest.mark.parametrize("bad", ["s3://", "s3:///x", "s3://b/../x", "s3://b/a\0b"])
def test_addresses_that_are_none(bad: str) -> None:
    with pytest.raises(LakeError):
        Lake.open(bad)


KILLER = """
import os, sys
import pyarrow.parquet, obstore, boto3  # imported once; no child shares a thread or a socket
import lake_kit as kit
from flowscan.lake import Lake
for k in range(1, int(sys.argv[2]), int(sys.argv[3])):
    child = os.fork()
    if child == 0:
        lake = Lake.open(f"{sys.argv[1]}/k{k}", create=True)
        lake.store.fault = kit.Kill(k)
        kit.ingest(lake, ["a"])
        os._exit(0)
    _, wait = os.waitpid(child, 0)
    assert os.WIFSIGNALED(wait), k
"""


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_every_operation(place: str, step: int) -> None:
    """A child for each operation of an ingest dies there; one clean ingest puts all right."""
    count = kit.Count()
    dry = Lake.open(f"{place}/dry", create=True)
    dry.store.fault = count
    kit.ingest(dry, ["a"])
    assert len(count.seen) > 20
    killer = run(KILLER, place, str(len(count.seen)), str(step))
    _, error = killer.communicate(timeout=500)
    assert killer.returncode == 0, error
    for k in range(1, len(count.seen), step):
        kit.ingest(Lake.open(f"{place}/k{k}", create=True), ["a"])
        check(f"{place}/k{k}", ["a"])


def run(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(HERE.parent.parent), str(HERE)])
    command = [sys.executable, "-c", program, *arguments]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(command, stderr=subprocess.PIPE, env=environment)


def test_processes_race_and_die(place: str) -> None:
    Lake.open(place, create=True)
    dice = random.Random(3)
    script = (HERE / "race_child.py").read_text()
    for last in (False, True):
        kills = [0 if last else dice.randint(5, 200) for _ in range(3)]
        racers = [run(script, place, str(seed), str(kill)) for seed, kill in enumerate(kills)]
        for racer in racers:
            _, error = racer.communicate(timeout=300)
            assert racer.returncode == 0 or (not last and racer.returncode == -9), error
    check(place, SOURCES)


def test_lost_replies_conflicts_and_errors(place: str, s3: Server) -> None:
    """Every answer to a commit is lost, or is a 409, or a 500; other requests fail at times."""
    dice = random.Random(5)

    def fault(request: object) -> Fault | None:
        method, path = request.method, request.path  # type: ignore[attr-defined]
        if method == "PUT" and "/commits/" in path:
            kind = dice.randrange(4)
            if kind == 0:
                return Fault(lost=True)
            if kind == 1:
                return Fault(status=409, code="ConditionalRequestConflict")
            if kind == 2:
                return Fault(status=500)
        elif dice.random() < 0.05:
            return Fault(status=503, code="SlowDown")
        return None

    with fault_proxy(s3.endpoint) as proxy:
        lake = Lake.open(place, create=True, options=StoreOptions(endpoint_url=proxy.endpoint))
        proxy.fault = fault
        assert kit.ingest(lake, SOURCES[:8], size=1) == 8
    check(place, SOURCES[:8])


def test_a_server_without_conditional_writes_is_refused(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = s3_store.S3Store.create

    def ignoring(self: s3_store.S3Store, key: str, data: bytes) -> bool:
        self.put(key, data)
        return True

    monkeypatch.setattr(s3_store.S3Store, "create", ignoring)
    with pytest.raises(LakeError, match="If-None-Match"):
        Lake.open(place, create=True)
    monkeypatch.setattr(s3_store.S3Store, "create", create)
    Lake.open(place, create=True)


def test_staging_of_a_crashed_writer_ages(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake.open(place, create=True)
    kit.write_batch(lake, ["a"]).finish()  # and never commits
    Lake.open(place).recover()
    assert len(list(lake.store.walk("_flowscan/staging"))) > 1
    monkeypatch.setattr(s3_store, "LIFE", -10)
    Lake.open(place).recover()
    assert list(lake.store.walk("_flowscan/staging")) == []
    late = kit.write_batch(lake, ["a"])
    with pytest.raises(LakeError, match="took longer"):
        late.commit([kit.record("a")])
    late.abort()
    assert repair(lake) == []


class Dies(BaseException):
    """Stands for the end of the process at an operation of the store."""


def test_the_upgrade_of_a_lake_dies_at_every_operation(place: str, tmp_path: Path) -> None:
    format_one.make(tmp_path / "old", ["a", "b"], checkpoint=1)
    files = [p for p in (tmp_path / "old").rglob("*") if p.is_file()]
    left, k = set(), 0
    while True:
        where = f"{place}/k{k}"
        store = s3_store.open_s3(where, StoreOptions())
        for path in files:
            store.put(str(path.relative_to(tmp_path / "old")), path.read_bytes())
        lake = Lake.open(where)
        with pytest.raises(LakeError, match="not written"):
            kit.ingest(lake, ["c"])
        lives = [k]

        def fault(operation: str, key: str, lives: list[int] = lives) -> None:
            if lives[0] == 0:
                raise Dies
            lives[0] -= 1

        lake.store.fault = fault
        try:
            upgrade(lake)
        except Dies:
            again = Lake.open(where)
            left.add((again.format, marker.read(again.store)))
            upgrade(again)
        else:
            break
        assert kit.ingest(Lake.open(where), ["a", "b", "c"]) == 1
        check(where, ["a", "b", "c"])
        assert Lake.open(where).snapshot().lineage(kit.TODAY) == (1, 2, 4)
        k += 1
    assert left == {(1, 1), (2, 1), (2, 2)}
