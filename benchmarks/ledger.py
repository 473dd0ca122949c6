"""What breaks first: the ledger at 10^5 to 10^7 objects, on a real lake folder.

    python -m benchmarks.ledger [--objects 1000000] [--scratch FOLDER]

Writes commits of 5,000 sources each through the ledger's own code (no flows), then measures in
fresh processes: opening the state, its memory, one lookup, and one more commit.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flowscan.lake import Lake, SourceRecord

BATCH = 5_000


def record(number: int) -> SourceRecord:
    uri = (
        "s3://logs/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/"
        f"{1 + number // 86_400 % 12:02d}/{1 + number % 28:02d}/"
        f"123456789012_vpcflowlogs_us-east-1_fl-0123456789abcdef0_20260801T0000Z_{number:08x}.log.gz"
    )
    return SourceRecord(
        uri=uri,
        etag=f"{number * 2654435761 % (1 << 128):032x}",
        size=64_000,
        digest=None,
        shape="text",
        records=0,
        flows=0,
        nodata=0,
        skipdata=0,
        rejects=0,
    )


def fill(where: Path, objects: int) -> float:
    lake = Lake.open(where, create=True)
    started = time.perf_counter()
    for first in range(0, objects, BATCH):
        lake.begin().commit([record(n) for n in range(first, min(first + BATCH, objects))])
    return time.perf_counter() - started


CHILD = """
import sys, time, resource
from flowscan.lake import Lake
from benchmarks.ledger import record
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
lake = Lake.open(sys.argv[1])
state = lake.state()
opened = time.perf_counter() - started
count = int(sys.argv[2])
started = time.perf_counter()
for n in range(0, 10_000):
    r = record(n * max(1, count // 10_000))
    assert state.knows(r.uri, r.etag)
looked = (time.perf_counter() - started) / 10_000
started = time.perf_counter()
lake.begin().commit([record(count + int(sys.argv[3]))])
committed = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"{opened:.2f} {(peak - base) / 1024:.0f} {looked * 1e6:.1f} {committed:.2f}")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "flowscan")
    given = parser.parse_args()
    print("| objects | write all s | ledger MB | open s | memory MB | lookup µs | one commit s |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for objects in given.objects:
        where = given.scratch / f"ledger-{objects}"
        shutil.rmtree(where, ignore_errors=True)
        where.parent.mkdir(parents=True, exist_ok=True)
        wrote = fill(where, objects)
        size = sum(p.stat().st_size for p in where.rglob("*") if p.is_file()) / 1e6
        opened, memory, looked, committed = subprocess.run(
            [sys.executable, "-c", CHILD, str(where), str(objects), "7"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        print(
            f"| {objects:,} | {wrote:.1f} | {size:,.0f} | {opened} | {memory} | {looked} "
            f"| {committed} |",
            flush=True,
        )
        shutil.rmtree(where, ignore_errors=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nwriter's peak memory {peak:.0f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
