"""What the lake's tests share: sources made of numbered records, a small ingest, the invariants.

Every record of source `name` carries its own name in `instance_id`, so that a lost or doubled
record is seen by its name, whichever file it lies in.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flowscan.errors import LakeConflict
from flowscan.lake import Lake, Refusal, SourceRecord, checkpoint, layout, numbers
from flowscan.lake.compact import compact
from flowscan.lake.expire import purge
from flowscan.lake.local_store import LocalStore
from flowscan.lake.parts import replacing
from flowscan.lake.status import status
from flowscan.lake.verify import verify

DAY = 86_400
NOON = 1_785_585_600  # 2026-08-01T12:00:00Z
FAR = NOON + 30 * DAY


def names_of(source: str, rows: int = 5) -> list[str]:
    return [f"{source}:{j}" for j in range(rows)]


def flows_of(source: str, rows: int = 5, number: int = 0) -> pa.RecordBatch:
    """Records of a source; every third lies on the next UTC date."""
    start = [NOON + j + (DAY if j % 3 == 2 else 0) for j in range(rows)]
    names = pa.array(names_of(source, rows)).dictionary_encode()
    return pa.record_batch(
        {
            "start": pa.array(start, pa.int64()),
            "end": pa.array([s + 60 for s in start], pa.int64()),
            "srcaddr": pa.array([f"10.0.0.{j}" for j in range(rows)]).dictionary_encode(),
            "dstport": pa.array([22 + j for j in range(rows)], pa.int32()),
            "instance_id": names,
            "source_id": pa.array([number] * rows, pa.int64()),
        }
    )


def record(source: str, rows: int = 5, etag: str = "e1", number: int | None = None) -> SourceRecord:
    digest = f"sha256:{source}"
    counts = rows + 2, rows, 1, 0, 1
    return SourceRecord(f"file:///{source}", etag, 100, digest, "text", *counts, number)


def write_batch(lake: Lake, batch: Sequence[str]):
    """A transaction that has written some sources; `records(batch, transaction)` are theirs."""
    transaction = lake.begin()
    try:
        for source in batch:
            write_source(transaction, source)
    except BaseException:
        transaction.abort()
        raise
    return transaction


def records(batch: Sequence[str], transaction) -> list[SourceRecord]:
    numbered = enumerate(batch)
    return [record(s, number=numbers.number(transaction.batch, i)) for i, s in numbered]


def write_source(transaction, source: str) -> None:
    number = transaction.number(source)
    transaction.write_flows(flows_of(source, number=number))
    idle = {"start": [NOON], "end": [NOON], "log_status": ["NODATA"], "source_id": [number]}
    transaction.write_rows("coverage", pa.table(idle))
    reject = {"source": [f"file:///{source}"], "line": [9], "reason": ["bad start"]}
    transaction.write_rows("rejects", pa.table({**reject, "source_id": [number]}))


def ingest(lake: Lake, sources: Iterable[str], size: int = 2) -> int:
    """Bring sources in, `size` to a batch; returns how many this call brought."""
    lake.recover()
    state = lake.state()
    todo = [s for s in sources if not state.knows(f"file:///{s}", "e1")]
    done = 0
    while todo:
        batch, todo = todo[:size], todo[size:]
        transaction = write_batch(lake, batch)
        try:
            transaction.commit(
                records(batch, transaction),
                [Refusal(f"file:///bad-{batch[0]}", "e", 1, "no flow log")],
            )
            done += len(batch)
        except LakeConflict as conflict:
            known = {uri.removeprefix("file:///") for uri, _ in conflict.known}
            assert known
            todo = [s for s in batch if s not in known] + todo
        finally:
            transaction.abort()
    return done


def set_indicators(lake: Lake, names: Sequence[str]) -> None:
    lake.replace("indicators", lambda _: pa.table({"indicator": list(names)}))


TODAY = NOON // DAY


def derive(lake: Lake) -> None:
    """Make the sessions of every day again whose flows have changed; one row counts the flows."""
    snapshot = lake.snapshot()
    old = {layout.day_of_path(e.path): e for e in snapshot.files("sessions")}
    for day in (TODAY, TODAY + 1):
        digest = snapshot.lineage_digest(day)
        if day in old and old[day].mark == digest:
            continue
        flows = sum(e.rows for e in snapshot.files("flows") if layout.day_of_path(e.path) == day)
        with lake.writing() as transaction:
            rows = pa.table({"first_seen": [day * DAY], "records": [flows]})
            transaction.write_part("sessions", day, rows, snapshot.lineage(day), digest)
            seen = [old[day]] if day in old else []
            lake.commit(transaction, (), removal=replacing(["sessions"], [day], seen))


def everything(lake: Lake) -> None:
    """Every kind of write that a lake knows, in an order that a year would bring."""
    ingest(lake, ["a", "b", "c"])
    derive(lake)
    set_indicators(lake, ["1.1.1.1"])
    lake.put_blob("feed", "list", b"original")
    list(compact(lake, now=FAR))
    ingest(lake, ["d"])
    derive(lake)
    set_indicators(lake, ["1.1.1.1", "2.2.2.2"])
    list(compact(lake, now=FAR))
    checkpoint.write(lake.store, lake.fold())
    purge(lake, now=time.time(), grace=0)


def live_files(root: Path, table: str = "flows") -> list[Path]:
    return sorted((root / table).rglob("*.parquet"))


def live_names(root: Path) -> list[str]:
    """Names of all records that a plain glob finds."""
    names = []
    for path in live_files(root):
        names += pq.ParquetFile(path).read(columns=["instance_id"])["instance_id"].to_pylist()
    return sorted(names)


def snapshot_names(lake: Lake, snapshot=None) -> list[str]:
    names = []
    for path in (snapshot or lake.snapshot()).uris("flows"):
        names += pq.ParquetFile(path).read(columns=["instance_id"])["instance_id"].to_pylist()
    return sorted(names)


def check(root: Path, sources: Iterable[str]) -> None:
    """The invariants of a lake at rest that has exactly these sources."""
    lake = Lake.open(root)
    expected = sorted(name for source in sources for name in names_of(source))
    assert live_names(root) == expected
    assert snapshot_names(lake) == expected
    committed = Counter((s.uri, s.etag) for _, s in lake.state().sources())
    assert set(committed.values()) <= {1}
    assert len(committed) == len(list(sources))
    check_numbers(lake, root)
    found = status(lake)
    assert found.flows == found.totals.flows == len(expected)
    assert found.tables.get("coverage", 0) == found.totals.nodata == len(committed)
    assert found.tables.get("rejects", 0) == found.totals.rejects
    assert found.unpublished == 0
    commits = sorted(p.name for p in (root / "_flowscan/commits").glob("*"))
    assert commits == [f"{i + 1:08d}.json" for i in range(len(commits))]
    assert [p for p in verify(lake, full=True) if not p.harmless] == []


def check_numbers(lake: Lake, root: Path) -> None:
    """Every record of flows, coverage and rejects has the number of its source in the ledger."""
    names = {s.source_id: s.uri.removeprefix("file:///") for _, s in lake.state().sources()}
    assert None not in names
    for table in ("flows", "coverage", "rejects"):
        for path in live_files(root, table):
            for row in pq.ParquetFile(path).read().to_pylist():
                name = names[row["source_id"]]
                assert table != "flows" or row["instance_id"].partition(":")[0] == name
                assert table != "rejects" or row["source"] == f"file:///{name}"


def check_derived(root: Path) -> None:
    """The sessions that `derive` makes are those of the flows, by the ledger and by a glob."""
    snapshot = Lake.open(root).snapshot()
    entries = {layout.day_of_path(e.path): e for e in snapshot.files("sessions")}
    assert sorted(map(str, live_files(root, "sessions"))) == sorted(snapshot.uris("sessions"))
    for day, entry in entries.items():
        flows = [e for e in snapshot.files("flows") if layout.day_of_path(e.path) == day]
        rows = pq.ParquetFile(root / entry.path).read()
        assert rows["records"].to_pylist() == [sum(e.rows for e in flows)]
        assert entry.lineage == snapshot.lineage(day) != ()
        assert entry.mark == snapshot.lineage_digest(day)
    assert sorted(entries) == [TODAY, TODAY + 1]


class Kill:
    """A fault that ends the process at its k-th operation, as a power cut does."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, operation: str, key: str) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


class Count:
    """A fault that only counts, and remembers what was done."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def __call__(self, operation: str, key: str) -> None:
        self.seen.append((operation, key))


def open_at(root: Path, fault) -> Lake:
    return Lake.on(LocalStore(root, fault=fault), create=True)


def killed_runs(base: Path, work, points: Iterable[int]) -> Iterator[Path]:
    """Run `work` in a child for each k of `points`, killed at operation k; yields the lakes left behind."""
    for k in points:
        root = base / f"k{k}"
        child = os.fork()
        if child == 0:
            try:
                work(open_at(root, Kill(k)))
            finally:
                os._exit(0)
        _, wait = os.waitpid(child, 0)
        assert os.WIFSIGNALED(wait), f"operation {k} was not reached"
        yield root
